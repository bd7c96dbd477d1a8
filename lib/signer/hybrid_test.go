package signer_test

import (
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/signer"
)

// kinds are kinds of key with the AlgorithmIdentifier of their signatures.
var kinds = map[string]string{
	"P-256":                     "300a06082a8648ce3d040302",
	"P-384":                     "300a06082a8648ce3d040303",
	"ML-DSA-44":                 "300b0609608648016503040311",
	"ML-DSA-65":                 "300b0609608648016503040312",
	"ML-DSA-87":                 "300b0609608648016503040313",
	"MLDSA44-ECDSA-P256-SHA256": "300a06082b06010505070628",
	"MLDSA65-ECDSA-P256-SHA512": "300a06082b0601050507062d",
	"MLDSA65-ECDSA-P384-SHA512": "300a06082b0601050507062e",
	"MLDSA87-ECDSA-P384-SHA512": "300a06082b06010505070631",
	"MLDSA87-ECDSA-P521-SHA512": "300a06082b06010505070636",
}

func load(t *testing.T, h *pkitest.Hand) *signer.Signer {
	t.Helper()
	s, err := signer.Load(h.Cert, h.Key, nil, signer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Each kind of CA issues each kind of signer, and may sign itself.
func TestKindsMixed(t *testing.T) {
	for caKind := range kinds {
		ca := pkitest.HandCA(t, t.TempDir(), caKind)
		stranger := pkitest.HandCA(t, t.TempDir(), caKind)
		signers := map[string]*pkitest.Hand{"itself": ca}
		for kind := range kinds {
			signers[kind] = ca.OCSPSigner(t, "ocsp-"+kind, kind)
		}
		for kind, made := range signers {
			t.Run("SGN-17 "+caKind+" "+kind, func(t *testing.T) {
				s := load(t, made)
				if err := s.Check(ca.Certificate); err != nil {
					t.Error(err)
				}
				if err := s.Check(stranger.Certificate); err == nil {
					t.Error("may sign for a CA that did not issue it")
				}
				found, err := signer.Issuer(certificates(t, stranger, ca), s)
				if err != nil || !found.Equal(ca.Certificate) {
					t.Errorf("issued by %v, %v", found, err)
				}
				if err := s.Prove(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// What Sign makes is right for that key and that message alone.
func TestKindsSign(t *testing.T) {
	ca := pkitest.HandCA(t, t.TempDir(), "P-256")
	for kind, identifier := range kinds {
		t.Run("SGN-12 "+kind, func(t *testing.T) {
			s := load(t, ca.OCSPSigner(t, "ocsp-"+kind, kind))
			other := ca.OCSPSigner(t, "other-"+kind, kind)
			message := []byte("message")
			algorithm, signature, err := s.Sign(message)
			if err != nil {
				t.Fatal(err)
			}
			if hex.EncodeToString(algorithm) != identifier {
				t.Errorf("signed with %x, want %s", algorithm, identifier)
			}
			if err := signer.CheckSignature(s.Certificate, algorithm, message, signature); err != nil {
				t.Error(err)
			}
			wrong := func(what string, err error) {
				if err == nil || errors.Is(err, signer.ErrAlgorithm) {
					t.Errorf("%s: %v", what, err)
				}
			}
			wrong("another message", signer.CheckSignature(s.Certificate, algorithm, []byte("massage"), signature))
			wrong("another key", signer.CheckSignature(other.Certificate, algorithm, message, signature))
			wrong("no signature", signer.CheckSignature(s.Certificate, algorithm, message, nil))
			wrong("a byte too many", signer.CheckSignature(s.Certificate, algorithm, message, append(bytes.Clone(signature), 0)))
			// Of a composite, the first byte is of one signature, the last of the other.
			for _, at := range []int{0, len(signature) - 1} {
				flipped := bytes.Clone(signature)
				flipped[at] ^= 1
				wrong("a bit flipped", signer.CheckSignature(s.Certificate, algorithm, message, flipped))
			}
		})
	}
}

func TestCheckSignatureAlgorithm(t *testing.T) {
	ca := pkitest.HandCA(t, t.TempDir(), "ML-DSA-65")
	for _, c := range []struct{ id, algorithm, want string }{
		{"SGN-12 another level", "300b0609608648016503040311", "2.16.840.1.101.3.4.3.17 is no algorithm that is known here for its key (ML-DSA-65)"},
		{"SGN-12 NULL parameters", "300d06096086480165030403120500", "2.16.840.1.101.3.4.3.18 is no algorithm that is known here for its key (ML-DSA-65)"},
		{"SGN-14 SHA-1", "300d06092a864886f70d0101050500", "1.2.840.113549.1.1.5 is no algorithm that is known here for its key (ML-DSA-65)"},
		{"SGN-12 none", "", "no AlgorithmIdentifier is no algorithm that is known here for its key (ML-DSA-65)"},
	} {
		t.Run(c.id, func(t *testing.T) {
			algorithm, err := hex.DecodeString(c.algorithm)
			if err != nil {
				t.Fatal(err)
			}
			err = signer.CheckSignature(ca.Certificate, algorithm, nil, nil)
			if !errors.Is(err, signer.ErrAlgorithm) || err.Error() != c.want {
				t.Errorf("the error is %v, want %s", err, c.want)
			}
		})
	}
}

// A Catalyst certificate has a second key in extensions: who does not know them
// passes over them, and so does this.
func TestCatalyst(t *testing.T) {
	for _, caKind := range []string{"P-256", "ML-DSA-65"} {
		t.Run("SGN-17 "+caKind, func(t *testing.T) {
			ca := pkitest.HandCA(t, t.TempDir(), caKind)
			made := ca.Catalyst(t, "catalyst", "P-384", "ML-DSA-65")
			s := load(t, made)
			if err := s.Check(ca.Certificate); err != nil {
				t.Error(err)
			}
			if err := s.Prove(); err != nil {
				t.Error(err)
			}
			algorithm, _, err := s.Sign([]byte("message"))
			if err != nil || hex.EncodeToString(algorithm) != kinds["P-384"] {
				t.Errorf("signs with %x, %v", algorithm, err)
			}
			if w := s.Warnings(ca.Certificate, s.Certificate.NotBefore); len(w) > 0 {
				t.Errorf("warned: %q", w)
			}
		})
	}
}

// Who keeps both keys of a Catalyst certificate in one file, as qpki does, has
// the classical one found in it, wherever it stands and whatever the other is.
func TestSeveralKeys(t *testing.T) {
	ca := pkitest.HandCA(t, t.TempDir(), "P-256")
	made := ca.Catalyst(t, "catalyst", "P-384", "ML-DSA-65")
	own := string(inPEM("PRIVATE KEY", made.PKCS8()))
	for other, key := range map[string]string{
		"ML-DSA":    string(inPEM("ML-DSA-65 PRIVATE KEY", expandedKey(t, levels[1]))),
		"SLH-DSA":   string(inPEM("SLH-DSA-SHA2-128s PRIVATE KEY", testSeed)),
		"encrypted": string(inPEM("ENCRYPTED PRIVATE KEY", sealing{plain: pkcs8(oidOf(levels[0]), seedOf(testSeed))}.seal(t))),
	} {
		for name, content := range map[string]string{"first": own + key, "last": key + own} {
			t.Run("SGN-07 "+other+" "+name, func(t *testing.T) {
				if err := os.WriteFile(made.Key, []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
				if err := load(t, made).Prove(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// A key that differs where Load cannot see it is found by Prove: t0 is no part
// of the public key.
func TestMLDSAProve(t *testing.T) {
	made := pkitest.HandCA(t, t.TempDir(), "ML-DSA-44")
	seed := made.PKCS8()[len(made.PKCS8())-32:]
	_, key := levels[0].DeriveKey(seed)
	expanded, err := key.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	for i := range expanded[len(expanded)-416:] {
		expanded[len(expanded)-416+i] ^= 0xff
	}
	if err := os.WriteFile(made.Key, inPEM("ML-DSA-44 PRIVATE KEY", expanded), 0o600); err != nil {
		t.Fatal(err)
	}
	err = load(t, made).Prove()
	if want := made.Cert + ": the signature that " + made.Key + " made is not one for it"; err == nil || err.Error() != want {
		t.Errorf("the error is %v, want %s", err, want)
	}
}

func TestHybridRefused(t *testing.T) {
	dir := t.TempDir()
	level := pkitest.HandCA(t, filepath.Join(dir), "ML-DSA-65")
	other := level.OCSPSigner(t, "other", "ML-DSA-65")
	mixed := level.OCSPSigner(t, "mixed", "MLDSA65-ECDSA-P256-SHA512")
	larger := level.OCSPSigner(t, "larger", "MLDSA65-ECDSA-P384-SHA512")
	const own = " key has a digest of its own; leave -rmd and -rsigopt out"
	for _, c := range []struct {
		id        string
		cert, key *pkitest.Hand
		opt       signer.Options
		want      string
	}{
		{"SGN-07 another key", level, other, signer.Options{}, `DIR/ca.pem: the key in DIR/other.key does not fit this certificate ("CN=ca"); give the -rkey that was made for it`},
		{"SGN-07 another composite", mixed, larger, signer.Options{}, `DIR/mixed.pem: the key in DIR/larger.key does not fit this certificate ("CN=mixed"); give the -rkey that was made for it`},
		{"SGN-07 half of a composite", mixed, other, signer.Options{}, `DIR/mixed.pem: the key in DIR/other.key does not fit this certificate ("CN=mixed"); give the -rkey that was made for it`},
		{"SGN-17 -rmd", level, level, signer.Options{Digest: "sha256"}, "DIR/ca.key: an ML-DSA-65" + own},
		{"SGN-17 -rsigopt", level, level, signer.Options{SigOpts: []string{"rsa_padding_mode:pss"}}, "DIR/ca.key: an ML-DSA-65" + own},
		{"SGN-17 -rmd of a composite", mixed, mixed, signer.Options{Digest: "sha512"}, "DIR/mixed.key: an MLDSA65-ECDSA-P256-SHA512" + own},
	} {
		t.Run(c.id, func(t *testing.T) {
			_, err := signer.Load(c.cert.Cert, c.key.Key, nil, c.opt)
			if err == nil || strings.ReplaceAll(err.Error(), dir, "DIR") != c.want {
				t.Errorf("the error is %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestPostQuantumWarnings(t *testing.T) {
	ca := pkitest.HandCA(t, t.TempDir(), "P-256")
	for kind, want := range map[string]string{
		"ML-DSA-44":                 "an ML-DSA-44 key; clients older than OpenSSL 3.5 and Java 24 refuse its answers",
		"MLDSA65-ECDSA-P256-SHA512": "a composite key, MLDSA65-ECDSA-P256-SHA512: experimental; only clients that know draft-ietf-lamps-pq-composite-sigs-14 take its answers",
	} {
		t.Run("SGN-17 "+kind, func(t *testing.T) {
			s := load(t, ca.OCSPSigner(t, "ocsp-"+kind, kind))
			got := strings.Join(s.Warnings(ca.Certificate, s.Certificate.NotBefore), "|")
			if want = s.Path + ": " + want; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func certificates(t *testing.T, made ...*pkitest.Hand) (all []*x509.Certificate) {
	t.Helper()
	for _, h := range made {
		certs, err := signer.ReadCertificates(h.Cert)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, certs...)
	}
	return all
}
