package servertest

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"
)

// Caching checks what a GET says of how long its answer may be kept, and that
// a client which has the answer gets no second one: of a responder that stays
// and keeps its answers, or of one that signs each anew.
func (s *Site) Caching(t *testing.T, stays bool) {
	get := Probe{Method: "GET", Path: "/" + escaped(s.request(t, s.Slashes))}
	first := s.Reply(t, get)
	answer, err := ocsp.ParseResponseForCert(first.DER, s.Slashes.Certificate, s.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	etag := fmt.Sprintf(`"%x"`, sha256.Sum256(first.DER))
	t.Run("HTTP-23 Cache-Control", func(t *testing.T) {
		age, rest, _ := strings.Cut(strings.TrimPrefix(first.Header.Get("Cache-Control"), "max-age="), ", ")
		seconds, err := strconv.Atoi(age)
		if err != nil || seconds <= 0 || time.Until(answer.NextUpdate) < time.Duration(seconds)*time.Second ||
			rest != "public, no-transform, must-revalidate" {
			t.Errorf("%q, next update %v", first.Header.Get("Cache-Control"), answer.NextUpdate)
		}
	})
	for _, row := range []struct{ name, field, want string }{
		{"HTTP-20", "Content-Type", "application/ocsp-response"},
		{"HTTP-22", "Content-Length", strconv.Itoa(len(first.DER))},
		{"HTTP-25", "Expires", answer.NextUpdate.UTC().Format(http.TimeFormat)},
		{"HTTP-25", "Last-Modified", answer.ThisUpdate.UTC().Format(http.TimeFormat)},
	} {
		t.Run(row.name+" "+row.field, func(t *testing.T) {
			if got := first.Header.Get(row.field); got != row.want {
				t.Errorf("%q, want %q", got, row.want)
			}
		})
	}
	t.Run("HTTP-26 ETag", func(t *testing.T) {
		if got := first.Header.Get("ETag"); got != etag {
			t.Errorf("%s, want %s", got, etag)
		}
	})
	s.conditional(t, get, "200 good", map[string]string{
		"If-None-Match":     `"x"`,
		"If-Modified-Since": answer.ThisUpdate.Add(-time.Second).UTC().Format(http.TimeFormat),
	})
	s.conditional(t, get, "304 empty", map[string]string{"If-None-Match": "*"})
	if stays {
		t.Run("HTTP-16 HEAD", func(t *testing.T) {
			head := s.Reply(t, Probe{Method: "HEAD", Path: get.Path})
			for _, field := range []string{"Content-Type", "Content-Length", "ETag", "Expires", "Last-Modified"} {
				if got, want := head.Header.Get(field), first.Header.Get(field); got != want {
					t.Errorf("%s: %q, by GET %q", field, got, want)
				}
			}
		})
		s.conditional(t, get, "304 empty", map[string]string{"If-None-Match": `"x", W/` + etag})
		s.conditional(t, get, "304 empty", map[string]string{"If-Modified-Since": first.Header.Get("Last-Modified")})
	}
}

// conditional asks once more, with each of the fields by itself.
func (s *Site) conditional(t *testing.T, get Probe, want string, fields map[string]string) {
	for field, value := range fields {
		t.Run("HTTP-27 "+field+" gives "+want, func(t *testing.T) {
			get.Header = map[string]string{field: value}
			reply := s.Reply(t, get)
			if got := s.outcome(reply, s.Slashes); got != want {
				t.Fatalf("%s, want %s", got, want)
			}
			for _, field := range []string{"Cache-Control", "ETag", "Expires", "Last-Modified"} {
				if reply.Header.Get(field) == "" {
					t.Errorf("no %s", field)
				}
			}
		})
	}
}

// Plain checks the answers that are not signed: an OCSP error, and the page.
func (s *Site) Plain(t *testing.T) {
	t.Run("HTTP-15 malformedRequest to the byte", func(t *testing.T) {
		for _, chunked := range []bool{false, true} {
			reply := s.Reply(t, Probe{Method: "POST", Body: []byte("x"), Chunked: chunked, Header: map[string]string{"Content-Type": requestType}})
			if !bytes.Equal(reply.DER, ocsp.MalformedRequestErrorResponse) || reply.StatusCode != 200 {
				t.Errorf("%d %x", reply.StatusCode, reply.DER)
			}
			if got := reply.Header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("HTTP-29: Cache-Control: %q", got)
			}
		}
	})
	t.Run("1.4 the page", func(t *testing.T) {
		reply := s.Reply(t, Probe{Method: "GET"})
		for part, why := range map[string]string{
			"ocspcgi " + Version:    "version",
			Hyperlink:               "OCSP_HYPERLINK",
			"-url http://127.0.0.1": "HTTP_HOST, which is ocsphttp.Request.Host",
		} {
			if !bytes.Contains(reply.DER, []byte(part)) {
				t.Errorf("no %q (%s)", part, why)
			}
		}
		if got := reply.Header.Get("Content-Type"); !strings.HasPrefix(got, "text/html") {
			t.Errorf("Content-Type: %q", got)
		}
		for _, secret := range []string{s.Config, s.Responder.Dir, s.CA.Dir, s.Program} {
			if bytes.Contains(reply.DER, []byte(secret)) {
				t.Errorf("%q in %s", secret, reply.DER)
			}
		}
	})
}
