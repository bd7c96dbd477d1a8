package signer

import "crypto"

var ParseCertificates = parseCertificates

// ParseKey reads the first key in data.
func ParseKey(path string, data []byte, pass Passphrase) (crypto.Signer, error) {
	return parseKey(path, data, pass, nil)
}

// KindOfKey is KindOf for a private key.
func KindOfKey(key crypto.Signer) string { return kindOf(key.Public()) }
