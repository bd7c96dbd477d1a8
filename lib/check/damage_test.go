package check_test

import (
	"bytes"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/servertest"
	"ocspcgi/lib/wire"
)

// damage is a server in front of the responder that changes what passes through,
// and what check says of it.
type damage struct {
	name   string
	do     func(*http.Response)
	probe  string
	level  string
	text   string
	remedy string
}

func header(name, value string) func(*http.Response) {
	return func(r *http.Response) { r.Header.Set(name, value) }
}

// body changes answers and leaves pages alone.
func body(change func([]byte) []byte) func(*http.Response) {
	return func(r *http.Response) {
		if r.Header.Get("Content-Type") != "application/ocsp-response" {
			return
		}
		b, err := io.ReadAll(r.Body)
		if err != nil || len(b) == 0 { // of a HEAD
			return
		}
		b = change(b)
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
		r.Header.Set("Content-Length", strconv.Itoa(len(b)))
	}
}

func status(code int) func(*http.Response) {
	return func(r *http.Response) { r.StatusCode = code }
}

var damages = []damage{
	{"nothing", func(*http.Response) {}, "", "", "", ""},
	{"a byte behind", body(func(b []byte) []byte { return append(b, '\n') }), "POST", "error", "bytes after the OCSPResponse", ""},
	{"a byte before", body(func(b []byte) []byte { return append([]byte{'\n'}, b...) }), "POST", "error", "not one DER OCSPResponse", ""},
	{"a bit that fell over", body(func(b []byte) []byte { b = slices.Clone(b); b[len(b)/3] ^= 1; return b }), "POST", "error", "", ""},
	{"a charset", header("Content-Type", "application/ocsp-response; charset=utf-8"), "POST", "error", "Content-Type is", "pass Content-Type on"},
	{"a page", body(func([]byte) []byte { return []byte("<html>") }), "POST", "error", "not one DER OCSPResponse", ""},
	{"no-store", header("Cache-Control", "no-store"), "GET, escaped", "warning", "has every client ask anew", "leave Cache-Control"},
	{"kept for a year", header("Cache-Control", "max-age=31536000"), "GET, escaped", "error", "outlasts nextUpdate", "mod_expires"},
	{"Expires in a year", header("Expires", time.Now().AddDate(1, 0, 0).UTC().Format(http.TimeFormat)), "GET, escaped", "error", "is after nextUpdate", "mod_expires"},
	{"no caching", func(r *http.Response) { r.Header.Del("Cache-Control"); r.Header.Del("Expires") }, "GET, escaped", "warning", "neither Cache-Control nor Expires", ""},
	{"no ETag", func(r *http.Response) { r.Header.Del("Etag") }, "GET, escaped", "hint", "no ETag", ""},
	{"a cookie", header("Set-Cookie", "a=b"), "GET, escaped", "warning", "sets a cookie", ""},
	{"another time", header("Date", "Sat, 01 Jan 2000 00:00:00 GMT"), "GET, escaped", "warning", "which is not the time here", "set the clock"},
	{"a redirect", status(301), "POST", "error", "clients of OCSP follow no redirect", "answer on plain http"},
	{"a pass phrase wanted", status(401), "POST", "error", "HTTP 401", "let everybody ask"},
	{"a gateway that waits", status(504), "POST", "error", "HTTP 504", "start ocspcgi"},
	{"a small limit", status(413), "POST", "error", "HTTP 413", "64 KiB"},
	{"tryLater", body(func([]byte) []byte { return []byte{0x30, 3, 10, 1, 3} }), "POST", "error", "its index or its signer cannot be used now", "ocspcgi check"},
	{"sigRequired", body(func([]byte) []byte { return []byte{0x30, 3, 10, 1, 5} }), "POST", "error", "it answers signed requests alone", "require_signed"},
	{"unauthorized", body(func([]byte) []byte { return []byte{0x30, 3, 10, 1, 6} }), "POST", "error", "does not answer for this CA", "-rsigner of this one too"},
	{"an error of the program", body(func([]byte) []byte { return []byte{0x30, 3, 10, 1, 2} }), "POST", "error", "the program has no settings", "ocspcgi check"},
}

// TestDamage has check ask through servers that do harm, each in one way.
func TestDamage(t *testing.T) {
	r := servertest.NewResponder(t, program)
	address := servertest.FreeAddress(t)
	r.Listen(t, address)
	for _, d := range damages {
		t.Run(d.name, func(t *testing.T) {
			u, err := url.Parse("http://" + address)
			if err != nil {
				t.Fatal(err)
			}
			proxy := httputil.NewSingleHostReverseProxy(u)
			proxy.ModifyResponse = func(resp *http.Response) error { d.do(resp); return nil }
			front := httptest.NewServer(proxy)
			defer front.Close()
			rows, _ := checked(t, "-url", front.URL, "-config", r.Config)
			found := bad(rows)
			if d.probe == "" {
				if len(found) > 0 {
					t.Errorf("%+v", found)
				}
				return
			}
			if !slices.ContainsFunc(found, func(r row) bool {
				return r.Probe == d.probe && r.Level == d.level && strings.Contains(r.Text, d.text) && strings.Contains(r.Remedy, d.remedy)
			}) {
				t.Errorf("no such row: %+v", found)
			}
		})
	}
}

// refusal is a setting that clients do not like, and which of them.
type refusal struct {
	name    string
	setting string
	key     string // of the signer
	itself  bool   // the CA signs
	who     []string
}

var refusals = []refusal{
	{"no nonces", `nonces = "ignore"`, "p256", false, []string{"Apache SSLOCSPEnable", "LibreSSL ocspcheck"}},
	{"5 minutes", "nmin = 4", "p256", false, []string{"HAProxy ocsp-update"}},
	{"Ed25519", "", "ed25519", false, []string{"CertMagic (Caddy)", "Firefox"}},
	{"RSA-PSS", `rsigopt = ["rsa_padding_mode:pss"]`, "rsa2048", false, []string{"CertMagic (Caddy)"}},
	{"the CA, without its certificate", "resp_no_certs = true", "p256", true, []string{"GnuTLS", "nginx ssl_stapling", "Apache SSLOCSPEnable"}},
}

// TestRefusals tells who will not accept what the program is told to answer.
func TestRefusals(t *testing.T) {
	for _, c := range refusals {
		t.Run(c.name, func(t *testing.T) {
			r := servertest.NewResponder(t, program)
			switch {
			case c.itself:
				r.SignWith(t, &pkitest.Signer{Leaf: pkitest.Leaf{Cert: r.Cert, Key: r.Key, Certificate: r.Certificate}})
			case c.key != "p256":
				r.SignWith(t, r.OCSPSigner("other", pkitest.Key(c.key)))
			}
			text := servertest.ReadFile(t, r.Config)
			if strings.HasPrefix(c.setting, "nonces") {
				text = c.setting + "\n" + text
			} else {
				text += c.setting + "\n"
			}
			servertest.WriteFile(t, r.Config, text)
			address := servertest.FreeAddress(t)
			r.Listen(t, address)
			rows, _ := checked(t, "-url", "http://"+address, "-config", r.Config)
			var who []string
			for _, r := range bad(rows) {
				if strings.HasPrefix(r.Text, "will not accept") {
					who = append(who, r.Probe)
				}
			}
			slices.Sort(who)
			slices.Sort(c.who)
			if !slices.Equal(who, c.who) {
				t.Errorf("%q, want %q\n%+v", who, c.who, bad(rows))
			}
		})
	}
}

// A responder that says good of every number is told by one that nobody has.
func TestGoodForEverybody(t *testing.T) {
	r := servertest.NewResponder(t, program)
	liar := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		der, err := io.ReadAll(q.Body)
		req, parseErr := wire.ParseRequest(der)
		if err != nil || parseErr != nil {
			http.Error(w, "no", http.StatusNotFound)
			return
		}
		out, err := exec.Command(program, "sign", "-serial", hex.EncodeToString(req.CertIDs[0].Serial), "-status", "good",
			"-ca", r.Cert, "-cert", r.Signer.Cert, "-key", r.Signer.Key).Output()
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/ocsp-response")
		if _, err := w.Write(out); err != nil {
			t.Error(err)
		}
	}))
	defer liar.Close()
	rows, exit := checked(t, "-url", liar.URL, "-config", r.Config)
	for _, want := range []string{"a serial number that was never issued is answered with good", "says revoked: the responder answers from another index"} {
		if exit != 2 || !slices.ContainsFunc(rows, func(r row) bool { return r.Level == "error" && strings.Contains(r.Text, want) }) {
			t.Errorf("exit status %d, no row with %q: %+v", exit, want, rows)
		}
	}
}

// What nobody has may be answered with an error too.
func TestUnassigned(t *testing.T) {
	r := servertest.NewResponder(t, program)
	for _, how := range []string{"unauthorized", "revoked"} {
		t.Run(how, func(t *testing.T) {
			servertest.WriteFile(t, r.Config, "unassigned = \""+how+"\"\n"+servertest.ReadFile(t, r.Config))
			address := servertest.FreeAddress(t)
			p := r.Listen(t, address)
			defer p.Stop(t)
			if rows, _ := checked(t, "-url", "http://"+address, "-config", r.Config); len(bad(rows)) > 0 {
				t.Errorf("%+v", bad(rows))
			}
			servertest.WriteFile(t, r.Config, strings.TrimPrefix(servertest.ReadFile(t, r.Config), "unassigned = \""+how+"\"\n"))
		})
	}
}

// Over TLS all of it works, and is no good idea.
func TestTLS(t *testing.T) {
	r := servertest.NewResponder(t, program)
	address := servertest.FreeAddress(t)
	r.Listen(t, address)
	front := httptest.NewTLSServer(httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: address}))
	defer front.Close()
	rows, _ := checked(t, "-url", front.URL, "-config", r.Config)
	if len(bad(rows)) > 0 {
		t.Errorf("%+v", bad(rows))
	}
	if !slices.ContainsFunc(rows, func(r row) bool { return r.Level == "warning" && strings.HasPrefix(r.Text, "the URL is https") }) {
		t.Errorf("nothing about https: %+v", rows)
	}
}
