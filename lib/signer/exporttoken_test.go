//go:build pkcs11 && cgo

package signer

import "time"

// HurryToken leaves a token but a moment for each signature.
func (s *Signer) HurryToken() { s.key.(*tokenKey).patience = time.Second / 5 }
