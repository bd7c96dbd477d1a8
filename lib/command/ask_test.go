package command_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"ocspcgi/lib/pkitest"
)

// What a web server says that is no OCSP response is told, and nothing of it is
// followed.
func TestQueryRefuses(t *testing.T) {
	ca := pkitest.New(t)
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		switch name := strings.Split(r.URL.Path, "/")[1]; name {
		case "moved":
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		case "absent":
			http.NotFound(w, r)
		case "page":
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<html>")
		case "slow":
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				t.Error(err)
			}
			<-r.Context().Done()
		default:
			w.Header().Set("Content-Type", "application/ocsp-response")
			switch name {
			case "damaged":
				fmt.Fprint(w, "0\x82\x01\x00")
			case "long":
				w.Write(make([]byte, 1<<20+1))
			case "later":
				fmt.Fprint(w, "0\x03\x0a\x01\x03")
			}
		}
	}))
	defer server.Close()
	for path, want := range map[string]string{
		"moved":   `HTTP status 302 to "/elsewhere": redirections are not followed`,
		"absent":  "HTTP status 404 (Not Found) instead of an answer",
		"page":    `an answer of the type "text/html", not application/ocsp-response`,
		"empty":   "an empty answer",
		"damaged": "no OCSPResponse: byte 0: OCSPResponse is cut off: it says that it has 256 bytes, and there are 0",
		"long":    "larger than 1 MiB",
		"later":   "is the error tryLater (3)",
		"slow":    "no answer within the time of -timeout",
	} {
		for _, method := range []string{"-get", "-nonce"} {
			asked.Store(0)
			code, stdout, stderr := call(t, "query", "-timeout", "0.3", method, "-ca", ca.Cert, "-serial", "1000", server.URL+"/"+path)
			// On a busy machine the time can end before the server is asked.
			tooLate := path == "slow" && asked.Load() == 0
			if code != 3 || stdout != "" || !strings.Contains(stderr, want) || asked.Load() != 1 && !tooLate {
				t.Errorf("%s %s: %d, asked %d times\n%s%s", path, method, code, asked.Load(), stdout, stderr)
			}
		}
	}
}

// openssl answers what query asks, and what it signs is believed: good, revoked
// and unknown.
func TestQueryOfOpenSSL(t *testing.T) {
	c := pkitest.NewCompany(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request, answer := filepath.Join(t.TempDir(), "q"), filepath.Join(t.TempDir(), "a")
		f, err := os.Create(request)
		if err == nil {
			_, err = f.ReadFrom(r.Body)
			f.Close()
		}
		if err != nil || r.Header.Get("Content-Type") != "application/ocsp-request" {
			t.Error(err, r.Header)
		}
		pkitest.OpenSSL(t, append([]string{"ocsp", "-nmin", "60", "-reqin", request, "-respout", answer}, c.Flags(c.Signer)...)...)
		w.Header().Set("Content-Type", "application/ocsp-response")
		http.ServeFile(w, r, answer)
	}))
	defer server.Close()
	for code, leaf := range []*pkitest.Leaf{c.Good, c.Revoked, c.Unknown} {
		got, stdout, stderr := call(t, "query", "-nonce", "-ca", c.Cert, leaf.Cert, server.URL)
		if got != code || !strings.Contains(stdout, leaf.Cert+": ") {
			t.Errorf("%s: %d, want %d\n%s%s", leaf.Cert, got, code, stdout, stderr)
		}
	}
}
