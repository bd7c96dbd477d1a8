package reload_test

import (
	"path/filepath"
	"strings"
	"testing"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/reload"
	"ocspcgi/lib/wire"
)

// refused is an event that says why certificates and keys are not used.
func refused(why string) func(reload.Event) bool {
	return func(e reload.Event) bool { return e.Err != nil && strings.Contains(e.Err.Error(), why) }
}

const (
	anotherCA   = "is of another CA now"
	notAccepted = "not accepted as it is"
)

// A CA's certificate that is renewed with the key that it has takes the place of the one
// before.
func TestRenewedCA(t *testing.T) {
	k := keep(t)
	renewed := filepath.Join(t.TempDir(), "renewed.pem")
	pkitest.OpenSSL(t, "x509", "-in", k.CA.Cert, "-key", k.CA.Key, "-set_serial", "0x7A01", "-days", "9", "-out", renewed)
	write(t, k.CA.Cert, read(t, renewed))
	e := k.wait(t, func(e reload.Event) bool { return e.Index == nil })
	if e.Issuer == nil || e.Issuer.CA.SerialNumber.Int64() != 0x7A01 {
		t.Fatalf("told %+v", e)
	}
	if got := k.status(t, k.Company.Revoked); got != wire.Revoked {
		t.Errorf("%v by the renewed CA", got)
	}
}

// Another CA has another index: its certificates and keys are used neither when the files
// change nor by SIGHUP, and no index is accepted beside them.
func TestAnotherCA(t *testing.T) {
	for name, test := range map[string]func(c *pkitest.Company, first *reload.Source) (cert string, signs *pkitest.Signer){
		"rebuilt in place": func(c *pkitest.Company, _ *reload.Source) (string, *pkitest.Signer) {
			rebuilt := pkitest.New(t)
			return rebuilt.Cert, rebuilt.OCSPSigner("ocsp")
		},
		"another of the chain": func(c *pkitest.Company, first *reload.Source) (string, *pkitest.Signer) {
			root := pkitest.New(t)
			*c = pkitest.Company{CA: root.Intermediate("sub")}
			c.Good, c.Revoked, c.Signer = c.Issue("good"), c.Issue("revoked"), c.OCSPSigner("ocsp.sub")
			c.Revoke(c.Revoked)
			*first = source(c.CA, c.Signer)
			first.Files.CA = c.Chain()
			return c.Chain(), root.OCSPSigner("ocsp")
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := pkitest.NewCompany(t)
			first := source(c.CA, c.Signer)
			cert, signs := test(c, &first)
			ca := filepath.Join(t.TempDir(), "ca.pem") // requests are made with the first one
			write(t, ca, read(t, first.Files.CA))
			first.Files.CA = ca
			before := [][]byte{read(t, ca), read(t, c.Signer.Cert), read(t, c.Signer.Key)}
			put := func(files ...[]byte) {
				write(t, ca, files[0])
				write(t, c.Signer.Cert, files[1])
				write(t, c.Signer.Key, files[2])
			}
			k := keepAlso(t, c, first)
			is := func(when string, want wire.CertStatus) {
				t.Helper()
				resp := k.ask(t, k.Company.Revoked)
				if len(resp.Singles) != 1 || resp.Singles[0].Status != want || string(resp.Certificates[0]) != string(k.Signer.Certificate.Raw) {
					t.Errorf("%s: %v of what is revoked: %+v", when, resp.Status, resp.Singles)
				}
			}
			put(read(t, cert), read(t, signs.Cert), read(t, signs.Key))
			k.wait(t, refused(anotherCA))
			is("after the change", wire.Revoked)
			write(t, c.Index, nil)
			k.Accept()
			k.wait(t, refused(notAccepted))
			is("after SIGHUP", wire.Revoked)
			put(before...)
			k.Accept()
			is("when its own are back", wire.Unknown)
		})
	}
}

// No index is accepted beside half of a new pair.
func TestAcceptBesideHalfAPair(t *testing.T) {
	k := keep(t)
	key := read(t, k.Signer.Key)
	write(t, k.Signer.Key, read(t, k.Good.Key))
	write(t, k.Index, nil)
	k.Accept()
	k.wait(t, refused(notAccepted))
	if got := k.status(t, k.Company.Revoked); got != wire.Revoked {
		t.Errorf("%v beside half of a new pair", got)
	}
	write(t, k.Signer.Key, key)
	k.Accept()
	if got := k.status(t, k.Company.Revoked); got != wire.Unknown {
		t.Errorf("%v after the empty index was accepted", got)
	}
}

// A key that is away can be used when it is back: an index is accepted beside it, but not
// beside one of another CA.
func TestAcceptWhileKeyIsAway(t *testing.T) {
	c := pkitest.NewCompany(t)
	away := source(c.CA, c.Signer)
	away.Files.Signers[0].Key = "unix:" + filepath.Join(t.TempDir(), "nobody")
	k := keepAlso(t, c, away)
	k.wait(t, believed(true))
	write(t, c.Index, nil)
	k.wait(t, believed(false))
	rebuilt := pkitest.New(t)
	cert, signs := read(t, c.CA.Cert), read(t, c.Signer.Cert)
	write(t, c.CA.Cert, read(t, rebuilt.Cert))
	write(t, c.Signer.Cert, read(t, rebuilt.OCSPSigner("ocsp").Cert))
	k.Accept()
	k.wait(t, refused(notAccepted))
	if report := k.States()[0].Index; report.Believed {
		t.Errorf("accepted beside another CA: %+v", report)
	}
	write(t, c.CA.Cert, cert)
	write(t, c.Signer.Cert, signs)
	k.Accept()
	if report := k.States()[0].Index; !report.Believed {
		t.Errorf("not accepted while the key is away: %+v", report)
	}
}
