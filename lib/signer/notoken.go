//go:build !pkcs11 || !cgo

package signer

import "errors"

// openToken refuses: the modules of tokens are C libraries, and to be able to
// load one makes every start slower.
func openToken(*tokenURI, Passphrase) (key, error) {
	return nil, errors.New("this program cannot load a PKCS#11 module; use the one that `make pkcs11` builds, bin/ocspcgi-pkcs11")
}
