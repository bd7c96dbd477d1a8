package signer

import "crypto"

var (
	ParseCertificates = parseCertificates
	ParseKey          = parseKey
)

// KindOfKey is KindOf for a private key.
func KindOfKey(key crypto.Signer) string { return kindOf(key.Public()) }
