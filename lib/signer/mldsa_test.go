package signer_test

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"slices"
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

func inPEM(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// mldsaForms are the ways to write a private key as PEM: its type, and what is
// in it.
func mldsaForms(t testing.TB, s sign.Scheme) map[string]pem.Block {
	expanded, oid := expandedKey(t, s), oidOf(s)
	return map[string]pem.Block{
		"seed":        {Type: "PRIVATE KEY", Bytes: pkcs8(oid, seedOf(testSeed))},
		"expandedKey": {Type: "PRIVATE KEY", Bytes: pkcs8(oid, expandedOf(expanded))},
		"both":        {Type: "PRIVATE KEY", Bytes: pkcs8(oid, bothOf(testSeed, expanded))},
		"bare":        {Type: s.Name() + " PRIVATE KEY", Bytes: expanded},
	}
}

// sealings are the ways to write it down; nil where a form has no such way.
var sealings = map[string]func(t *testing.T, b pem.Block) []byte{
	"PEM": func(_ *testing.T, b pem.Block) []byte { return inPEM(b.Type, b.Bytes) },
	"DER": func(_ *testing.T, b pem.Block) []byte { return isPKCS8(b, b.Bytes) },
	"PBES2": func(t *testing.T, b pem.Block) []byte {
		return isPKCS8(b, inPEM("ENCRYPTED PRIVATE KEY", sealing{plain: b.Bytes}.seal(t)))
	},
	"PBES2 DER": func(t *testing.T, b pem.Block) []byte { return isPKCS8(b, sealing{plain: b.Bytes}.seal(t)) },
	"DEK-Info": func(t *testing.T, b pem.Block) []byte {
		//lint:ignore SA1019 It is what qpki writes.
		sealed, err := x509.EncryptPEMBlock(rand.Reader, b.Type, b.Bytes, []byte("opensesame"), x509.PEMCipherAES256)
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(sealed)
	},
}

func isPKCS8(b pem.Block, data []byte) []byte {
	if b.Type != "PRIVATE KEY" {
		return nil
	}
	return data
}

// Each form of a key, in each way to write it down, with each pass phrase.
func TestMLDSAKeys(t *testing.T) {
	const encrypted = "ocsp.key: the key is encrypted; give its pass phrase with -passin file:PATH"
	const wrong = "ocsp.key: the pass phrase does not open this key; check -passin"
	for _, s := range levels {
		public, _ := s.DeriveKey(testSeed)
		for form, block := range mldsaForms(t, s) {
			for way, seal := range sealings {
				data := seal(t, block)
				if data == nil {
					continue
				}
				t.Run("SGN-17 "+s.Name()+" "+form+" "+way, func(t *testing.T) {
					isSealed := way != "PEM" && way != "DER"
					for _, pass := range []struct {
						phrase signer.Passphrase
						want   string
					}{{nil, encrypted}, {phrase("simsim"), wrong}, {phrase("opensesame"), ""}} {
						key, err := signer.ParseKey("ocsp.key", data, pass.phrase)
						if isSealed && pass.want != "" {
							if err == nil || err.Error() != pass.want {
								t.Errorf("the error is %v, want %s", err, pass.want)
							}
							continue
						}
						if err != nil {
							t.Fatal(err)
						}
						signature, err := key.Sign(nil, []byte("message"), nil)
						if err != nil || !public.Equal(key.Public()) || !s.Verify(public, []byte("message"), signature, nil) {
							t.Errorf("no signature of that key: %v", err)
						}
					}
				})
			}
		}
	}
}

func TestMLDSARefused(t *testing.T) {
	const neither = "it is neither a seed, nor an expanded key, nor both (RFC 9881 §6)"
	for _, s := range levels {
		expanded, oid := expandedKey(t, s), oidOf(s)
		flipped := func(at int) []byte {
			other := bytes.Clone(expanded)
			other[at] ^= 1
			return other
		}
		bare := s.Name() + " PRIVATE KEY"
		size := map[string]string{"ML-DSA-44": "2560", "ML-DSA-65": "4032", "ML-DSA-87": "4896"}[s.Name()]
		for name, c := range map[string]struct {
			kind string
			der  []byte
			want string
		}{
			"nothing":            {"PRIVATE KEY", pkcs8(oid, nil), neither},
			"octets":             {"PRIVATE KEY", pkcs8(oid, testSeed), neither},
			"behind the seed":    {"PRIVATE KEY", pkcs8(oid, append(seedOf(testSeed), 5, 0)), neither},
			"behind both":        {"PRIVATE KEY", pkcs8(oid, append(bothOf(testSeed, expanded), 5, 0)), neither},
			"three":              {"PRIVATE KEY", pkcs8(oid, marshal([][]byte{testSeed, expanded, testSeed})), neither},
			"short seed":         {"PRIVATE KEY", pkcs8(oid, seedOf(testSeed[:31])), "its seed has 31 bytes instead of 32"},
			"short seed in both": {"PRIVATE KEY", pkcs8(oid, bothOf(testSeed[:31], expanded)), "its seed has 31 bytes instead of 32"},
			"short key":          {"PRIVATE KEY", pkcs8(oid, expandedOf(expanded[:100])), "it has 100 bytes instead of " + size},
			"another's seed":     {"PRIVATE KEY", pkcs8(oid, bothOf(slices.Repeat([]byte{7}, 32), expanded)), "the expanded key in it is not that of the seed"},
			"a bit in both":      {"PRIVATE KEY", pkcs8(oid, bothOf(testSeed, flipped(300))), "the expanded key in it is not that of the seed"},
			"a bit in rho":       {"PRIVATE KEY", pkcs8(oid, expandedOf(flipped(0))), "its parts do not belong together"},
			"a bit in tr":        {"PRIVATE KEY", pkcs8(oid, expandedOf(flipped(64))), "its parts do not belong together"},
			"a bit in s1":        {"PRIVATE KEY", pkcs8(oid, expandedOf(flipped(128))), "its parts do not belong together"},
			"bare and short":     {bare, expanded[:100], "it has 100 bytes instead of " + size},
			"bare with a bit":    {bare, flipped(200), "its parts do not belong together"},
		} {
			t.Run("SGN-17 "+s.Name()+" "+name, func(t *testing.T) {
				_, err := signer.ParseKey("ocsp.key", inPEM(c.kind, c.der), nil)
				if want := "ocsp.key: this " + s.Name() + " key is damaged: " + c.want; err == nil || err.Error() != want {
					t.Errorf("the error is %v\nwant %s", err, want)
				}
			})
		}
	}
}
