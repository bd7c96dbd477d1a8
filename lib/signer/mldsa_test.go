package signer_test

import (
	"encoding/pem"
	"testing"

	"github.com/cloudflare/circl/sign"
	"github.com/cloudflare/circl/sign/mldsa/mldsa44"
	"github.com/cloudflare/circl/sign/mldsa/mldsa65"
	"github.com/cloudflare/circl/sign/mldsa/mldsa87"

	"ocspcgi/lib/signer"
)

// levels are the parameter sets of ML-DSA.
var levels = []sign.Scheme{mldsa44.Scheme(), mldsa65.Scheme(), mldsa87.Scheme()}

// testSeed is the seed of the keys in appendix C of RFC 9881.
var testSeed = []byte("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f")

// expandedKey is the expanded private key of testSeed.
func expandedKey(t testing.TB, s sign.Scheme) []byte {
	t.Helper()
	_, key := s.DeriveKey(testSeed)
	expanded, err := key.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return expanded
}

// mldsaForms are the forms of a private key, as files.
func mldsaForms(t testing.TB, s sign.Scheme) map[string][]byte {
	expanded, oid := expandedKey(t, s), oidOf(s)
	inPEM := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	return map[string][]byte{
		"seed":            inPEM("PRIVATE KEY", pkcs8(oid, seedOf(testSeed))),
		"expandedKey":     inPEM("PRIVATE KEY", pkcs8(oid, expandedOf(expanded))),
		"both":            inPEM("PRIVATE KEY", pkcs8(oid, bothOf(testSeed, expanded))),
		"seed in DER":     pkcs8(oid, seedOf(testSeed)),
		"expanded in DER": pkcs8(oid, expandedOf(expanded)),
		"qpki's":          inPEM(s.Name()+" PRIVATE KEY", expanded),
	}
}

func TestMLDSAForms(t *testing.T) {
	for _, s := range levels {
		for form, data := range mldsaForms(t, s) {
			t.Run("SGN-17 "+s.Name()+" "+form, func(t *testing.T) {
				key, err := signer.ParseKey("ocsp.key", data, nil)
				if err != nil {
					t.Fatal(err)
				}
				public, _ := s.DeriveKey(testSeed)
				if !public.Equal(key.Public()) {
					t.Error("another key")
				}
				signature, err := key.Sign(nil, []byte("message"), nil)
				if err != nil || !s.Verify(public, []byte("message"), signature, nil) {
					t.Errorf("no signature of it: %v", err)
				}
			})
		}
	}
}
