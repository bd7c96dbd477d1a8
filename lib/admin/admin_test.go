package admin_test

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"ocspcgi/lib/admin"
	"ocspcgi/lib/ocsphttp"
	"ocspcgi/lib/pkitest"
)

// ready checks what /readyz says: nothing missing, or each of these.
func (k *kept) ready(t *testing.T, missing ...string) {
	t.Helper()
	status, body := k.get(t, "/readyz")
	want := 200
	if len(missing) > 0 {
		want = 503
	}
	if status != want || len(missing) > 0 && strings.Count(body, "\n") != len(missing) {
		t.Errorf("%d, want %d:\n%s", status, want, body)
	}
	for _, what := range missing {
		if !strings.Contains(body, what) {
			t.Errorf("does not name %s:\n%s", what, body)
		}
	}
	if got := k.status(t); got.Ready != (want == 200) || len(got.Missing) != len(missing) {
		t.Errorf("/status says %v, %q", got.Ready, got.Missing)
	}
	if _, page := k.get(t, "/"); strings.Contains(page, ">Not ready</h2>") != (want == 503) {
		t.Errorf("the page says otherwise:\n%s", page)
	}
}

func (k *kept) status(t *testing.T) (s admin.Status) {
	t.Helper()
	_, body := k.get(t, "/status")
	d := json.NewDecoder(strings.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return s
}

func TestReadyByTheIndex(t *testing.T) {
	k := newKept(t)
	k.ready(t)
	rows, err := os.ReadFile(k.Index)
	if err != nil {
		t.Fatal(err)
	}
	write(t, k.Index, string(rows)+"V\t46010")
	k.keeper.Accept()
	k.ready(t, "root: index: "+k.Index+": ")
	write(t, k.Index, string(rows))
	k.keeper.Accept()
	k.ready(t)
	if err := os.Remove(k.Index); err != nil {
		t.Fatal(err)
	}
	k.keeper.Accept()
	k.ready(t, "root: index: "+k.Index+": ")
	write(t, k.Index, string(rows))
	k.keeper.Accept()
	k.ready(t)
}

func TestReadyByTheSigner(t *testing.T) {
	k := newKept(t)
	k.set(k.signer.Certificate.NotAfter.Add(-5 * time.Minute))
	k.ready(t, "root: signer: "+k.signer.Cert+": ends at")
	k.set(k.signer.Certificate.NotAfter.Add(time.Hour))
	k.ready(t, "root: signer: "+k.signer.Cert+": expired")
	if left := k.status(t).Issuers[0].Signers[0].DaysLeft; left != -1 {
		t.Errorf("%d days left", left)
	}
	next := k.OCSPSigner("next", pkitest.Valid(k.now().Add(-time.Hour), k.now().Add(30*24*time.Hour)))
	for from, to := range map[string]string{next.Cert: k.signer.Cert, next.Key: k.signer.Key} {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	k.keeper.Accept()
	k.ready(t)
	if left := k.status(t).Issuers[0].Signers[0].DaysLeft; left != 30 {
		t.Errorf("%d days left", left)
	}
}

func TestReadyUntilTheEnd(t *testing.T) {
	k := newKept(t)
	ending := false
	k.Ending = func() bool { return ending }
	k.ready(t)
	ending = true
	k.ready(t, "the process is ending")
}

func TestStatus(t *testing.T) {
	k := newKept(t)
	leaf := k.Issue("leaf")
	k.keeper.Accept()
	k.request(t, leaf)
	k.request(t, leaf)
	s := k.status(t)
	if s.Version != "1.2 <3>" || s.Requests.Good != 2 || s.Signatures.Made != 1 || s.CacheBytes < 300 || !s.Now.Equal(k.now()) {
		t.Errorf("%+v", s)
	}
	if i := s.Issuers[0]; i.Name != "root" || !i.Able || i.Index.Rows != 2 || !i.Index.Believed || i.Index.Modified == nil || i.Signers[0].Path != k.signer.Cert {
		t.Errorf("%+v", i)
	}
}

// Names are those of certificates, which anybody may have written.
func TestNamesAreText(t *testing.T) {
	k := newKept(t, pkitest.Subject("/CN=<script>\"x\"&\nnext"))
	k.Issue("leaf")
	k.set(k.signer.Certificate.NotAfter.Add(time.Hour))
	k.ready(t, "<script>\"x\"&; next: signer")
	_, page := k.get(t, "/")
	if strings.Contains(page, "<script>") || !strings.Contains(page, "<h3>&lt;script&gt;&#34;x&#34;&amp;; next</h3>") {
		t.Errorf("the page has markup of a name:\n%s", page)
	}
	if _, text := k.get(t, "/metrics"); !strings.Contains(text, `ocspcgi_issuer_able{issuer="<script>\"x\"&\nnext"} 0`+"\n") {
		t.Errorf("the metrics have a name that spoils them:\n%s", text)
	}
}

func TestPage(t *testing.T) {
	k := newKept(t)
	leaf := k.Issue("leaf")
	k.keeper.Accept()
	for range 12 {
		k.request(t, leaf)
		k.Metrics.Minutes()
		k.set(k.now().Add(7 * time.Minute))
	}
	_, page := k.get(t, "/")
	for d := xml.NewDecoder(strings.NewReader(page)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, page)
		}
	}
	if n := strings.Count(page, `<rect class="c-good"`); n < 10 {
		t.Errorf("%d columns of good answers", n)
	}
	for _, has := range []string{`<html lang="en">`, "<main>", "12 good, 0 revoked", `class="p50" d="M`, "<footer>ocspcgi 1.2 &lt;3&gt;</footer>"} {
		if !strings.Contains(page, has) {
			t.Errorf("the page lacks %s:\n%s", has, page)
		}
	}
	for _, hasNot := range []string{"<script", "style=", "http://", "https://"} {
		if strings.Contains(page, hasNot) {
			t.Errorf("the page has %s", hasNot)
		}
	}
	if len(page) > 200_000 {
		t.Errorf("the page has %d bytes", len(page))
	}
}

func TestPaths(t *testing.T) {
	k := newKept(t)
	for _, test := range []struct {
		method, uri string
		status      int
		has         string
	}{
		{"GET", "/healthz", 200, "alive\n"},
		{"GET", "/metrics?x=y", 200, "# HELP "},
		{"HEAD", "/metrics", 200, ""},
		{"GET", "/nothing", 404, "/readyz"},
		{"GET", "/MEIwQDA+MDwwOjAJBgUrDgMCGgUABBTz", 404, "/readyz"},
		{"POST", "/", 405, "GET or HEAD\n"},
		{"POST", "/readyz", 405, "GET or HEAD\n"},
	} {
		var resp ocsphttp.Response
		k.Serve(context.Background(), &ocsphttp.Request{Method: []byte(test.method), URI: []byte(test.uri), ContentType: []byte("application/ocsp-request"), Body: []byte{0x30, 0}}, &resp)
		if resp.Status != test.status || !strings.Contains(string(resp.Body), test.has) || (test.method == "HEAD") != (len(resp.Body) == 0) {
			t.Errorf("%s %s: %d %q", test.method, test.uri, resp.Status, resp.Body)
		}
	}
}

// A fault is told in words: never in OCSP.
func TestPanic(t *testing.T) {
	told := 0
	a := &admin.Admin{Log: func(error) { told++ }}
	var resp ocsphttp.Response
	a.Serve(context.Background(), &ocsphttp.Request{Method: []byte("GET"), URI: []byte("/metrics")}, &resp)
	if resp.Status != 500 || !strings.HasPrefix(string(resp.Body), "a fault") || told != 1 {
		t.Errorf("%d %q, told %d times", resp.Status, resp.Body, told)
	}
}

// Where only this machine is meant to ask, a name that somebody else has made point
// here is not answered.
func TestHosts(t *testing.T) {
	k := newKept(t)
	for _, test := range []struct {
		loopback, host string
		status         int
	}{
		{"127.0.0.1", "127.0.0.1:9180", 200},
		{"127.0.0.1", "localhost:9180", 200},
		{"127.0.0.1", "LocalHost", 200},
		{"127.0.0.1", "[::1]:9180", 200},
		{"127.0.0.1", "[::1]", 200},
		{"127.0.0.1", "", 200},
		{"ca.internal", "ca.internal:9180", 200},
		{"ca.internal", "localhost", 200},
		{"ca.internal", "www.example.com:9180", 421},
		{"127.0.0.1", "www.example.com:9180", 421},
		{"127.0.0.1", "www.example.com", 421},
		{"127.0.0.1", "localhost.example.com:9180", 421},
		{"127.0.0.1", "127.0.0.1.example.com", 421},
		{"", "www.example.com", 200},
	} {
		k.Loopback = test.loopback
		for _, path := range []string{"/", "/healthz", "/readyz", "/status", "/metrics"} {
			var resp ocsphttp.Response
			k.Serve(context.Background(), &ocsphttp.Request{Method: []byte("GET"), URI: []byte(path), Host: []byte(test.host)}, &resp)
			if resp.Status != test.status {
				t.Errorf("on %q, %s asked as %q says %d, want %d", test.loopback, path, test.host, resp.Status, test.status)
			}
			if test.status == 421 && !strings.Contains(string(resp.Body), "by no other host name") {
				t.Errorf("says %s", resp.Body)
			}
		}
	}
}
