package signer_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"ocspcgi/lib/signer"
)

// The keys and a certificate of RFC 9881 appendix C: testSeed makes those public
// keys, and the certificate is its own issuer.
func TestRFC9881(t *testing.T) {
	for _, s := range levels {
		t.Run("SGN-17 public key "+s.Name(), func(t *testing.T) {
			der := fromPEM(t, s.Name()+".pub")
			cert := &x509.Certificate{RawSubjectPublicKeyInfo: der}
			public, _ := s.DeriveKey(testSeed)
			if !public.Equal(signer.PublicKey(cert)) {
				t.Error("another key")
			}
			if kind := signer.KindOf(cert); kind != s.Name() {
				t.Errorf("a key of the kind %s", kind)
			}
		})
	}
	t.Run("SGN-17 parameters", func(t *testing.T) {
		der := fromPEM(t, "ML-DSA-44.pub")
		const at = 4 + 2 + 11 // behind the OID
		der = slices.Concat(der[:at], []byte{5, 0}, der[at:])
		der[3], der[5] = der[3]+2, der[5]+2
		if key := signer.PublicKey(&x509.Certificate{RawSubjectPublicKeyInfo: der}); key != nil {
			t.Errorf("a key with NULL parameters is %T", key)
		}
		private := pkcs8(oidOf(levels[0]), seedOf(testSeed))
		const behind = 2 + 3 + 2 + 11
		private = slices.Concat(private[:behind], []byte{5, 0}, private[behind:])
		private[1], private[6] = private[1]+2, private[6]+2
		_, err := signer.ParseKey("ocsp.key", private, nil)
		if want := "ocsp.key: this key is damaged: its algorithm has parameters, and should have none (RFC 9881 §2)"; err == nil || err.Error() != want {
			t.Errorf("the error is %v, want %s", err, want)
		}
	})
	t.Run("SGN-17 certificate", func(t *testing.T) {
		certs, err := signer.ReadCertificates(filepath.Join("testdata", "rfc9881", "ML-DSA-44.crt"))
		if err != nil {
			t.Fatal(err)
		}
		cert := certs[0]
		if !signer.Issued(cert, cert) {
			t.Error("not its own issuer")
		}
		cert.Signature = bytes.Clone(cert.Signature)
		cert.Signature[1000] ^= 1
		if signer.Issued(cert, cert) {
			t.Error("its own issuer with a bit flipped")
		}
	})
}

func fromPEM(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "rfc9881", name))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(data)
	return block.Bytes
}
