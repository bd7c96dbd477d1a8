package ocsphttp_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/ocsphttp"
	"ocspcgi/lib/responder"
)

var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// signed is an answer that may be kept for half an hour more.
func signed(context.Context, []byte) *responder.Answer {
	return &responder.Answer{
		DER:        []byte("signed"),
		ThisUpdate: now.Add(-5 * time.Minute),
		NextUpdate: now.Add(time.Hour),
		Renewal:    now.Add(30 * time.Minute),
		ETag:       `"abcd"`,
	}
}

func withNonce(context.Context, []byte) *responder.Answer {
	return &responder.Answer{DER: []byte("signed")}
}

func refused(context.Context, []byte) *responder.Answer {
	return &responder.Answer{DER: ocsp.UnauthorizedErrorResponse, Status: ocsp.Unauthorized, Err: errors.New("not ours")}
}

func serve(t *testing.T, h *ocsphttp.Handler, req ocsphttp.Request) (*ocsphttp.Response, textproto.MIMEHeader) {
	t.Helper()
	if h.Now == nil {
		h.Now = func() time.Time { return now }
	}
	var resp ocsphttp.Response
	h.Serve(context.Background(), &req, &resp)
	fields, err := textproto.NewReader(bufio.NewReader(strings.NewReader(string(resp.Header) + "\r\n"))).ReadMIMEHeader()
	if err != nil {
		t.Fatalf("header %q: %v", resp.Header, err)
	}
	return &resp, fields
}

func post(contentType string, body []byte) ocsphttp.Request {
	return ocsphttp.Request{Method: []byte("POST"), ContentType: []byte(contentType), Body: body}
}

func TestCacheHeaders(t *testing.T) {
	const keep = "max-age=1800, public, no-transform, must-revalidate"
	getOf := func(uri string) ocsphttp.Request {
		return ocsphttp.Request{Method: []byte("GET"), URI: []byte(uri)}
	}
	for _, test := range []struct {
		name    string
		respond func(context.Context, []byte) *responder.Answer
		req     ocsphttp.Request
		want    map[string]string
	}{
		{"HTTP-23 signed", signed, post("application/ocsp-request", request), map[string]string{
			"Cache-Control": keep, "Etag": `"abcd"`, "Content-Length": "6", "Content-Type": "application/ocsp-response",
			"Expires": "Sat, 21 Nov 2026 13:00:00 GMT", "Last-Modified": "Sat, 21 Nov 2026 11:55:00 GMT",
			"Date": "Sat, 21 Nov 2026 12:00:00 GMT",
		}},
		{"HTTP-29 nonce", withNonce, post("application/ocsp-request", request), map[string]string{
			"Cache-Control": "no-store", "Etag": "", "Expires": "", "Last-Modified": "",
		}},
		{"HTTP-29 error", refused, post("application/ocsp-request", request), map[string]string{
			"Cache-Control": "no-store", "Content-Type": "application/ocsp-response", "Content-Length": "5",
		}},
		{"HTTP-29 page", signed, getOf("/"), map[string]string{
			"Cache-Control": "no-store", "Content-Type": "text/html; charset=utf-8",
		}},
		{"HTTP-17 other method", signed, ocsphttp.Request{Method: []byte("PUT")}, map[string]string{
			"Allow": "GET, HEAD, POST", "Cache-Control": "no-store",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, fields := serve(t, &ocsphttp.Handler{Respond: test.respond}, test.req)
			for name, want := range test.want {
				if got := fields.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
		})
	}
}

func getRequest(fields ...string) ocsphttp.Request {
	req := ocsphttp.Request{Method: []byte("GET"), URI: []byte("/ocsp/" + base64.StdEncoding.EncodeToString(request))}
	for i := 0; i+1 < len(fields); i += 2 {
		switch fields[i] {
		case "If-None-Match":
			req.IfNoneMatch = []byte(fields[i+1])
		case "If-Modified-Since":
			req.IfModifiedSince = []byte(fields[i+1])
		}
	}
	return req
}

func TestConditionalRequests(t *testing.T) {
	for _, test := range []struct {
		name   string
		req    ocsphttp.Request
		status int
	}{
		{"HTTP-27 same ETag", getRequest("If-None-Match", `"abcd"`), 304},
		{"HTTP-27 weak form", getRequest("If-None-Match", `W/"abcd"`), 304},
		{"HTTP-27 in a list", getRequest("If-None-Match", `"x" , W/"y", "abcd"`), 304},
		{"HTTP-27 any", getRequest("If-None-Match", `*`), 304},
		{"HTTP-27 other ETag", getRequest("If-None-Match", `"abcde"`), 200},
		{"HTTP-27 unquoted", getRequest("If-None-Match", `abcd`), 200},
		{"HTTP-27 not modified since", getRequest("If-Modified-Since", "Sat, 21 Nov 2026 11:55:00 GMT"), 304},
		{"HTTP-27 modified since", getRequest("If-Modified-Since", "Sat, 21 Nov 2026 11:54:59 GMT"), 200},
		{"HTTP-27 a date of the client's own", getRequest("If-Modified-Since", "Sat, 21 Nov 2026 12:00:00 GMT"), 200},
		{"HTTP-27 no date", getRequest("If-Modified-Since", "yesterday"), 200},
		{"HTTP-27 the ETag wins", getRequest("If-None-Match", `"x"`, "If-Modified-Since", "Sat, 21 Nov 2026 11:55:00 GMT"), 200},
		{"HTTP-31 not for POST", func() ocsphttp.Request {
			req := post("application/ocsp-request", request)
			req.IfNoneMatch = []byte(`"abcd"`)
			return req
		}(), 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			resp, fields := serve(t, &ocsphttp.Handler{Respond: signed}, test.req)
			if resp.Status != test.status {
				t.Fatalf("status %d, want %d", resp.Status, test.status)
			}
			if fields.Get("ETag") != `"abcd"` || fields.Get("Cache-Control") == "" || fields.Get("Expires") == "" || fields.Get("Last-Modified") == "" {
				t.Errorf("fields are missing: %v", fields)
			}
			if test.status == 304 && (len(resp.Body) > 0 || fields.Get("Content-Type") != "" || fields.Get("Content-Length") != "") {
				t.Errorf("a 304 has a body, a type or a length: %v", fields)
			}
		})
	}
	for _, status := range []string{"revoked", "unknown"} {
		t.Run("HTTP-27 a date alone is not enough for "+status, func(t *testing.T) {
			other := func(ctx context.Context, der []byte) *responder.Answer {
				answer := signed(ctx, der)
				answer.Certs = []responder.Cert{{Status: "good"}, {Status: status}}
				return answer
			}
			for want, req := range map[int]ocsphttp.Request{
				200: getRequest("If-Modified-Since", "Sat, 21 Nov 2026 11:55:00 GMT"),
				304: getRequest("If-None-Match", `"abcd"`),
			} {
				if resp, _ := serve(t, &ocsphttp.Handler{Respond: other}, req); resp.Status != want {
					t.Errorf("status %d, want %d", resp.Status, want)
				}
			}
		})
	}
	t.Run("HTTP-27 never for an error", func(t *testing.T) {
		resp, _ := serve(t, &ocsphttp.Handler{Respond: refused}, getRequest("If-None-Match", "*"))
		if resp.Status != 200 {
			t.Errorf("status %d", resp.Status)
		}
	})
}

func TestMethodsTypesAndSizes(t *testing.T) {
	const derType = "application/ocsp-response"
	malformed := []byte{0x30, 3, 10, 1, 1}
	for _, test := range []struct {
		name    string
		handler ocsphttp.Handler
		req     ocsphttp.Request
		status  int
		body    []byte // nil: the page
	}{
		{"POST", ocsphttp.Handler{}, post("application/ocsp-request", request), 200, []byte("signed")},
		{"HTTP-14 letter case", ocsphttp.Handler{}, post("Application/OCSP-Request", request), 200, []byte("signed")},
		{"HTTP-14 parameters", ocsphttp.Handler{}, post("application/ocsp-request; charset=x", request), 200, []byte("signed")},
		{"HTTP-14 joined", ocsphttp.Handler{}, post("application/ocsp-request, application/ocsp-request", request), 200, []byte("signed")},
		{"HTTP-14 other type", ocsphttp.Handler{}, post("application/x-www-form-urlencoded", request), 415, nil},
		{"HTTP-14 no type", ocsphttp.Handler{}, post("", request), 415, nil},
		{"HTTP-14 the beginning of the type", ocsphttp.Handler{}, post("application/ocsp-requests", request), 415, nil},
		{"HTTP-14 any type where set", ocsphttp.Handler{AnyType: true}, post("", request), 200, []byte("signed")},
		{"REQ-44 over the limit", ocsphttp.Handler{}, post("application/ocsp-request", make([]byte, ocsphttp.MaxBody+1)), 413, nil},
		{"REQ-44 at the limit", ocsphttp.Handler{}, post("application/ocsp-request", make([]byte, ocsphttp.MaxBody)), 200, []byte("signed")},
		{"HTTP-17 DELETE", ocsphttp.Handler{}, ocsphttp.Request{Method: []byte("DELETE")}, 405, nil},
		{"HTTP-17 OPTIONS", ocsphttp.Handler{}, ocsphttp.Request{Method: []byte("OPTIONS")}, 405, nil},
		{"HTTP-17 lower case", ocsphttp.Handler{}, ocsphttp.Request{Method: []byte("get")}, 405, nil},
		{"HTTP-17 no method", ocsphttp.Handler{}, ocsphttp.Request{}, 405, nil},
		{"CGI-07 short body", ocsphttp.Handler{}, func() ocsphttp.Request {
			req := post("application/ocsp-request", request)
			req.BodyShort = true
			return req
		}(), 200, malformed},
		{"RSP-08 error", ocsphttp.Handler{Respond: refused}, post("application/ocsp-request", request), 200, ocsp.UnauthorizedErrorResponse},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := test.handler
			if h.Respond == nil {
				h.Respond = signed
			}
			resp, fields := serve(t, &h, test.req)
			if resp.Status != test.status {
				t.Fatalf("status %d, want %d", resp.Status, test.status)
			}
			if test.body == nil {
				if !bytes.HasPrefix(resp.Body, []byte("<!DOCTYPE html>")) {
					t.Errorf("not the page: %q", resp.Body)
				}
				return
			}
			if !bytes.Equal(resp.Body, test.body) || fields.Get("Content-Type") != derType {
				t.Errorf("body %x of %s, want %x", resp.Body, fields.Get("Content-Type"), test.body)
			}
		})
	}
}

func TestHEAD(t *testing.T) {
	for _, path := range []string{string(getRequest().URI), "/", "/ocsp/M" + strings.Repeat("z", 40)} {
		t.Run("HTTP-16 "+path, func(t *testing.T) {
			h := &ocsphttp.Handler{Respond: signed}
			get, _ := serve(t, h, ocsphttp.Request{Method: []byte("GET"), URI: []byte(path)})
			head, _ := serve(t, h, ocsphttp.Request{Method: []byte("HEAD"), URI: []byte(path)})
			if len(head.Body) > 0 {
				t.Errorf("a body of %d bytes", len(head.Body))
			}
			if string(head.Header) != string(get.Header) || head.Status != get.Status {
				t.Errorf("HEAD: %d %q\nGET: %d %q", head.Status, head.Header, get.Status, get.Header)
			}
		})
	}
}

func TestPage(t *testing.T) {
	h := &ocsphttp.Handler{Respond: signed, Page: ocsphttp.Page{
		Version: "1.2 <3>", Hyperlink: "https://ca.example.com/?a=1&b=\"2\"",
		Issuers: func() []*responder.Issuer {
			return []*responder.Issuer{{Name: "Alice & Bob's <CA>"}, {Name: "Second CA\r\n\u202e"}}
		},
	}}
	for _, test := range []struct {
		name, host, uri string
		has             string
	}{
		{"version", "", "/", "ocspcgi 1.2 &lt;3&gt;"},
		{"issuers", "", "/", "<li>Alice &amp; Bob&#39;s &lt;CA&gt;</li>\n<li>Second CA\uFFFD\uFFFD\uFFFD</li>"},
		{"link", "", "/", `<a href="https://ca.example.com/?a=1&amp;b=&#34;2&#34;">`},
		{"how to ask", "ca.example.com:8080", "/ocsp", "openssl ocsp -issuer ca.pem -cert certificate.pem -CAfile ca.pem -url http://ca.example.com:8080/ocsp</pre>"},
		{"a host that is none", "a<script>b", "/ocsp", "-url http://ocsp.example.com/ocsp</pre>"},
		{"a path that a shell would read", "h", "/ocsp/$(id)", "-url http://h</pre>"},
	} {
		t.Run(test.name, func(t *testing.T) {
			resp, _ := serve(t, h, ocsphttp.Request{Method: []byte("GET"), Host: []byte(test.host), URI: []byte(test.uri)})
			if !bytes.Contains(resp.Body, []byte(test.has)) {
				t.Errorf("the page lacks %s:\n%s", test.has, resp.Body)
			}
		})
	}
}

func TestLog(t *testing.T) {
	var records []ocsphttp.Record
	h := &ocsphttp.Handler{Respond: refused, Log: func(r *ocsphttp.Record) { records = append(records, *r) }}
	serve(t, h, getRequest())
	serve(t, h, ocsphttp.Request{Method: []byte("GET"), URI: []byte("/")})
	if len(records) != 2 || records[0].Answer == nil || records[1].Answer != nil {
		t.Fatalf("records %+v", records)
	}
	if err := records[0].Answer.Err; err == nil || records[0].Status != 200 {
		t.Errorf("the log of an error: %v with status %d", err, records[0].Status)
	}
}

func TestAppendCGI(t *testing.T) {
	resp := ocsphttp.Response{Status: 304, Header: []byte("A: b\r\n"), Body: []byte("c")}
	if got, want := string(resp.AppendCGI([]byte("x"))), "xStatus: 304 Not Modified\r\nA: b\r\n\r\nc"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestKeptAnswerDoesNotAllocate(t *testing.T) {
	answer := signed(context.Background(), nil)
	h := &ocsphttp.Handler{
		Respond: func(context.Context, []byte) *responder.Answer { return answer },
		Now:     func() time.Time { return now },
		Log:     func(*ocsphttp.Record) {},
	}
	var resp ocsphttp.Response
	for name, req := range map[string]ocsphttp.Request{"GET": getRequest(), "POST": post("application/ocsp-request", request)} {
		if n := testing.AllocsPerRun(100, func() { h.Serve(context.Background(), &req, &resp) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
