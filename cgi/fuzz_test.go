package cgi_test

import (
	"bufio"
	"bytes"
	"context"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ocspcgi/cgi"
	"ocspcgi/lib/ocsphttp"
	"ocspcgi/lib/responder"
)

// environments are what web servers start a CGI program with, a variable a line,
// cut down to what may matter, and what none of them should.
var environments = []struct{ name, variables, stdin string }{
	{"Apache, POST", "GATEWAY_INTERFACE=CGI/1.1\nREQUEST_METHOD=POST\nREQUEST_URI=/ocsp\nSCRIPT_NAME=/ocsp\nQUERY_STRING=\nCONTENT_TYPE=application/ocsp-request\nCONTENT_LENGTH=5\nHTTP_HOST=localhost\nREMOTE_ADDR=127.0.0.1", "0\x03\x0a\x01\x01"},
	{"Apache, GET", "GATEWAY_INTERFACE=CGI/1.1\nREQUEST_METHOD=GET\nREQUEST_URI=/ocsp/MEUwQzBBMD8wPTAJBgUrDgMCGgUABBQAAAAAAAAAAAAAAAAAAAAAAAAAAAQUAAAAAAAAAAAAAAAAAAAAAAAAAAACAhAA\nSCRIPT_NAME=/ocsp\nPATH_INFO=/MEUwQzBBMD8w\nPATH_TRANSLATED=/var/www/html/x\nHTTP_USER_AGENT=Microsoft-CryptoAPI/10.0", ""},
	{"Apache, chunked", "GATEWAY_INTERFACE=CGI/1.1\nREQUEST_METHOD=POST\nCONTENT_TYPE=application/ocsp-request\nCONTENT_LENGTH=\nHTTP_TRANSFER_ENCODING=chunked", "0\x03\x0a\x01\x01"},
	{"Apache, HEAD and validators", "REQUEST_METHOD=HEAD\nREQUEST_URI=/ocsp/MEUwQzBBMD8wPTAJ\nHTTP_IF_NONE_MATCH=\"abcd\"\nHTTP_IF_MODIFIED_SINCE=Sat, 21 Nov 2026 11:55:00 GMT", ""},
	{"Apache, after a rewrite", "REDIRECT_STATUS=200\nREDIRECT_URL=/ocsp\nREQUEST_METHOD=POST\nREQUEST_URI=/ocsp\nCONTENT_TYPE=application/ocsp-request; charset=binary\nCONTENT_LENGTH=2", "0\x00"},
	{"lighttpd", "SERVER_SOFTWARE=lighttpd/1.4.69\nGATEWAY_INTERFACE=CGI/1.1\nREQUEST_METHOD=GET\nREQUEST_URI=/cgi-bin/ocsp/\nSCRIPT_NAME=/cgi-bin/ocsp\nPATH_INFO=/\nCONTENT_LENGTH=0", ""},
	{"busybox httpd", "REQUEST_METHOD=GET\nREQUEST_URI=/cgi-bin/ocsp\nSCRIPT_NAME=/cgi-bin/ocsp\nPATH_INFO=/MEUwQzBBMD8wPTAJ\nHTTP_HOST=a:80\nREMOTE_ADDR=[::1]", ""},
	{"mini_httpd, no REQUEST_URI", "SERVER_SOFTWARE=mini_httpd/1.30\nREQUEST_METHOD=GET\nSCRIPT_NAME=/ocsp\nPATH_INFO=/MEUwQzBBMD8wPTAJ", ""},
	{"nginx and fcgiwrap", "REQUEST_METHOD=POST\nCONTENT_TYPE=application/ocsp-request\nCONTENT_LENGTH=5\nREQUEST_URI=/ocsp\nDOCUMENT_URI=/ocsp\nREQUEST_SCHEME=http\nHTTP_ACCEPT_ENCODING=gzip", "0\x03\x0a\x01\x01"},
	{"a browser", "REQUEST_METHOD=GET\nREQUEST_URI=/ocsp\nHTTP_HOST=ocsp.example.com\nHTTP_ACCEPT=text/html", ""},
	{"a form", "REQUEST_METHOD=POST\nREQUEST_URI=/ocsp\nCONTENT_TYPE=application/x-www-form-urlencoded\nCONTENT_LENGTH=16", "certificate=1000"},
	{"another type", "REQUEST_METHOD=POST\nCONTENT_TYPE=text/plain\nCONTENT_LENGTH=5", "hello"},
	{"another method", "REQUEST_METHOD=DELETE\nREQUEST_URI=/ocsp", ""},
	{"short", "REQUEST_METHOD=POST\nCONTENT_TYPE=application/ocsp-request\nCONTENT_LENGTH=100", "hello"},
	{"long", "REQUEST_METHOD=POST\nCONTENT_TYPE=application/ocsp-request\nCONTENT_LENGTH=70000", strings.Repeat("x", 70000)},
	{"a length that is none", "REQUEST_METHOD=POST\nCONTENT_TYPE=application/ocsp-request\nCONTENT_LENGTH=1e18", "hello"},
	{"a length with spaces", "REQUEST_METHOD=POST\nCONTENT_TYPE=application/ocsp-request\nCONTENT_LENGTH= 5 ", "hello"},
	{"the longest length", "REQUEST_METHOD=POST\nCONTENT_TYPE=application/ocsp-request\nCONTENT_LENGTH=9223372036854775807", "hello"},
	{"a negative length", "REQUEST_METHOD=POST\nCONTENT_TYPE=application/ocsp-request\nCONTENT_LENGTH=-5", "hello"},
	{"lines in a host", "REQUEST_METHOD=GET\nREQUEST_URI=/\nHTTP_HOST=a\rSet-Cookie: b", ""},
	{"markup in a path", "REQUEST_METHOD=GET\nREQUEST_URI=/<script>alert(1)</script>?\"><b>\nSCRIPT_NAME=/<i>", ""},
	{"settings of others", "REQUEST_METHOD=GET\nHTTP_OCSP_INDEX=/etc/passwd\nHTTP_PROXY=http://x\nOCSP_INDEX=/etc/passwd", ""},
	{"nothing", "", ""},
}

// asOf is the time of all answers.
var asOf = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// answering answers everything with a few octets that may be kept.
func answering() ocsphttp.HandlerFunc {
	h := &ocsphttp.Handler{
		Now: func() time.Time { return asOf },
		Respond: func(_ context.Context, der []byte) *responder.Answer {
			return &responder.Answer{DER: []byte("0\x03\x0a\x01\x06"), ThisUpdate: asOf.Add(-time.Minute), NextUpdate: asOf.Add(time.Hour),
				Renewal: asOf.Add(time.Minute), ETag: `"abcd"`}
		},
	}
	return h.Serve
}

// FuzzEnvironment: whatever a program is started with, one write to stdout has
// one header of fields that are known, and DER or the page behind it, of the
// length that it says. What is not the request's changes nothing, and stdin is not
// read further than CONTENT_LENGTH.
func FuzzEnvironment(f *testing.F) {
	for _, e := range environments {
		f.Add(e.variables, []byte(e.stdin))
	}
	f.Fuzz(func(t *testing.T, variables string, stdin []byte) {
		lines := strings.Split(variables, "\n")
		env := environment(lines...)
		out := carried(t, lines, stdin)
		checkAnswer(t, env("REQUEST_METHOD"), out)
		others := slices.DeleteFunc(slices.Clone(lines), func(line string) bool {
			name, _, _ := strings.Cut(line, "=")
			return name != "CONTENT_LENGTH" && !slices.Contains(ocsphttp.Variables(), name)
		})
		others = append(others, "HTTP_OCSP_INDEX=x", "OCSP_CONFIG=x", "HTTP_PROXY=x", "HTTP_CONTENT_LENGTH=1")
		if again := carried(t, others, stdin); !bytes.Equal(again, out) {
			t.Fatalf("%q\nwithout what is not the request's: %q", out, again)
		}
	})
}

// carried is what is written for a request.
func carried(t *testing.T, variables []string, stdin []byte) []byte {
	env := environment(variables...)
	in, length := bytes.NewReader(stdin), len(stdin)
	var out output
	if err := cgi.Serve(context.Background(), env, in, &out, answering()); err != nil || out.writes != 1 {
		t.Fatalf("%d writes, %v", out.writes, err)
	}
	n, err := strconv.ParseUint(env("CONTENT_LENGTH"), 10, 63)
	if read := length - in.Len(); err == nil && uint64(read) > n {
		t.Fatalf("read %d bytes of %d", read, n)
	}
	return out.Bytes()
}

// known are the fields of every answer there is.
var known = []string{"Status", "Date", "Content-Type", "Content-Length", "Cache-Control", "Etag", "Expires", "Last-Modified",
	"Content-Security-Policy", "Referrer-Policy", "X-Content-Type-Options", "Allow"}

func checkAnswer(t *testing.T, method string, out []byte) {
	header, body, _ := bytes.Cut(out, []byte("\r\n\r\n"))
	fields, err := textproto.NewReader(bufio.NewReader(strings.NewReader(string(header) + "\r\n\r\n"))).ReadMIMEHeader()
	if err != nil || strings.Count(string(header), "\n") != strings.Count(string(header), "\r\n") {
		t.Fatalf("header %q: %v", header, err)
	}
	for name, values := range fields {
		if !slices.Contains(known, name) || len(values) != 1 {
			t.Fatalf("%s: %q", name, values)
		}
	}
	der, page := fields.Get("Content-Type") == "application/ocsp-response", bytes.HasPrefix(body, []byte("<!DOCTYPE html>"))
	switch status := fields.Get("Status"); {
	case status == "304 Not Modified":
		if len(body) > 0 || der {
			t.Fatalf("304 with %q", out)
		}
	case method == "HEAD" && len(body) > 0:
		t.Fatalf("HEAD with %q", body)
	case method != "HEAD" && (fields.Get("Content-Length") != strconv.Itoa(len(body)) || der == page || der && body[0] != '0'):
		t.Fatalf("%q", out)
	case page && bytes.Contains(body, []byte("<script")):
		t.Fatalf("a script in %q", body)
	}
}
