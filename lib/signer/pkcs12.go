package signer

import (
	"crypto/x509"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
	"software.sslmate.com/src/go-pkcs12"
)

// bundle is what a PKCS#12 file (RFC 7292) holds for us.
type bundle struct {
	key          any
	certificates []*x509.Certificate
}

// openPKCS12 opens a file with one key and its certificates. Without a pass
// phrase it tries the empty one.
func openPKCS12(path string, data []byte, pass Passphrase) (b bundle, err error) {
	if n := macIterations(data); n > maxIterations {
		return b, fmt.Errorf("encrypted with %d iterations; at most %d are done", n, maxIterations)
	}
	var phrase []byte
	if pass != nil {
		if phrase, err = pass(path); err != nil {
			return b, err
		}
	}
	key, first, chain, err := pkcs12.DecodeChain(data, string(phrase))
	var unknown pkcs12.NotImplementedError
	switch {
	case errors.Is(err, pkcs12.ErrIncorrectPassword) && pass == nil:
		return b, errEncrypted
	case errors.Is(err, pkcs12.ErrIncorrectPassword), errors.Is(err, pkcs12.ErrDecryption):
		return b, ErrPassphrase
	case errors.As(err, &unknown), err != nil:
		return b, fmt.Errorf("this PKCS#12 file cannot be read (%w); openssl pkcs12 -in FILE -out NEW.pem makes it PEM", err)
	}
	return bundle{key, append([]*x509.Certificate{first}, chain...)}, nil
}

// macIterations is how much work it would be to find out that a pass phrase is
// wrong: all that comes after is what somebody who knew it has written.
func macIterations(data []byte) int {
	input := cryptobyte.String(data)
	var pfx, mac cryptobyte.String
	n := 1
	if !input.ReadASN1(&pfx, asn1.SEQUENCE) || !pfx.SkipASN1(asn1.INTEGER) || !pfx.SkipASN1(asn1.SEQUENCE) ||
		!pfx.ReadASN1(&mac, asn1.SEQUENCE) || !mac.SkipASN1(asn1.SEQUENCE) || !mac.SkipASN1(asn1.OCTET_STRING) ||
		!mac.ReadASN1Integer(&n) {
		return 1
	}
	return n
}
