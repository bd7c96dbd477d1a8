package signer_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cloudflare/circl/sign"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/signer"
)

// seeds are files as openssl writes them, and some that are broken. They are
// made once.
func seeds(tb testing.TB) []string {
	made.Do(func() { made.seeds = makeSeeds(tb) })
	return made.seeds
}

var made struct {
	sync.Once
	seeds []string
}

func makeSeeds(tb testing.TB) []string {
	p := newPKI(tb)
	all := []string{"", "-----BEGIN ", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", "\x30\x80", "\x30\x03\x02\x01\x00"}
	for _, kind := range []string{"rsa", "p256", "ed25519"} {
		p.key(kind, kind)
		p.selfSigned(kind, "ca")
		all = append(all, p.read(kind+".key"), p.read(kind+".crt"), p.read(kind+".crt")+p.read(kind+".key"))
		for _, f := range forms {
			if !strings.Contains(f.kinds, kind) {
				continue
			}
			p.openssl(fillIn(kind).Replace(f.line))
			all = append(all, p.read("form.key"))
		}
	}
	for _, line := range []string{
		"x509 -in rsa.crt -outform DER -out seed",
		"x509 -in p256.crt -outform DER -out seed",
		"x509 -in p256.crt -trustout -addtrust OCSPSigning -out seed",
		"x509 -in p256.crt -text -out seed",
		"req -config x.cnf -new -key p256.key -subj /CN=x -outform DER -out seed",
		"pkcs12 -export -in p256.crt -inkey p256.key -passout pass:x -out seed",
		"pkcs8 -topk8 -in p256.key -v1 PBE-SHA1-3DES -passout pass:x -out seed",
		"ecparam -name prime256v1 -genkey -out seed",
	} {
		p.openssl(line)
		all = append(all, p.read("seed"))
	}
	for _, kind := range []string{"ML-DSA-44", "MLDSA44-ECDSA-P256-SHA256"} {
		h := pkitest.HandCA(tb, tb.TempDir(), kind)
		all = append(all, readAll(tb, h.Cert), readAll(tb, h.Key), string(h.PKCS8()))
	}
	for _, b := range mldsaForms(tb, levels[0]) {
		all = append(all, string(inPEM(b.Type, b.Bytes)))
	}
	return append(all, all[len(all)-1][:40], p.read("rsa.crt")+p.read("p256.crt"))
}

func TestSeeds(t *testing.T) {
	if n := len(seeds(t)); n < 50 {
		t.Errorf("%d seeds", n)
	}
}

// What reads as certificates reads the same again, also from PEM of its own.
func FuzzCertificates(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		certs, err := signer.ParseCertificates("file", data)
		if err != nil {
			if _, again := signer.ParseCertificates("file", data); fmt.Sprint(again) != err.Error() {
				t.Fatalf("%v and then %v", err, again)
			}
			return
		}
		if keys := signer.PublicKeys(data); keys != nil && !slices.EqualFunc(keys, certs, func(key []byte, c *x509.Certificate) bool {
			return bytes.Equal(key, c.RawSubjectPublicKeyInfo)
		}) {
			t.Fatalf("the keys are %x", keys)
		}
		var written bytes.Buffer
		for _, c := range certs {
			if err := pem.Encode(&written, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}); err != nil {
				t.Fatal(err)
			}
		}
		again, err := signer.ParseCertificates("file", written.Bytes())
		if err != nil || len(again) != len(certs) || len(certs) == 0 {
			t.Fatalf("%d certificates and then %d, %v", len(certs), len(again), err)
		}
		for i := range certs {
			if !certs[i].Equal(again[i]) || signer.KindOf(certs[i]) != signer.KindOf(again[i]) ||
				signer.Issued(certs[0], certs[i]) != signer.Issued(again[0], again[i]) {
				t.Fatalf("certificate %d differs", i)
			}
		}
	})
}

// A signature of one message is none of another.
func FuzzCheckSignature(f *testing.F) {
	var signers []*signer.Signer
	for kind := range kinds {
		h := pkitest.HandCA(f, f.TempDir(), kind)
		s, err := signer.Load(h.Cert, h.Key, nil, signer.Options{})
		if err != nil {
			f.Fatal(err)
		}
		algorithm, signature, err := s.Sign([]byte("message"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(algorithm, []byte("message"), signature)
		f.Add(algorithm, []byte("message"), signature[:len(signature)/2])
		signers = append(signers, s)
	}
	f.Fuzz(func(t *testing.T, algorithm, message, signature []byte) {
		for _, s := range signers {
			if signer.CheckSignature(s.Certificate, algorithm, message, signature) == nil &&
				signer.CheckSignature(s.Certificate, algorithm, append([]byte("x"), message...), signature) == nil {
				t.Fatalf("%s: a signature of two messages", signer.KindOf(s.Certificate))
			}
		}
	})
}

// What reads as a key is one that may sign, and reads the same from PKCS#8.
func FuzzKey(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		key, err := signer.ParseKey("file", data, phrase("opensesame"))
		if err != nil {
			return
		}
		if k, ok := key.(*ecdsa.PrivateKey); ok && k.Curve.Params().BitSize < 256 {
			t.Fatalf("curve %s", k.Curve.Params().Name)
		}
		again, err := signer.ParseKey("file", written(t, key, data), phrase("opensesame"))
		if err != nil || !key.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(again.Public()) {
			t.Fatalf("another key: %v", err)
		}
	})
}

// written is the key in PKCS#8, or data, which it was read from, where nothing
// here writes such keys.
func written(t *testing.T, key crypto.Signer, data []byte) []byte {
	t.Helper()
	if private, ok := key.(sign.PrivateKey); ok {
		expanded, err := private.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		return pkcs8(oidOf(private.Scheme()), expandedOf(expanded))
	}
	if strings.HasPrefix(signer.KindOfKey(key), "MLDSA") {
		return data
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func readAll(tb testing.TB, path string) string {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return string(data)
}
