package apache_test

import (
	"bytes"
	"strings"
	"testing"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/servertest"
)

// eachCGI runs a test with each module that runs CGI programs, and a snippet.
func eachCGI(t *testing.T, snippet string, test func(t *testing.T, f form)) {
	for _, mpm := range []string{"event", "prefork"} {
		t.Run(snippet+" "+mpm, func(t *testing.T) { test(t, form{snippet: snippet, mpm: mpm, path: "/ocsp"}) })
	}
}

// site starts Apache in front of r.
func site(t *testing.T, r *servertest.Responder, f form) (*servertest.Site, *server) {
	t.Helper()
	address := servertest.FreeAddress(t)
	s := serve(t, f, address, f.text(t, r, address))
	return &servertest.Site{Responder: r, URL: "http://" + address + f.path}, s
}

// A query without = becomes the arguments of a CGI program, unless the server
// drops it first.
func TestArguments(t *testing.T) {
	r := servertest.NewResponder(t, program).Script(t, `printf 'Status: 200 OK\r\nContent-Type: text/plain\r\n\r\n%s' $#`)
	for snippet, want := range map[string]string{"cgi-path.conf": "0", "cgi-host.conf": "0", "cgi-simple.conf": "2"} {
		eachCGI(t, snippet, func(t *testing.T, f form) {
			web, _ := site(t, r, f)
			reply := web.Reply(t, servertest.Probe{Method: "GET", Path: "?-index+/etc/passwd"})
			if string(reply.DER) != want {
				t.Errorf("CGI-02: %q arguments, want %s", reply.DER, want)
			}
		})
	}
}

// Settings that cannot work are internalError for the client, and a reason for
// who reads Apache's log.
func TestBrokenSettings(t *testing.T) {
	r := servertest.NewResponder(t, program)
	r.Config += ".absent"
	eachCGI(t, "cgi-path.conf", func(t *testing.T, f form) {
		web, apache := site(t, r, f)
		for _, p := range web.Probes(t) {
			if p.Name != "HTTP-01 GET" && p.Name != "HTTP-01 POST" {
				continue
			}
			reply := web.Reply(t, p)
			if reply.StatusCode != 200 || !bytes.Equal(reply.DER, ocsp.InternalErrorErrorResponse) {
				t.Errorf("CGI-12 %s: %d %q", p.Name, reply.StatusCode, reply.DER)
			}
		}
		if log := apache.errorLog(t); !strings.Contains(log, r.Config) || !strings.Contains(log, "no such file") {
			t.Errorf("CGI-12: no reason in\n%s", log)
		}
	})
}

// Only mod_cgid has a timeout of its own for CGI programs.
func TestTimeoutOfCGI(t *testing.T) {
	t.Parallel() // it waits most of the time
	r := servertest.NewResponder(t, program).Script(t, "exec sleep 60")
	for _, snippet := range []string{"cgi-path.conf", "cgi-host.conf"} {
		t.Run(snippet, func(t *testing.T) {
			address := servertest.FreeAddress(t)
			f := form{snippet: snippet, mpm: "event"}
			serve(t, f, address, strings.Replace(r.Snippet(t, snippet, address), " 10s", " 1s", 1))
			web := &servertest.Site{Responder: r, URL: "http://" + address + "/ocsp"}
			if got := web.Get(t, r.Good); got != "504 server" {
				t.Error(got)
			}
		})
	}
}

func TestRevocationByCGI(t *testing.T) {
	t.Parallel()
	rounds := 100
	if testing.Short() {
		rounds = 10
	}
	r := servertest.NewResponder(t, program)
	web, _ := site(t, r, form{snippet: "cgi-path.conf", mpm: "event", path: "/ocsp"})
	web.Rounds(t, rounds)
}

func TestKeysOfSigners(t *testing.T) {
	r := servertest.NewResponder(t, program)
	web, _ := site(t, r, form{snippet: "cgi-path.conf", mpm: "event", path: "/ocsp"})
	for _, key := range []string{"rsa", "p384", "ed25519"} {
		t.Run("3.2 "+key, func(t *testing.T) {
			r.SignWith(t, r.OCSPSigner(key, pkitest.Key(key)))
			web.OpenSSL(t)
		})
	}
}
