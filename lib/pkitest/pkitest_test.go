package pkitest_test

import (
	"crypto/x509"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/pkitest"
)

func TestCompanyHasOneOfEachStatus(t *testing.T) {
	c := pkitest.NewCompany(t)
	for name, row := range map[string]struct {
		leaf *pkitest.Leaf
		want string // first letter of its index row, "" for none
	}{
		"good":    {c.Good, "V"},
		"revoked": {c.Revoked, "R"},
		"unknown": {c.Unknown, ""},
		"signer":  {&c.Signer.Leaf, "V"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := row.leaf.Certificate.CheckSignatureFrom(c.Certificate); err != nil {
				t.Error(err)
			}
			if got := status(t, c.CA, row.leaf); got != row.want {
				t.Errorf("index row begins with %q, want %q", got, row.want)
			}
		})
	}
	if !strings.Contains(read(t, c.Index), ",keyCompromise\t") {
		t.Errorf("no reason in %s", read(t, c.Index))
	}
}

func TestIntermediateHasTheSameSerials(t *testing.T) {
	root := pkitest.New(t)
	sub := root.Intermediate("sub")
	leaf := sub.Issue("leaf")
	if leaf.Serial != pkitest.FirstSerial || serial(sub.Certificate) != pkitest.FirstSerial {
		t.Errorf("serials %s and %s, want %s twice", leaf.Serial, serial(sub.Certificate), pkitest.FirstSerial)
	}
	if sub.Index == root.Index || status(t, sub, leaf) != "V" {
		t.Error("the intermediate keeps no index of its own")
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(root.Certificate)
	between.AddCert(sub.Certificate)
	if _, err := leaf.Certificate.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between}); err != nil {
		t.Error(err)
	}
	if n := strings.Count(read(t, sub.Chain()), "BEGIN CERTIFICATE"); n != 2 {
		t.Errorf("%d certificates in the chain, want 2", n)
	}
}

func TestOptions(t *testing.T) {
	ca := pkitest.New(t)
	rsa := ca.OCSPSigner("rsa", pkitest.Key("rsa"), pkitest.PassPhrase("secret"))
	if rsa.Certificate.PublicKeyAlgorithm != x509.RSA || rsa.PassPhrase != "secret" {
		t.Errorf("signer has a %v key, pass phrase %q", rsa.Certificate.PublicKeyAlgorithm, rsa.PassPhrase)
	}
	if !strings.Contains(read(t, rsa.Key), "ENCRYPTED") {
		t.Error("key is not encrypted")
	}
	ed := ca.OCSPSigner("ed", pkitest.Key("ed25519"), pkitest.NoEKU(), pkitest.NoNocheck())
	if ed.Certificate.PublicKeyAlgorithm != x509.Ed25519 || len(ed.Certificate.ExtKeyUsage) != 0 || hasNocheck(ed.Certificate) {
		t.Errorf("%v, %v, nocheck %v", ed.Certificate.PublicKeyAlgorithm, ed.Certificate.ExtKeyUsage, hasNocheck(ed.Certificate))
	}
	if !hasNocheck(rsa.Certificate) {
		t.Error("a signer has no id-pkix-ocsp-nocheck")
	}
	leaf := ca.Issue("leaf", pkitest.Serial("00FF"), pkitest.Extension("authorityInfoAccess", "OCSP;URI:http://127.0.0.1/o"))
	if leaf.Serial != "FF" || leaf.Certificate.OCSPServer[0] != "http://127.0.0.1/o" {
		t.Errorf("serial %s, %v", leaf.Serial, leaf.Certificate.OCSPServer)
	}
	old := ca.Issue("old", pkitest.Expired())
	ca.UpdateDB()
	if got := status(t, ca, old); got != "E" {
		t.Errorf("an expired row begins with %q", got)
	}
	ca.Revoke(leaf, "-crl_compromise", "20260102030405Z")
	if !strings.Contains(read(t, ca.Index), ",keyTime,20260102030405Z\t") {
		t.Errorf("no keyTime in %s", read(t, ca.Index))
	}
}

func TestEncryptedCA(t *testing.T) {
	ca := pkitest.New(t, pkitest.PassPhrase("secret"), pkitest.Key("rsa"))
	ca.Unlisted("unlisted")
	ca.Revoke(ca.Issue("leaf"))
	flags := strings.Join(ca.Flags(nil), " ")
	if !strings.Contains(flags, "-rkey "+ca.Key+" -passin pass:secret") {
		t.Error(flags)
	}
}

func TestRequest(t *testing.T) {
	c := pkitest.NewCompany(t)
	req, err := ocsp.ParseRequest(pkitest.Request(t, c.CA, c.Good, "-sha256", "-no_nonce"))
	if err != nil {
		t.Fatal(err)
	}
	if req.SerialNumber.Cmp(c.Good.Certificate.SerialNumber) != 0 || req.HashAlgorithm.String() != "SHA-256" {
		t.Errorf("asks for %X by %v", req.SerialNumber, req.HashAlgorithm)
	}
}

// The other end is openssl itself here, told by our flags.
func TestAsk(t *testing.T) {
	c := pkitest.NewCompany(t)
	ask := func(leaf *pkitest.Leaf) string {
		der := filepath.Join(t.TempDir(), "req.der")
		if err := os.WriteFile(der, pkitest.Request(t, c.CA, leaf), 0o600); err != nil {
			t.Fatal(err)
		}
		resp := filepath.Join(t.TempDir(), "resp.der")
		pkitest.OpenSSL(t, append([]string{"ocsp", "-reqin", der, "-respout", resp}, c.Flags(c.Signer)...)...)
		return pkitest.Ask(t, serve(t, resp), c.CA, leaf, "-no_nonce")
	}
	for want, leaf := range map[string]*pkitest.Leaf{": good": c.Good, ": revoked": c.Revoked, ": unknown": c.Unknown} {
		if out := ask(leaf); !strings.Contains(out, want) {
			t.Errorf("no %q in %s", want, out)
		}
	}
}

func TestFailureShowsWhatOpensslSaid(t *testing.T) {
	if os.Getenv("PKITEST_FAIL") != "" {
		pkitest.New(t).Issue("leaf", pkitest.Key("p999"))
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestFailureShowsWhatOpensslSaid$")
	cmd.Env = append(os.Environ(), "PKITEST_FAIL=1")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "P-999") || !strings.Contains(string(out), "error") {
		t.Errorf("%v\n%s", err, out)
	}
}

func status(t *testing.T, ca *pkitest.CA, leaf *pkitest.Leaf) string {
	t.Helper()
	for line := range strings.Lines(read(t, ca.Index)) {
		if f := strings.Split(line, "\t"); f[3] == leaf.Serial {
			return f[0]
		}
	}
	return ""
}

func serial(c *x509.Certificate) string { return strings.ToUpper(c.SerialNumber.Text(16)) }

func hasNocheck(c *x509.Certificate) bool {
	for _, e := range c.Extensions {
		if e.Id.String() == "1.3.6.1.5.5.7.48.1.5" {
			return true
		}
	}
	return false
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
