package servertest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"ocspcgi/lib/pkitest"
)

// Probe is one request, and what it is answered with.
type Probe struct {
	Name     string // begins with the row of the standards that demands it
	Method   string
	Path     string // behind the URL of the site
	Header   map[string]string
	Body     []byte
	Chunked  bool
	Absolute bool // as a client does that takes the site for its proxy

	Leaf *pkitest.Leaf // what is asked for; nil: the one with slashes
	Want string        // as outcome has it
}

// Probe sends every probe. Those that this web server answers in another way
// than the program would are in differs, by name.
func (s *Site) Probe(t *testing.T, differs map[string]string) {
	t.Helper()
	known := map[string]bool{}
	for _, p := range s.Probes(t) {
		known[p.Name] = true
		t.Run(p.Name, func(t *testing.T) {
			for _, fault := range s.Faults(p, differs) {
				t.Error(fault)
			}
		})
	}
	for name := range differs {
		if !known[name] {
			t.Errorf("there is no probe %q", name)
		}
	}
}

// Faults sends one probe and tells what is wrong with the reply.
func (s *Site) Faults(p Probe, differs map[string]string) []string {
	want := p.Want
	if d, ok := differs[p.Name]; ok {
		want = d
	}
	leaf := p.Leaf
	if leaf == nil {
		leaf = s.Slashes
	}
	reply, err := s.send(p)
	if err != nil {
		return []string{err.Error()}
	}
	var faults []string
	got := s.outcome(reply, leaf)
	if got != want {
		faults = append(faults, fmt.Sprintf("%s, want %s: %.80q", got, want, reply.DER))
	}
	if strings.HasSuffix(got, " server") {
		return faults
	}
	if reply.StatusCode == 405 && reply.Header.Get("Allow") != "GET, HEAD, POST" {
		faults = append(faults, "HTTP-17: Allow: "+reply.Header.Get("Allow"))
	}
	return append(faults, flaws(reply)...)
}

const requestType = "application/ocsp-request"

// Probes are the requests that every site answers.
func (s *Site) Probes(t testing.TB) []Probe {
	t.Helper()
	return append(s.gets(t), s.posts(t)...)
}

// gets are those whose request is in the path.
func (s *Site) gets(t testing.TB) []Probe {
	t.Helper()
	slashes := base64.StdEncoding.EncodeToString(s.request(t, s.Slashes))
	for _, part := range []string{"//", "++", "=="} {
		if !strings.Contains(slashes, part) {
			t.Fatalf("no %s in %s", part, slashes)
		}
	}
	get := escaped(s.request(t, s.Slashes))
	lower := strings.NewReplacer("%2F", "%2f", "%2B", "%2b", "%3D", "%3d").Replace(get)
	return []Probe{
		{Name: "HTTP-01 GET", Method: "GET", Path: "/" + get, Want: "200 good"},
		{Name: "HTTP-01 GET, revoked", Method: "GET", Path: "/" + escaped(s.request(t, s.Revoked)), Leaf: s.Revoked, Want: "200 revoked"},
		{Name: "HTTP-01 GET, unknown", Method: "GET", Path: "/" + escaped(s.request(t, s.Unknown)), Leaf: s.Unknown, Want: "200 unknown"},
		{Name: "HTTP-02 GET, lower-case escapes", Method: "GET", Path: "/" + lower, Want: "200 good"},
		{Name: "HTTP-02 GET, encoded twice", Method: "GET", Path: "/" + strings.ReplaceAll(get, "%", "%25"), Want: "200 good"},
		{Name: "HTTP-04 GET, raw", Method: "GET", Path: "/" + slashes, Want: "200 good"},
		{Name: "HTTP-07 GET, double slash", Method: "GET", Path: "//" + get, Want: "200 good"},
		{Name: "HTTP-07 GET, double slash, raw", Method: "GET", Path: "//" + slashes, Want: "200 good"},
		{Name: "HTTP-08 GET, no padding", Method: "GET", Path: "/" + strings.TrimRight(slashes, "="), Want: "200 good"},
		{Name: "HTTP-11 GET, query", Method: "GET", Path: "/" + get + "?x=1", Want: "200 good"},
		{Name: "HTTP-12 GET of 6 KB", Method: "GET", Path: "/" + escaped(s.long(t)), Want: "200 good"},
		{Name: "HTTP-13 GET, nothing", Method: "GET", Want: "200 page"},
		{Name: "HTTP-13 GET, slash", Method: "GET", Path: "/", Want: "200 page"},
		{Name: "HTTP-13 GET, cut off", Method: "GET", Path: "/" + slashes[:40], Want: "200 malformed"},
		{Name: "HTTP-16 HEAD", Method: "HEAD", Path: "/" + get, Want: "200 empty"},
		{Name: "HTTP-16 HEAD, nothing", Method: "HEAD", Want: "200 empty"},
		{Name: "GET, absolute form", Method: "GET", Path: "/" + get, Absolute: true, Want: "200 good"},
		{Name: "CGI-02 GET, words in the query", Method: "GET", Path: "/" + get + "?-index+/etc/passwd", Want: "200 good"},
		{Name: "CGI-02 GET, a flag in the query", Method: "GET", Path: "?-version", Want: "200 page"},
		{Name: "CGI-03 GET, a setting in the header", Method: "GET", Path: "/" + get, Want: "200 good",
			Header: map[string]string{"Ocsp-Config": "/x", "Ocsp_Config": "/x", "Ocsp-Index": "/x"}},
	}
}

// posts are those whose request is in the body, and the methods that have none.
func (s *Site) posts(t testing.TB) []Probe {
	t.Helper()
	body := s.request(t, s.Slashes)
	header := func(fields ...string) map[string]string {
		h := map[string]string{"Content-Type": requestType}
		for i := 0; i < len(fields); i += 2 {
			h[fields[i]] = fields[i+1]
		}
		return h
	}
	most, more := bytes.Repeat([]byte("M"), 64<<10), bytes.Repeat([]byte("M"), 70<<10)
	return []Probe{
		{Name: "HTTP-01 POST", Method: "POST", Header: header(), Body: body, Want: "200 good"},
		{Name: "HTTP-01 POST, slash", Method: "POST", Path: "/", Header: header(), Body: body, Want: "200 good"},
		{Name: "HTTP-01 POST, revoked", Method: "POST", Header: header(), Body: s.request(t, s.Revoked), Leaf: s.Revoked, Want: "200 revoked"},
		{Name: "HTTP-01 POST, unknown", Method: "POST", Header: header(), Body: s.request(t, s.Unknown), Leaf: s.Unknown, Want: "200 unknown"},
		{Name: "HTTP-14 POST, type with a parameter", Method: "POST", Header: header("Content-Type", "Application/OCSP-request; charset=x"), Body: body, Want: "200 good"},
		{Name: "HTTP-14 POST, other type", Method: "POST", Header: header("Content-Type", "text/plain"), Body: body, Want: "415 page"},
		{Name: "HTTP-14 POST, no type", Method: "POST", Body: body, Want: "415 page"},
		{Name: "HTTP-15 POST, empty", Method: "POST", Header: header(), Body: []byte{}, Want: "200 malformed"},
		{Name: "HTTP-15 POST, garbage", Method: "POST", Header: header(), Body: []byte("x"), Want: "200 malformed"},
		{Name: "HTTP-18 POST, chunked", Method: "POST", Header: header(), Body: body, Chunked: true, Want: "200 good"},
		{Name: "HTTP-18 POST, chunked, garbage", Method: "POST", Header: header(), Body: []byte("x"), Chunked: true, Want: "200 malformed"},
		{Name: "HTTP-18 POST, 100-continue", Method: "POST", Header: header("Expect", "100-continue"), Body: body, Want: "200 good"},
		{Name: "REQ-44 POST of 64 KiB", Method: "POST", Header: header(), Body: most, Want: "200 malformed"},
		{Name: "REQ-44 POST of 64 KiB, chunked", Method: "POST", Header: header(), Body: most, Chunked: true, Want: "200 malformed"},
		{Name: "REQ-44 POST of 70 KiB", Method: "POST", Header: header(), Body: more, Want: "413 page"},
		{Name: "REQ-44 POST of 70 KiB, chunked", Method: "POST", Header: header(), Body: more, Chunked: true, Want: "413 page"},
		{Name: "CGI-02 POST, words in the query", Method: "POST", Path: "?-index+/etc/passwd", Header: header(), Body: body, Want: "200 good"},
		{Name: "HTTP-17 PUT", Method: "PUT", Header: header(), Body: body, Want: "405 page"},
		{Name: "HTTP-17 DELETE", Method: "DELETE", Want: "405 page"},
		{Name: "HTTP-17 OPTIONS", Method: "OPTIONS", Want: "405 page"},
		{Name: "HTTP-17 FOO", Method: "FOO", Want: "405 page"},
		{Name: "HTTP-17 TRACE", Method: "TRACE", Want: "405 page"},
	}
}

// long is a request for so many certificates that its base64 has 6 KB.
func (s *Site) long(t testing.TB) []byte {
	t.Helper()
	args := []string{"-no_nonce"}
	for range 60 {
		args = append(args, "-cert", s.Slashes.Cert)
	}
	return pkitest.Request(t, s.CA, s.Slashes, args...)
}

// escaped is how clients write a request in a path (RFC 6960 A.1).
func escaped(der []byte) string {
	return strings.NewReplacer("/", "%2F", "+", "%2B", "=", "%3D").Replace(base64.StdEncoding.EncodeToString(der))
}
