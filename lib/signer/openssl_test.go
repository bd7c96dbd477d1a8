package signer_test

import (
	"bytes"
	"crypto/x509"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ocspcgi/lib/signer"
)

const extensions = `
[req]
distinguished_name = dn
[dn]
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign, digitalSignature
[ca_nosign]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
[ocsp]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, OCSPSigning
noCheck = ignored
[guide]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, OCSPSigning
[server]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
[any]
basicConstraints = CA:FALSE
extendedKeyUsage = anyExtendedKeyUsage
[nosign]
basicConstraints = CA:FALSE
keyUsage = critical, keyEncipherment
extendedKeyUsage = OCSPSigning
[everything]
basicConstraints = critical, CA:TRUE
keyUsage = critical, digitalSignature, keyCertSign
extendedKeyUsage = OCSPSigning, serverAuth
authorityInfoAccess = OCSP;URI:http://ocsp.example.com
crlDistributionPoints = URI:http://crl.example.com/ca.crl
1.3.6.1.5.5.7.48.1.5 = critical,DER:0500
`

// pki is a folder in which openssl makes keys and certificates.
type pki struct {
	t   testing.TB
	dir string
}

func newPKI(t testing.TB) pki {
	p := pki{t, t.TempDir()}
	p.write("x.cnf", extensions)
	return p
}

func (p pki) path(name string) string { return filepath.Join(p.dir, name) }

func (p pki) write(name, content string) string {
	p.t.Helper()
	if err := os.WriteFile(p.path(name), []byte(content), 0o600); err != nil {
		p.t.Fatal(err)
	}
	return p.path(name)
}

func (p pki) read(name string) string {
	p.t.Helper()
	data, err := os.ReadFile(p.path(name))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(data)
}

// openssl runs a command line whose words are separated by spaces.
func (p pki) openssl(line string) {
	p.t.Helper()
	cmd := exec.Command("openssl", strings.Fields(line)...)
	cmd.Dir = p.dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		p.t.Fatalf("openssl %s: %v\n%s", line, err, out.String())
	}
}

// keyKinds are arguments of openssl genpkey.
var keyKinds = map[string]string{
	"rsa":       "-algorithm RSA -pkeyopt rsa_keygen_bits:2048",
	"rsa1024":   "-algorithm RSA -pkeyopt rsa_keygen_bits:1024",
	"p256":      "-algorithm EC -pkeyopt ec_paramgen_curve:P-256",
	"p384":      "-algorithm EC -pkeyopt ec_paramgen_curve:P-384",
	"p521":      "-algorithm EC -pkeyopt ec_paramgen_curve:P-521",
	"p224":      "-algorithm EC -pkeyopt ec_paramgen_curve:P-224",
	"secp256k1": "-algorithm EC -pkeyopt ec_paramgen_curve:secp256k1",
	"ed25519":   "-algorithm ED25519",
	"ed448":     "-algorithm ED448",
	"x25519":    "-algorithm X25519",
}

func (p pki) key(name, kind string) {
	p.t.Helper()
	p.openssl("genpkey " + keyKinds[kind] + " -out " + name + ".key")
}

// selfSigned makes NAME.crt for the key NAME.key.
func (p pki) selfSigned(name, section string) {
	p.t.Helper()
	p.openssl("req -config x.cnf -x509 -new -key " + name + ".key -subj /CN=" + name +
		" -extensions " + section + " -days 100 -out " + name + ".crt")
}

// issue makes NAME.crt for the key NAME.key, issued by CA.
func (p pki) issue(ca, name, section, more string) {
	p.t.Helper()
	p.openssl("req -config x.cnf -new -key " + name + ".key -subj /CN=" + name + " -out " + name + ".csr")
	p.openssl("x509 -req -in " + name + ".csr -CA " + ca + ".crt -CAkey " + ca + ".key -extfile x.cnf -extensions " +
		section + " -days 100 -set_serial 7 -out " + name + ".crt " + more)
}

func (p pki) certificate(name string) *x509.Certificate {
	p.t.Helper()
	certs, err := signer.ReadCertificates(p.path(name + ".crt"))
	if err != nil {
		p.t.Fatal(err)
	}
	return certs[0]
}

func (p pki) signer(name string) *signer.Signer {
	p.t.Helper()
	s, err := signer.Load(p.path(name+".crt"), p.path(name+".key"), nil, signer.Options{})
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

// wantError compares a message in which DIR stands for the folder.
func (p pki) wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %s", want)
	}
	if got := strings.ReplaceAll(err.Error(), p.dir, "DIR"); got != want {
		t.Errorf("error\n got %s\nwant %s", got, want)
	}
}
