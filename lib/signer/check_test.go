package signer_test

import (
	"crypto/x509"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"ocspcgi/lib/signer"
)

// hierarchy is a root, two CAs below it, a stranger with the name of one of
// them, and signers.
func hierarchy(t *testing.T) pki {
	p := newPKI(t)
	for _, name := range []string{"root", "sub", "other", "ocsp", "false", "weak", "both"} {
		p.key(name, "p256")
	}
	p.selfSigned("root", "ca")
	p.selfSigned("weak", "ca_nosign")
	p.selfSigned("false", "ocsp")
	p.issue("root", "sub", "ca", "")
	p.issue("root", "both", "everything", "")
	p.selfSigned("other", "ca")
	return p
}

// issueAs issues a certificate for ocsp.key by CA, under the name of the section.
func (p pki) issueAs(ca, section, name string) {
	p.t.Helper()
	p.write(name+".key", p.read("ocsp.key"))
	p.issue(ca, name, section, "")
}

func TestCheck(t *testing.T) {
	p := hierarchy(t)
	for _, section := range []string{"ocsp", "guide", "server", "any", "nosign", "everything"} {
		p.issueAs("sub", section, "sub-"+section)
	}
	p.openssl("req -config x.cnf -x509 -new -key other.key -subj /CN=sub -extensions ca -days 100 -out twin.crt")
	p.write("twin.key", p.read("other.key"))
	p.issueAs("twin", "ocsp", "twin-ocsp")
	p.issueAs("root", "ocsp", "root-ocsp")
	for _, c := range []struct{ id, signer, ca, want string }{
		{"SGN-01 delegated", "sub-ocsp", "sub", ""},
		{"SGN-03 no nocheck is allowed", "sub-guide", "sub", ""},
		{"SGN-01 the CA itself", "sub", "sub", ""},
		{"SGN-04 the CA itself without digitalSignature", "weak", "weak", ""},
		{"SGN-06 a CA as delegate is allowed", "sub-everything", "sub", ""},
		{"SGN-01 another CA of the same name", "twin-ocsp", "sub", `DIR/twin-ocsp.crt: not issued by the key of the CA "CN=sub", but by "CN=sub"; a signer must be issued by the CA it answers for`},
		{"SGN-01 the CA above", "root-ocsp", "sub", `DIR/root-ocsp.crt: not issued by the key of the CA "CN=sub", but by "CN=root"; a signer must be issued by the CA it answers for`},
		{"SGN-01 not issued directly", "sub-ocsp", "root", `DIR/sub-ocsp.crt: not issued by the key of the CA "CN=root", but by "CN=sub"; a signer must be issued by the CA it answers for`},
		{"SGN-02 no EKU", "sub-server", "sub", "DIR/sub-server.crt: no extended key usage OCSPSigning; issue it with extendedKeyUsage = OCSPSigning"},
		{"SGN-02 anyExtendedKeyUsage", "sub-any", "sub", "DIR/sub-any.crt: no extended key usage OCSPSigning (anyExtendedKeyUsage does not count); issue it with extendedKeyUsage = OCSPSigning"},
		{"SGN-02 an intermediate CA without EKU", "sub", "root", "DIR/sub.crt: no extended key usage OCSPSigning; issue it with extendedKeyUsage = OCSPSigning"},
		{"SGN-04 key usage", "sub-nosign", "sub", "DIR/sub-nosign.crt: key usage without digitalSignature; issue it with keyUsage = digitalSignature"},
		{"SGN-01 no CA", "false", "false", `the -CA certificate "CN=false" is not a CA's (basicConstraints CA:FALSE); give the one that issued DIR/false.crt`},
	} {
		t.Run(c.id, func(t *testing.T) {
			err := p.signer(c.signer).Check(p.certificate(c.ca))
			if c.want == "" && err != nil {
				t.Error(err)
			}
			if c.want != "" {
				p.wantError(t, err, c.want)
			}
		})
	}
}

func TestIssuer(t *testing.T) {
	p := hierarchy(t)
	p.issueAs("sub", "ocsp", "sub-ocsp")
	p.issueAs("root", "ocsp", "root-ocsp")
	p.write("renewed.key", p.read("sub.key"))
	p.openssl("req -config x.cnf -new -key sub.key -subj /CN=sub -out sub.csr")
	p.openssl("x509 -req -in sub.csr -CA root.crt -CAkey root.key -extfile x.cnf -extensions ca -days 200 -set_serial 8 -out renewed.crt")
	p.openssl("x509 -req -in sub.csr -CA other.crt -CAkey other.key -extfile x.cnf -extensions ca -days 50 -set_serial 9 -out cross.crt")
	p.openssl("req -config x.cnf -x509 -new -key sub.key -subj /CN=renamed -extensions ca -days 300 -out renamed.crt")
	for _, c := range []struct{ name, signer, cas, want string }{
		{"chain of the guide", "sub-ocsp", "sub root", "sub"},
		{"chain upside down", "sub-ocsp", "root sub", "sub"},
		{"the same chain for the root", "root-ocsp", "sub root", "root"},
		{"the CA itself", "sub", "sub root", "sub"},
		{"the root itself", "root", "sub root", "root"},
		{"renewed: the one that lasts longer", "sub-ocsp", "sub renewed root", "renewed"},
		{"renewed, other order", "sub-ocsp", "renewed cross sub", "renewed"},
		{"renamed: the name in the signer", "sub-ocsp", "renamed sub", "sub"},
		{"the CA itself, renewed: the certificate it signs with", "sub", "renewed sub cross renamed", "sub"},
		{"a signer in its own chain", "sub-ocsp", "sub-ocsp sub root", "sub"},
		{"none", "sub-ocsp", "root other", `error DIR/sub-ocsp.crt: issued by none of the -CA certificates ("CN=root", "CN=other"); give the one of "CN=sub"`},
		{"no certificate", "sub-ocsp", "", "error no CA certificate; give the one that issued the signer with -CA"},
		{"two keys", "both", "both root", `error DIR/both.crt: may answer for itself and for the CA that issued it, and -CA has both ("CN=both", "CN=root"); give the one that is meant`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var cas []*x509.Certificate
			for _, name := range strings.Fields(c.cas) {
				cas = append(cas, p.certificate(name))
			}
			got, err := signer.Issuer(cas, p.signer(c.signer))
			if want, ok := strings.CutPrefix(c.want, "error "); ok {
				p.wantError(t, err, want)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !got.Equal(p.certificate(c.want)) {
				t.Errorf("got %s until %s", got.Subject, got.NotAfter)
			}
		})
	}
}

func TestValidAt(t *testing.T) {
	p := newPKI(t)
	p.key("ca", "p256")
	p.selfSigned("ca", "ca")
	s := p.signer("ca")
	from, to := s.Certificate.NotBefore, s.Certificate.NotAfter
	for _, c := range []struct {
		id   string
		at   time.Time
		want string
	}{
		{"SGN-05 first second", from, ""},
		{"SGN-05 last second", to, ""},
		{"SGN-05 before", from.Add(-time.Second), "DIR/ca.crt: not valid before " + from.Format("2006-01-02 15:04:05 UTC") + "; check the clock"},
		{"SGN-05 after", to.Add(time.Second), "DIR/ca.crt: expired on " + to.Format("2006-01-02 15:04:05 UTC") + "; renew it"},
	} {
		t.Run(c.id, func(t *testing.T) {
			err := s.ValidAt(c.at)
			if c.want == "" && err != nil {
				t.Error(err)
			}
			if c.want == "" {
				return
			}
			p.wantError(t, err, c.want)
			var validity *signer.ValidityError
			if !errors.As(err, &validity) || !validity.NotAfter.Equal(to) {
				t.Errorf("%#v", err)
			}
		})
	}
}

func TestWarnings(t *testing.T) {
	p := hierarchy(t)
	p.issueAs("sub", "ocsp", "sub-ocsp")
	p.issueAs("sub", "guide", "sub-guide")
	p.issueAs("sub", "everything", "sub-everything")
	p.openssl("req -config x.cnf -x509 -new -key sub.key -subj /CN=renamed -extensions ca -days 300 -out renamed.crt")
	p.key("ed", "ed25519")
	p.issue("sub", "ed", "ocsp", "")
	p.key("rsa", "rsa")
	p.issue("sub", "rsa", "ocsp", "")
	day := 24 * time.Hour
	for _, c := range []struct {
		id, signer, ca string
		after          time.Duration
		opt            signer.Options
		mode           os.FileMode
		want           string
	}{
		{"SGN-03 none", "sub-ocsp", "sub", 0, signer.Options{}, 0o640, ""},
		{"SGN-03 no nocheck", "sub-guide", "sub", 0, signer.Options{}, 0o600, "DIR/sub-guide.crt: no id-pkix-ocsp-nocheck; clients may ask for the status of this certificate too (noCheck = ignored)"},
		{"SGN-04 CA without digitalSignature", "weak", "weak", 0, signer.Options{}, 0o600, "DIR/weak.crt: the CA's key usage lacks digitalSignature; some clients refuse its answers"},
		{"SGN-06 the CA itself", "sub", "sub", 0, signer.Options{}, 0o600, ""},
		{"SGN-06 everything wrong", "sub-everything", "sub", 0, signer.Options{}, 0o600, "DIR/sub-everything.crt: id-pkix-ocsp-nocheck should be NULL and not critical|" +
			"DIR/sub-everything.crt: more extended key usages than OCSPSigning|DIR/sub-everything.crt: a CA certificate; a signer should be none (basicConstraints = CA:FALSE)|" +
			"DIR/sub-everything.crt: authorityInfoAccess does not belong into a signer|DIR/sub-everything.crt: crlDistributionPoints does not belong into a signer"},
		{"SGN-01 renamed CA", "sub-ocsp", "renamed", 0, signer.Options{}, 0o600, `DIR/sub-ocsp.crt: its issuer's name "CN=sub" is not the CA's name "CN=renamed"; clients will not connect them`},
		{"SGN-05 30 days left", "sub-ocsp", "sub", 70 * day, signer.Options{}, 0o600, ""},
		{"SGN-05 less than 30 days left", "sub-ocsp", "sub", 70*day + time.Second, signer.Options{}, 0o600, "DIR/sub-ocsp.crt: expires on NOTAFTER (29 days left); renew it"},
		{"SGN-05 a day left", "sub-ocsp", "sub", 99 * day, signer.Options{}, 0o600, "DIR/sub-ocsp.crt: expires on NOTAFTER (24 hours left); renew it"},
		{"SGN-05 over is for ValidAt", "sub-ocsp", "sub", 101 * day, signer.Options{}, 0o600, ""},
		{"SGN-16 Ed25519", "ed", "sub", 0, signer.Options{}, 0o600, "DIR/ed.crt: an Ed25519 key; Firefox and clients in Go refuse its answers"},
		{"SGN-13 digest of another curve", "sub-ocsp", "sub", 0, signer.Options{Digest: "sha512"}, 0o600, "DIR/sub-ocsp.crt: -rmd is not the digest that belongs to the key's curve"},
		{"SGN-15 RSA-PSS", "rsa", "sub", 0, signer.Options{SigOpts: []string{"rsa_padding_mode:pss"}}, 0o600, "DIR/rsa.crt: RSA-PSS; clients in Go refuse its answers"},
		{"SGN-07 key for everybody", "sub-ocsp", "sub", 0, signer.Options{}, 0o644, "DIR/sub-ocsp.key: everybody may open this key (mode 0644); chmod o= DIR/sub-ocsp.key"},
	} {
		t.Run(c.id, func(t *testing.T) {
			key := p.path(c.signer + ".key")
			if err := os.Chmod(key, c.mode); err != nil {
				t.Fatal(err)
			}
			s, err := signer.Load(p.path(c.signer+".crt"), key, nil, c.opt)
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(s.Warnings(p.certificate(c.ca), s.Certificate.NotBefore.Add(c.after)), "|")
			got = strings.ReplaceAll(got, p.dir, "DIR")
			if want := strings.ReplaceAll(c.want, "NOTAFTER", s.Certificate.NotAfter.Format("2006-01-02 15:04:05 UTC")); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
	t.Run("SGN-07 key gone", func(t *testing.T) {
		s := p.signer("rsa")
		if err := os.Remove(p.path("rsa.key")); err != nil {
			t.Fatal(err)
		}
		got := strings.ReplaceAll(strings.Join(s.Warnings(p.certificate("sub"), s.Certificate.NotBefore), "|"), p.dir, "DIR")
		if want := "stat DIR/rsa.key: no such file or directory"; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

func TestReminder(t *testing.T) {
	const day = 24 * time.Hour
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct{ life, left, want time.Duration }{
		{375 * day, 31 * day, 0},
		{375 * day, 30*day - 1, 30 * day},
		{375 * day, 14 * day, 30 * day},
		{375 * day, 14*day - 1, 14 * day},
		{375 * day, 7*day - 1, 7 * day},
		{375 * day, day - 1, day},
		{375 * day, 0, day},
		{375 * day, -1, 0},
		{50 * day, 26 * day, 0},
		{50 * day, 14*day - 1, 14 * day},
		{7 * day, 2 * day, 0},
		{7 * day, day - 1, day},
		{day, 7 * time.Hour, 0},
		{day, 6*time.Hour - 1, 6 * time.Hour},
	} {
		s := &signer.Signer{Certificate: &x509.Certificate{NotBefore: begin, NotAfter: begin.Add(c.life)}}
		if got := s.Reminder(begin.Add(c.life - c.left)); got != c.want {
			t.Errorf("a life of %v, %v left: reminded %v before, want %v", c.life, c.left, got, c.want)
		}
	}
}
