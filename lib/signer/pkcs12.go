package signer

import (
	"crypto/x509"
	"errors"
	"fmt"
	"math"
	"strings"

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
	if n := mostIterations(data); n > maxIterations {
		return b, fmt.Errorf("encrypted with %d iterations; at most %d are done", n, maxIterations)
	}
	var phrase []byte
	if pass != nil {
		if phrase, err = pass(path); err != nil {
			return b, err
		}
	}
	key, first, chain, err := pkcs12.DecodeChain(data, string(phrase))
	switch {
	case errors.Is(err, pkcs12.ErrIncorrectPassword) && pass == nil:
		return b, errEncrypted
	case errors.Is(err, pkcs12.ErrIncorrectPassword), errors.Is(err, pkcs12.ErrDecryption):
		return b, ErrPassphrase
	case err != nil:
		// What encoding/asn1 says ends in addresses of memory, which help nobody.
		why, _, _ := strings.Cut(err.Error(), ": asn1: ")
		return b, fmt.Errorf("this PKCS#12 file cannot be read (%s); openssl pkcs12 -in FILE -out NEW.pem makes it PEM", why)
	}
	return bundle{key, append([]*x509.Certificate{first}, chain...)}, nil
}

// mostIterations is the largest number of iterations that a PKCS#12 file asks for:
// in its MAC, be that of RFC 7292 or of RFC 9579, and in what is encrypted. In each
// of them it is an INTEGER behind the OCTET STRING that is the salt. What is inside
// of what is encrypted is not looked at.
func mostIterations(data cryptobyte.String) (most int64) {
	behindSalt := false
	for !data.Empty() {
		var content cryptobyte.String
		var tag asn1.Tag
		element := data
		if !data.ReadAnyASN1(&content, &tag) {
			return most
		}
		var n int64
		switch {
		case tag == asn1.INTEGER && behindSalt && !element.ReadASN1Integer(&n):
			n = math.MaxInt64
		case tag != asn1.INTEGER && (tag&constructed != 0 || isSequence(content)):
			n = mostIterations(content)
		}
		most = max(most, n)
		behindSalt = tag == asn1.OCTET_STRING
	}
	return most
}

// constructed is the bit of the tags that hold elements (X.690 §8.1.2.5).
const constructed = 0x20

// isSequence tells whether octets are one SEQUENCE, as those of a PKCS#12 file are
// that hold a part of it.
func isSequence(octets cryptobyte.String) bool {
	var sequence cryptobyte.String
	return octets.ReadASN1(&sequence, asn1.SEQUENCE) && octets.Empty()
}
