package signer

import (
	"bytes"
	"crypto/des"
	"crypto/md5"
	"crypto/rc4"
	"crypto/sha1"
	"encoding/asn1"
	"fmt"
	"hash"
	"slices"
	"unicode/utf16"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

// decryptPBES1 opens what openssl pkcs8 -v1 encrypts: the schemes of PKCS#5
// version 1.5 (RFC 8018 §6.1) and of PKCS#12 (RFC 7292 appendix B).
func decryptPBES1(oid asn1.ObjectIdentifier, scheme cryptobyte.String, sealed, phrase []byte) ([]byte, error) {
	var open func(pbe) ([]byte, error)
	switch oid.String() {
	case "1.2.840.113549.1.5.3":
		open = func(p pbe) ([]byte, error) { return p.openDES(md5.New(), sealed) }
	case "1.2.840.113549.1.5.10":
		open = func(p pbe) ([]byte, error) { return p.openDES(sha1.New(), sealed) }
	case "1.2.840.113549.1.12.1.1":
		open = func(p pbe) ([]byte, error) { return p.openRC4(16, sealed) }
	case "1.2.840.113549.1.12.1.2":
		open = func(p pbe) ([]byte, error) { return p.openRC4(5, sealed) }
	case "1.2.840.113549.1.12.1.3":
		open = func(p pbe) ([]byte, error) { return p.open3DES(24, sealed) }
	case "1.2.840.113549.1.12.1.4":
		open = func(p pbe) ([]byte, error) { return p.open3DES(16, sealed) }
	default:
		return nil, unreadable(oid.String())
	}
	p := pbe{phrase: phrase}
	var params cryptobyte.String
	if !scheme.ReadASN1(&params, der.SEQUENCE) || !params.ReadASN1Bytes(&p.salt, der.OCTET_STRING) ||
		!params.ReadASN1Integer(&p.iterations) || p.iterations < 1 {
		return nil, errEncryption
	}
	if p.iterations > maxIterations {
		return nil, fmt.Errorf("encrypted with %d iterations; at most %d are done", p.iterations, maxIterations)
	}
	return open(p)
}

// pbe is what keys are derived from.
type pbe struct {
	phrase, salt []byte
	iterations   int
}

// openDES opens DES in CBC mode, whose key and IV are one digest: PBKDF1.
func (p pbe) openDES(h hash.Hash, sealed []byte) ([]byte, error) {
	sum := slices.Concat(p.phrase, p.salt)
	for range p.iterations {
		h.Reset()
		h.Write(sum)
		sum = h.Sum(nil)
	}
	c := cbc{cipher: des.NewCipher, iv: sum[8:16]}
	return c.open(sum[:8], sealed)
}

func (p pbe) openRC4(size int, sealed []byte) ([]byte, error) {
	c, err := rc4.NewCipher(p.derive(purposeKey, size))
	if err != nil {
		return nil, err
	}
	plain := make([]byte, len(sealed))
	c.XORKeyStream(plain, sealed)
	return plain, nil
}

// open3DES opens triple DES with three keys, or with two: the first is the
// third too then.
func (p pbe) open3DES(size int, sealed []byte) ([]byte, error) {
	key := p.derive(purposeKey, size)
	c := cbc{cipher: des.NewTripleDESCipher, iv: p.derive(purposeIV, 8)}
	return c.open(append(key, key[:24-size]...), sealed)
}

// What derive derives for (RFC 7292 appendix B.3).
const (
	purposeKey = 1
	purposeIV  = 2
)

// derive is the key derivation of RFC 7292 appendix B.2 with SHA-1.
func (p pbe) derive(purpose byte, size int) (out []byte) {
	const v = sha1.BlockSize
	input := append(fill(p.salt, v), fill(bmpString(p.phrase), v)...)
	id := bytes.Repeat([]byte{purpose}, v)
	for len(out) < size {
		sum := sha1.Sum(append(id, input...))
		for range p.iterations - 1 {
			sum = sha1.Sum(sum[:])
		}
		out = append(out, sum[:]...)
		for block := 0; block < len(input); block += v {
			addOne(input[block:block+v], fill(sum[:], v))
		}
	}
	return out[:size]
}

// addOne adds b and one to a, as numbers of one length.
func addOne(a, b []byte) {
	carry := 1
	for i := len(a) - 1; i >= 0; i-- {
		carry += int(a[i]) + int(b[i])
		a[i], carry = byte(carry), carry>>8
	}
}

// fill repeats b to the next multiple of size.
func fill(b []byte, size int) []byte {
	out := make([]byte, (len(b)+size-1)/size*size)
	for i := range out {
		out[i] = b[i%len(b)]
	}
	return out
}

// bmpString is a phrase as PKCS#12 has it: UTF-16, big end first, with two
// zero bytes behind it.
func bmpString(phrase []byte) []byte {
	var out []byte
	for _, unit := range utf16.Encode([]rune(string(phrase))) {
		out = append(out, byte(unit>>8), byte(unit))
	}
	return append(out, 0, 0)
}
