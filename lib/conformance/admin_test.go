package conformance_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/servertest"
)

// administered is a company's responder with -admin on a socket.
type administered struct {
	*served
	*pkitest.Company
	client http.Client
}

func newAdministered(t *testing.T) *administered {
	t.Helper()
	c := pkitest.NewCompany(t)
	return administer(t, c, c.Signer)
}

func administer(t *testing.T, c *pkitest.Company, signer *pkitest.Signer) *administered {
	t.Helper()
	a := &administered{Company: c}
	socket := filepath.Join(servertest.Room(t), "admin")
	a.served = start(t, fmt.Sprintf("form = true\nadmin = %q\n[[issuer]]\nCA = %q\nindex = %q\nrsigner = %q\nrkey = %q\n",
		"unix:"+socket, a.Cert, a.Index, signer.Cert, signer.Key))
	a.client.Transport = servertest.OverUnix(socket)
	return a
}

// ask sends a request to the admin's listener.
func (a *administered) ask(t *testing.T, method, path, contentType string, body []byte) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequest(method, "http://admin"+path, strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := a.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(text)
}

func (a *administered) get(t *testing.T, path string) (int, string) {
	t.Helper()
	status, _, text := a.ask(t, "GET", path, "", nil)
	return status, text
}

// What was asked is counted, by the way it came.
func TestAdminCounts(t *testing.T) {
	a := newAdministered(t)
	good, revoked, unknown := pkitest.Request(t, a.CA, a.Good, "-no_nonce"), pkitest.Request(t, a.CA, a.Revoked, "-no_nonce"), pkitest.Request(t, a.CA, a.Unknown, "-no_nonce")
	for range 3 {
		a.http(t, good)
	}
	a.fastCGI(t, good)
	a.fastCGI(t, revoked)
	a.http(t, unknown)
	a.http(t, []byte("none"))
	a.send(t, "GET", "/", "", nil)
	a.send(t, "PUT", "/", "Content-Length: 0\r\n", nil)
	_, text := a.get(t, "/metrics")
	for _, line := range []string{
		`ocspcgi_requests_total{transport="fcgi",code="200",issuer="root",status="good"} 1`,
		`ocspcgi_requests_total{transport="fcgi",code="200",issuer="root",status="revoked"} 1`,
		`ocspcgi_requests_total{transport="http",code="200",issuer="root",status="good"} 3`,
		`ocspcgi_requests_total{transport="http",code="200",issuer="root",status="unknown"} 1`,
		`ocspcgi_requests_total{transport="http",code="200",issuer="",status="malformedRequest"} 1`,
		`ocspcgi_requests_total{transport="http",code="200",issuer="",status="page"} 1`,
		`ocspcgi_requests_total{transport="http",code="405",issuer="",status="page"} 1`,
		`ocspcgi_refused_total{reason="malformed"} 1`,
		`ocspcgi_refused_total{reason="method"} 1`,
		`ocspcgi_request_duration_seconds_count 9`,
		`ocspcgi_cache_hits_total 3`,
		`ocspcgi_cache_misses_total 3`,
		`ocspcgi_signatures_total{result="made"} 3`,
		`ocspcgi_signatures_total{result="failed"} 0`,
		`ocspcgi_index_believed{index="` + a.Index + `"} 1`,
		`ocspcgi_index_rows{index="` + a.Index + `"} 3`,
		fmt.Sprintf(`ocspcgi_signer_not_after_timestamp_seconds{issuer="root",signer="%s"} %d`, a.Signer.Cert, a.Signer.Certificate.NotAfter.Unix()),
		`ocspcgi_build_info{version="` + servertest.Version + `",goversion="go`,
	} {
		if !strings.Contains(text, "\n"+line) {
			t.Errorf("the metrics lack %s:\n%s", line, text)
		}
	}
	if _, page := a.get(t, "/"); !strings.Contains(page, ">Ready</h2>") || !strings.Contains(page, "4 good, 1 revoked, 1 unknown, 0 mixed, 1 refused, 2 others") {
		t.Errorf("the page says:\n%s", page)
	}
}

// Operators are told what is missing, and when it is there again.
func TestAdminReady(t *testing.T) {
	a := newAdministered(t)
	a.until(t, 200, "ready")
	rows := servertest.ReadFile(t, a.Index)
	replace(t, a.Index, rows+"V\t4601")
	a.until(t, 503, "root: index: "+a.Index)
	replace(t, a.Index, rows)
	a.until(t, 200, "ready")
	if err := os.Remove(a.Index); err != nil {
		t.Fatal(err)
	}
	a.until(t, 503, "root: index: "+a.Index)
	replace(t, a.Index, rows)
	a.until(t, 200, "ready")
	if status, text := a.get(t, "/healthz"); status != 200 || text != "alive\n" {
		t.Errorf("/healthz: %d %q", status, text)
	}
}

// A signer that has expired is told of, and so is the one in its place.
func TestAdminReadyOfSigner(t *testing.T) {
	c := pkitest.NewCompany(t)
	expired := c.OCSPSigner("expired", pkitest.Expired())
	a := administer(t, c, expired)
	a.until(t, 503, "root: signer: "+expired.Cert+": expired")
	_, text := a.get(t, "/status")
	var status struct {
		Ready   bool
		Missing []string
		Issuers []struct{ Able bool }
	}
	if err := json.Unmarshal([]byte(text), &status); err != nil || status.Ready || len(status.Missing) != 1 || status.Issuers[0].Able {
		t.Errorf("%v, %s", err, text)
	}
	replace(t, expired.Key, servertest.ReadFile(t, c.Signer.Key))
	replace(t, expired.Cert, servertest.ReadFile(t, c.Signer.Cert))
	a.until(t, 200, "ready")
}

// until waits for what /readyz says.
func (a *administered) until(t *testing.T, status int, says string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		got, text := a.get(t, "/readyz")
		if got == status && strings.HasPrefix(text, says) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d %q, want %d %q", got, text, status, says)
		}
	}
}

// replace puts a file in the place of another.
func replace(t *testing.T, path, text string) {
	t.Helper()
	servertest.WriteFile(t, path+".new", text)
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// The admin's listener knows no OCSP, and those of OCSP know no admin.
func TestAdminApart(t *testing.T) {
	a := newAdministered(t)
	request := pkitest.Request(t, a.CA, a.Good, "-no_nonce")
	for _, contentType := range []string{"application/ocsp-request", "application/x-www-form-urlencoded", ""} {
		status, header, text := a.ask(t, "POST", "/", contentType, request)
		if status != 405 || header.Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Errorf("POST of %q: %d %v %q", contentType, status, header, text)
		}
	}
	path := "/" + url.PathEscape(base64.StdEncoding.EncodeToString(request))
	if status, text := a.get(t, path); status != 404 {
		t.Errorf("GET %s: %d %q", path, status, text)
	}
	if got := a.send(t, "GET", path, "", nil); got.header.Get("Content-Type") != "application/ocsp-response" {
		t.Errorf("there is no such request: %v", got.header)
	}
	for _, path := range []string{"/metrics", "/healthz", "/readyz", "/status", "/"} {
		over := a.send(t, "GET", path, "", nil)
		fast := a.exchange(t, nil, "REQUEST_METHOD=GET", "REQUEST_URI="+path)
		for _, got := range []*reply{over, fast} {
			if text := string(got.body); got.status != 200 || !strings.Contains(text, "openssl ocsp -issuer") ||
				strings.Contains(text, a.Index) || strings.Contains(text, "ocspcgi_") {
				t.Errorf("%s where OCSP is answered: %d\n%s", path, got.status, text)
			}
		}
	}
}

var operators = regexp.MustCompile(`"address":"tcp:([^"]+)"[^\n]*"listening for operators"`)

// operators is the address of -admin, as the log has it.
func (s *served) operators(t *testing.T) string {
	t.Helper()
	found := operators.FindStringSubmatch(servertest.ReadFile(t, s.log))
	if found == nil {
		t.Fatalf("the log does not say where operators are answered:\n%s", servertest.ReadFile(t, s.log))
	}
	return found[1]
}

// An address that others reach is warned of.
func TestAdminForEverybody(t *testing.T) {
	c := pkitest.NewCompany(t)
	for address, warned := range map[string]bool{"http:127.0.0.1:0": false, "http:[::1]:0": false, "http::0": true} {
		s := start(t, fmt.Sprintf("admin = %q\n[[issuer]]\nCA = %q\nindex = %q\nrsigner = %q\nrkey = %q\n", address, c.Cert, c.Index, c.Signer.Cert, c.Signer.Key))
		_, port, err := net.SplitHostPort(s.operators(t))
		if err != nil {
			t.Fatal(err)
		}
		if log := servertest.ReadFile(t, s.log); strings.Contains(log, "-admin is open to everybody") != warned {
			t.Errorf("%s (port %s): %s", address, port, log)
		}
	}
}
