package clients_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/servertest"
)

// What s_client shows of a staple that is as it should be.
var goodStaple = []string{
	`OCSP Response Status: successful \(0x0\)`,
	`Responder Id: [0-9A-F]{40}\n`,
	`Hash Algorithm: sha1\n`,
	`Serial Number: 7FFFFFFFFFFBEFBE01\n`,
	`Cert Status: good\n`,
}

func TestStaplers(t *testing.T) {
	s := settings[0].open(t)
	for name, site := range map[string]*web{
		"nginx":   nginxSite(t, s, s.Good, nginxStapling(s)),
		"Apache":  apacheSite(t, s, s.Good, "SSLUseStapling on"),
		"HAProxy": haproxySite(t, s, s.Good),
	} {
		t.Run("STP-01 2.1 "+name, func(t *testing.T) {
			eventually(t, name+" staples", func() bool { return s.handshake(t, site.address) != nil })
			out, _ := run(t, "openssl", "s_client", "-connect", site.address, "-status", "-CAfile", s.Cert)
			for _, pattern := range goodStaple {
				if !regexp.MustCompile(pattern).MatchString(out) {
					t.Errorf("no %q in\n%s", pattern, out)
				}
			}
			if life := moment(t, out, "Next Update").Sub(moment(t, out, "Produced At")); life != 12*time.Hour {
				t.Errorf("it lives for %v", life)
			}
			if n := strings.Count(out, "Cert Status:"); n != 1 {
				t.Errorf("STP-02: %d certificates in it", n)
			}
			if out, status := curl(t, s, site.address); status != 0 {
				t.Errorf("curl: %s", out)
			}
			if out, status := gnutls(t, s, site.address); status != 0 {
				t.Errorf("gnutls-cli: %s", out)
			}
		})
	}
}

// moment reads a time that openssl has printed.
func moment(t testing.TB, out, name string) time.Time {
	t.Helper()
	at, err := time.Parse("Jan _2 15:04:05 2006 MST", find(out, name+`: (.*)`))
	if err != nil {
		t.Error(err)
	}
	return at
}

// Answers for several certificates come in the order of the request: GnuTLS
// looks at the first alone.
func TestOrderInStaple(t *testing.T) {
	s := settings[0].open(t)
	for want, leaves := range map[string][]*pkitest.Leaf{
		"":                                {s.Good, s.Revoked},
		"OCSP status response is invalid": {s.Revoked, s.Good},
	} {
		t.Run("STP-02 "+leaves[0].Certificate.Subject.CommonName+" first", func(t *testing.T) {
			staple := filepath.Join(servertest.Room(t), "staple.der")
			pkitest.OpenSSL(t, "ocsp", "-issuer", s.Cert, "-cert", leaves[0].Cert, "-cert", leaves[1].Cert,
				"-url", s.URL, "-CAfile", s.Cert, "-no_nonce", "-respout", staple)
			out, status := gnutls(t, s, serveTLS(t, s, s.Good, "-status_file", staple, "-cert_chain", s.Cert))
			if (status != 0) != (want != "") || !strings.Contains(out, want) {
				t.Errorf("exit status %d\n%s", status, out)
			}
		})
	}
}

// An answer that is no status is stapled by Apache unless it is told not to, and
// by nginx never. A status it staples whatever it is.
func TestErrorsInStaples(t *testing.T) {
	s := settings[0].open(t)
	other := pkitest.New(t)
	company := *s.Company
	company.CA = other
	responder := *s.Responder
	responder.Company = &company
	stranger := &scene{Responder: &responder, URL: s.URL}
	leaf := other.Issue("stranger", s.at())
	servertest.Own(t, leaf.Key)

	const off = "SSLStaplingReturnResponderErrors off"
	for _, row := range []struct {
		name string
		ask  ask
		s    *scene
		leaf *pkitest.Leaf
		want string
	}{
		{"Apache, unauthorized", apacheStaples(""), stranger, leaf, "staples unauthorized"},
		{"Apache, unauthorized, " + off, apacheStaples(off), stranger, leaf, "staples nothing"},
		{"Apache, revoked, " + off, apacheStaples(off), s, s.Revoked, "staples revoked"},
		{"Apache, unknown, " + off, apacheStaples(off), s, s.Unknown, "staples unknown"},
		{"nginx, unauthorized", nginxStaples, stranger, leaf, "staples nothing"},
	} {
		t.Run("STP-03 "+row.name, func(t *testing.T) {
			if got := row.ask(t, row.s, row.leaf); got != row.want {
				t.Errorf("%s, want %s", got, row.want)
			}
		})
	}
}

// Who staples, and who checks it, needs the certificate of the CA.
func TestIssuerInChain(t *testing.T) {
	s := settings[0].open(t)
	staple := filepath.Join(servertest.Room(t), "staple.der")
	s.fetch(t, s.Good, staple)
	t.Run("STP-04 curl", func(t *testing.T) {
		out, status := curl(t, s, serveTLS(t, s, s.Good, "-status_file", staple))
		if status != 91 || !strings.Contains(out, "Error computing OCSP ID") {
			t.Errorf("%d %s", status, out)
		}
		if out, status := curl(t, s, serveTLS(t, s, s.Good, "-status_file", staple, "-cert_chain", s.Cert)); status != 0 {
			t.Errorf("%d %s", status, out)
		}
	})
	leafAlone := *s
	leafAlone.noChain = true
	for _, row := range []struct{ name, got, want string }{
		{"nginx, the CA is trusted", nginxStaples(t, &leafAlone, s.Good), "staples good"},
		{"nginx", s.stapled(t, nginxSite(t, &leafAlone, s.Good, "ssl_stapling on;").address), "staples nothing"},
		{"Apache, the CA is trusted", apacheStaples("SSLCACertificateFile "+s.Cert)(t, &leafAlone, s.Good), "staples good"},
		{"Apache", apacheStaples("")(t, &leafAlone, s.Good), "staples nothing"},
	} {
		t.Run("STP-05 no chain, "+row.name, func(t *testing.T) {
			if row.got != row.want {
				t.Errorf("%s, want %s", row.got, row.want)
			}
		})
	}
	t.Run("STP-05 nginx, first handshake", func(t *testing.T) {
		w := nginxSite(t, s, s.Good, nginxStapling(s))
		if s.handshake(t, w.address) != nil {
			t.Error("stapled at once")
		}
		eventually(t, "nginx staples", func() bool { return s.handshake(t, w.address) != nil })
	})
	t.Run("STP-05 Apache, first handshake", func(t *testing.T) {
		if s.handshake(t, apacheSite(t, s, s.Good, "SSLUseStapling on").address) == nil {
			t.Error("not stapled at once")
		}
	})
}

// A certificate whose request has slashes finds the responder behind Apache
// only where that lets them through.
func TestSlashesBehindApache(t *testing.T) {
	for _, line := range []string{"", "AllowEncodedSlashes NoDecode\n"} {
		set := setting{key: "p256", delegated: true, path: "/ocsp"}
		set.front = func(t testing.TB, s *scene, address string) {
			snippet := s.Snippet(t, "../../apache/cgi-path.conf", address)
			without := strings.Replace(snippet, line, "", 1)
			if line != "" && without == snippet {
				t.Fatalf("there is no %q in\n%s", line, snippet)
			}
			serve(t, servertest.Apache("event"), address, without)
		}
		t.Run("HTTP-06 CLI-12 without "+line, func(t *testing.T) {
			s := set.open(t)
			w := nginxSite(t, s, s.Good, nginxStapling(s))
			const fault = `OCSP responder sent invalid "Content-Type" header: "text/html`
			eventually(t, "nginx staples, or says why not", func() bool {
				return s.handshake(t, w.address) != nil || strings.Contains(w.errorLog(t), fault)
			})
			if stapled := s.handshake(t, w.address) != nil; stapled != (line == "") {
				t.Errorf("stapled: %v\n%s", stapled, w.errorLog(t))
			}
		})
	}
}

// An answer that the CA itself has signed has the CA's certificate in it, for
// those who would not find the signer otherwise.
func TestNoCertificateInAnswer(t *testing.T) {
	set := setting{key: "p256"}
	set.front = func(t testing.TB, s *scene, address string) {
		servertest.WriteFile(t, s.Config, servertest.ReadFile(t, s.Config)+"resp_no_certs = true\n")
		straight(t, s, address)
	}
	s := set.open(t)
	leafAlone := *s
	leafAlone.noChain = true
	staple := filepath.Join(servertest.Room(t), "staple.der")
	s.fetch(t, s.Good, staple)
	gnutlsAlone, _ := gnutls(t, s, serveTLS(t, s, s.Good, "-status_file", staple))
	for _, row := range []struct{ name, got, want string }{
		{"CLI-03 gnutls-cli, no chain", gnutlsAlone, "The received OCSP status response is invalid"},
		{"CLI-12 nginx ssl_stapling, no chain", nginxStaples(t, &leafAlone, s.Good), "staples nothing"},
		{"CLI-15 Apache SSLOCSPEnable", apacheChecks(t, s, s.Good), "signer certificate not found"},
	} {
		t.Run("SGN-09 "+row.name, func(t *testing.T) {
			if !strings.Contains(row.got, row.want) {
				t.Errorf("%s, want %s", row.got, row.want)
			}
		})
	}
}
