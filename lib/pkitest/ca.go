// Package pkitest makes a CA for tests.
//
// The CA is kept by the real `openssl ca` in a directory of the test, so that
// its index.txt is written, renamed and revoked in as it is at a user's. Only
// test files import this package. Whatever fails ends the test with what
// openssl said.
package pkitest

import (
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// CA is a certification authority in a directory of its own. It is not safe
// for concurrent use, as `openssl ca` is not; a responder may read the
// directory all the while.
type CA struct {
	Name        string
	Dir         string // openssl.cnf, index.txt, serial, newcerts, certs, private
	Config      string // path of openssl.cnf
	Cert        string // path of the CA certificate, PEM
	Key         string // path of the CA key, PEM, PKCS #8
	PassPhrase  string // of the key; empty when it is not encrypted
	Index       string // path of index.txt
	Certificate *x509.Certificate

	t      testing.TB
	parent *CA // nil for a root
}

// FirstSerial is the serial number of the first certificate each CA issues, the
// same for all, so that look-ups in the wrong index show.
const FirstSerial = "1000"

// New makes a root CA. Its key is P-256 unless an option says otherwise.
func New(t testing.TB, opts ...Option) *CA {
	t.Helper()
	ca := layOut(t, filepath.Join(t.TempDir(), "root"), "root")
	r := newRequest("root", caExtensions, append([]Option{Days(3650)}, opts...))
	r.selfSigned = true
	if r.serial == "" {
		// Apart from those it will give out: issuer and serial number name
		// one certificate only.
		r.serial = "7A00"
	}
	ca.PassPhrase = r.passPhrase
	r.makeKey(t, ca.Key)
	r.sign(ca, ca.Key, ca.Cert)
	ca.empty()
	ca.ready()
	return ca
}

// Intermediate makes a CA below this one, with an index of its own that begins
// at the same serial number.
func (ca *CA) Intermediate(name string, opts ...Option) *CA {
	ca.t.Helper()
	sub := layOut(ca.t, filepath.Join(filepath.Dir(ca.Dir), name), name)
	r := newRequest(name, caExtensions, append([]Option{Days(3650)}, opts...))
	sub.parent, sub.PassPhrase = ca, r.passPhrase
	r.makeKey(ca.t, sub.Key)
	r.sign(ca, sub.Key, sub.Cert)
	sub.ready()
	return sub
}

// Chain returns the path of a PEM file with this CA's certificate and those
// above it, the root last.
func (ca *CA) Chain() string { return filepath.Join(ca.Dir, "certs", "ca-chain.cert.pem") }

// Flags returns the openssl ocsp flags of a responder for this CA that signs
// with s; nil means that the CA's own key signs.
func (ca *CA) Flags(s *Signer) []string {
	cert, key, passPhrase := ca.Cert, ca.Key, ca.PassPhrase
	if s != nil {
		cert, key, passPhrase = s.Cert, s.Key, s.PassPhrase
	}
	flags := []string{"-index", ca.Index, "-CA", ca.Cert, "-rsigner", cert, "-rkey", key}
	if passPhrase != "" {
		flags = append(flags, "-passin", "pass:"+passPhrase)
	}
	return flags
}

// layOut makes the directory that `openssl ca` works in.
func layOut(t testing.TB, dir, name string) *CA {
	t.Helper()
	ca := &CA{
		Name:   name,
		Dir:    dir,
		Config: filepath.Join(dir, "openssl.cnf"),
		Cert:   filepath.Join(dir, "certs", "ca.cert.pem"),
		Key:    filepath.Join(dir, "private", "ca.key.pem"),
		Index:  filepath.Join(dir, "index.txt"),
		t:      t,
	}
	for _, d := range []string{"certs", "csr", "newcerts", "private"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	writeFile(t, ca.Config, fmt.Sprintf(configuration, dir))
	ca.empty()
	return ca
}

// ready reads the CA's certificate and puts it before those above.
func (ca *CA) ready() {
	ca.t.Helper()
	ca.Certificate = ReadCertificate(ca.t, ca.Cert)
	var pem []byte
	for c := ca; c != nil; c = c.parent {
		pem = append(pem, readFile(ca.t, c.Cert)...)
	}
	writeFile(ca.t, ca.Chain(), string(pem))
}

// empty makes the CA one that has issued nothing.
func (ca *CA) empty() {
	ca.t.Helper()
	writeFile(ca.t, ca.Index, "")
	ca.setSerial(FirstSerial)
}

func (ca *CA) setSerial(hex string) {
	ca.t.Helper()
	writeFile(ca.t, filepath.Join(ca.Dir, "serial"), hex+"\n")
}

// configuration is for `openssl ca` and `openssl req`; %s is the directory.
const configuration = `[ ca ]
default_ca = this_ca

[ this_ca ]
dir = %s
database = $dir/index.txt
serial = $dir/serial
new_certs_dir = $dir/newcerts
certificate = $dir/certs/ca.cert.pem
private_key = $dir/private/ca.key.pem
default_md = sha256
default_days = 375
policy = any_name
unique_subject = no
copy_extensions = none

[ any_name ]
commonName = supplied

[ req ]
distinguished_name = name
prompt = no
string_mask = utf8only

[ name ]
commonName = nobody
`
