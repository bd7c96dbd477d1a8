package signer

import (
	"bytes"
	"errors"
	"fmt"
)

// ciphers are those that openssl encrypts keys with and that cannot be read
// here, by their OID in PKCS#8.
var ciphers = [...]struct {
	oid, name string
	legacy    bool // openssl 3 has it in its legacy provider alone
}{
	{"1.2.840.113549.1.5.1", "PBE-MD2-DES", true},
	{"1.2.840.113549.1.5.4", "PBE-MD2-RC2-64", true},
	{"1.2.840.113549.1.5.6", "PBE-MD5-RC2-64", true},
	{"1.2.840.113549.1.5.11", "PBE-SHA1-RC2-64", true},
	{"1.2.840.113549.1.12.1.5", "PBE-SHA1-RC2-128", true},
	{"1.2.840.113549.1.12.1.6", "PBE-SHA1-RC2-40", true},
	{"1.2.840.113549.3.2", "RC2-CBC", true},
	{"1.2.840.113549.3.4", "RC4", true},
	{"1.3.6.1.4.1.3029.1.2", "BF-CBC", true},
	{"1.2.840.113533.7.66.10", "CAST5-CBC", true},
	{"1.2.410.200004.1.4", "SEED-CBC", true},
	{"1.2.392.200011.61.1.1.1.2", "CAMELLIA-128-CBC", false},
	{"1.2.392.200011.61.1.1.1.3", "CAMELLIA-192-CBC", false},
	{"1.2.392.200011.61.1.1.1.4", "CAMELLIA-256-CBC", false},
	{"1.2.410.200046.1.1.2", "ARIA-128-CBC", false},
	{"1.2.410.200046.1.1.7", "ARIA-192-CBC", false},
	{"1.2.410.200046.1.1.12", "ARIA-256-CBC", false},
	{"1.2.156.10197.1.104.2", "SM4-CBC", false},
	{"2.16.840.1.101.3.4.1.43", "AES-256-OFB", false},
	{"2.16.840.1.101.3.4.1.44", "AES-256-CFB", false},
}

// unreadable names a cipher, given by name or OID, with the way out.
func unreadable(cipher string) error {
	provider := ""
	for _, c := range ciphers {
		if cipher != c.oid && cipher != c.name {
			continue
		}
		cipher = c.name
		if c.legacy {
			provider = " -provider legacy -provider default"
		}
	}
	return fmt.Errorf("encrypted with %s, which cannot be read here; openssl pkcs8 -topk8%s -in FILE -out NEW.pem makes it a key that can", cipher, provider)
}

var errSLHDSA = errors.New("an SLH-DSA key does not sign here: its signatures of 7856 bytes and more make answers that no server staples; make an ML-DSA-44 or ML-DSA-65 key")

// refused says why a kind of key does not sign that could; nil for all others.
func refused(oid []byte) error {
	last, nist := bytes.CutPrefix(oid, []byte(nistSignatures))
	if !nist || len(last) != 1 {
		return nil
	}
	switch n := last[0]; {
	case 20 <= n && n <= 31, 35 <= n && n <= 46: // SLH-DSA and HashSLH-DSA
		return errSLHDSA
	case 32 <= n && n <= 34:
		return errors.New("a HashML-DSA key does not sign OCSP (RFC 9881 §8.3); make an ML-DSA key")
	}
	return nil
}
