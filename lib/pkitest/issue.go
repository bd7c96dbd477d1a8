package pkitest

import (
	"crypto/x509"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// Leaf is a certificate that a CA has issued.
type Leaf struct {
	Cert        string // path, PEM
	Key         string // path, PEM
	Serial      string // as openssl writes it in index.txt
	Certificate *x509.Certificate
}

// Signer is a certificate that may sign OCSP responses for its CA.
type Signer struct {
	Leaf
	PassPhrase string // of the key; empty when it is not encrypted
}

// Issue has the CA issue a server certificate. Name is its common name, and the
// name of its files.
func (ca *CA) Issue(name string, opts ...Option) *Leaf {
	ca.t.Helper()
	leaf, _ := ca.issue(newRequest(name, leafExtensions, opts))
	return leaf
}

// OCSPSigner has the CA issue a delegated signer: OCSPSigning among its extended
// key usages, and id-pkix-ocsp-nocheck. Options take these away or change them.
func (ca *CA) OCSPSigner(name string, opts ...Option) *Signer {
	ca.t.Helper()
	leaf, r := ca.issue(newRequest(name, signerExtensions, opts))
	return &Signer{Leaf: *leaf, PassPhrase: r.passPhrase}
}

// Unlisted signs a certificate with the CA's key that the index does not know.
func (ca *CA) Unlisted(name string, opts ...Option) *Leaf {
	ca.t.Helper()
	r := newRequest(name, leafExtensions, opts)
	if r.serial == "" {
		r.serial = "0BAD"
	}
	key, cert := ca.paths(name)
	r.makeKey(ca.t, key)
	csr := r.makeCSR(ca, key)
	OpenSSL(ca.t, "x509", "-req", "-in", csr, "-CA", ca.Cert, "-CAkey", ca.Key, "-passin", "pass:"+ca.PassPhrase,
		"-set_serial", "0x"+r.serial, "-days", fmt.Sprint(r.days),
		"-extfile", r.writeExtensions(ca), "-extensions", "ext", "-out", cert)
	return readLeaf(ca.t, cert, key)
}

// Revoke has the CA revoke a certificate. A reason is one of `openssl ca
// -crl_reason`; when the first argument begins with a dash all of them are flags
// of `openssl ca`, as in Revoke(leaf, "-crl_compromise", "20260102030405Z").
func (ca *CA) Revoke(leaf *Leaf, reason ...string) {
	ca.t.Helper()
	if len(reason) > 0 && !strings.HasPrefix(reason[0], "-") {
		reason = append([]string{"-crl_reason"}, reason...)
	}
	ca.run(append([]string{"-revoke", leaf.Cert}, reason...)...)
}

// UpdateDB has the CA mark what has expired with E.
func (ca *CA) UpdateDB() {
	ca.t.Helper()
	ca.run("-updatedb")
}

func (ca *CA) issue(r *request) (*Leaf, *request) {
	ca.t.Helper()
	key, cert := ca.paths(r.name)
	r.makeKey(ca.t, key)
	r.sign(ca, key, cert)
	return readLeaf(ca.t, cert, key), r
}

func (ca *CA) paths(name string) (key, cert string) {
	return filepath.Join(ca.Dir, "private", name+".key.pem"), filepath.Join(ca.Dir, "certs", name+".cert.pem")
}

// run runs `openssl ca` on this CA.
func (ca *CA) run(args ...string) {
	ca.t.Helper()
	OpenSSL(ca.t, append([]string{"ca", "-config", ca.Config, "-batch",
		"-passin", "pass:" + ca.PassPhrase}, args...)...)
}

func readLeaf(t testing.TB, cert, key string) *Leaf {
	t.Helper()
	c := ReadCertificate(t, cert)
	serial := fmt.Sprintf("%X", c.SerialNumber)
	if len(serial)%2 == 1 {
		serial = "0" + serial
	}
	return &Leaf{Cert: cert, Key: key, Serial: serial, Certificate: c}
}
