package wire_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"ocspcgi/lib/wire"
)

// pair is a certificate with its key.
type pair struct {
	certificate *x509.Certificate
	key         crypto.Signer
	algorithm   []byte // AlgorithmIdentifier of its signatures
	hash        crypto.Hash
}

// keys are what signs, by the name of the signature.
var keys = []struct {
	name      string
	make      func() (crypto.Signer, error)
	algorithm []byte
	hash      crypto.Hash
}{
	{"RSA SHA-256", func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 2048) }, rsa256, crypto.SHA256},
	{"ECDSA P-256", ecdsaKey(elliptic.P256()), ecdsa256, crypto.SHA256},
	{"ECDSA P-384", ecdsaKey(elliptic.P384()), seq(oid("\x2a\x86\x48\xce\x3d\x04\x03\x03")), crypto.SHA384},
	{"ECDSA P-521", ecdsaKey(elliptic.P521()), seq(oid("\x2a\x86\x48\xce\x3d\x04\x03\x04")), crypto.SHA512},
	{"Ed25519", func() (crypto.Signer, error) { _, key, err := ed25519.GenerateKey(rand.Reader); return key, err }, seq(oid("\x2b\x65\x70")), 0},
}

func ecdsaKey(curve elliptic.Curve) func() (crypto.Signer, error) {
	return func() (crypto.Signer, error) { return ecdsa.GenerateKey(curve, rand.Reader) }
}

// newPair makes a certificate of keys[kind], issued by the CA or by itself.
func newPair(t testing.TB, kind int, common string, ca *pair) *pair {
	t.Helper()
	key, err := keys[kind].make()
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(0x1000),
		Subject:      pkix.Name{Organization: []string{"Example"}, CommonName: common},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
	}
	parent, signer := template, key
	if ca != nil {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}
		template.KeyUsage = x509.KeyUsageDigitalSignature
		parent, signer = ca.certificate, ca.key
	} else {
		template.IsCA, template.BasicConstraintsValid = true, true
		template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &pair{certificate, key, keys[kind].algorithm, keys[kind].hash}
}

// sign is the pair as a wire.Signer.
func (p *pair) sign(tbs []byte) (algorithm, signature []byte, err error) {
	if p.hash != 0 {
		h := p.hash.New()
		h.Write(tbs)
		tbs = h.Sum(nil)
	}
	signature, err = p.key.Sign(rand.Reader, tbs, p.hash)
	return p.algorithm, signature, err
}

// issuer is the pair as a wire.Issuer.
func (p *pair) issuer(t testing.TB) *wire.Issuer {
	t.Helper()
	issuer, err := wire.NewIssuer(p.certificate.RawSubject, p.certificate.RawSubjectPublicKeyInfo)
	if err != nil {
		t.Fatal(err)
	}
	return issuer
}

// files writes the pair as NAME.crt with NAME.key into dir.
func (p *pair) files(t testing.TB, dir, name string) (certificate, key string) {
	t.Helper()
	pkcs8, err := x509.MarshalPKCS8PrivateKey(p.key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, key = filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key")
	writeFile(t, certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.certificate.Raw}))
	writeFile(t, key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
	return certificate, key
}

func writeFile(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// openssl runs `openssl ocsp` and returns all that it prints.
func openssl(t testing.TB, args ...string) string {
	t.Helper()
	out, err := exec.Command("openssl", append([]string{"ocsp"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("openssl ocsp %q: %v\n%s", args, err, out)
	}
	return string(out)
}

// opensslFails is openssl for a command that must fail.
func opensslFails(t testing.TB, args ...string) string {
	t.Helper()
	out, err := exec.Command("openssl", append([]string{"ocsp"}, args...)...).CombinedOutput()
	if err == nil {
		t.Errorf("openssl ocsp %q succeeds", args)
	}
	return string(out)
}
