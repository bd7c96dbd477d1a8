package signer_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/cloudflare/circl/sign"

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
	return append(all, all[len(all)-1][:40], p.read("rsa.crt")+p.read("p256.crt"))
}

func TestSeeds(t *testing.T) {
	if n := len(seeds(t)); n < 40 {
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
			if !certs[i].Equal(again[i]) {
				t.Fatalf("certificate %d differs", i)
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
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if private, ok := key.(sign.PrivateKey); ok {
			expanded, _ := private.MarshalBinary()
			der, err = pkcs8(oidOf(private.Scheme()), expandedOf(expanded)), nil
		}
		if err != nil {
			t.Fatal(err)
		}
		again, err := signer.ParseKey("file", der, nil)
		if err != nil || !key.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(again.Public()) {
			t.Fatalf("another key: %v", err)
		}
	})
}
