package conformance_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"ocspcgi/lib/wire"
)

const ctype = "Content-Type: application/ocsp-request\r\n"

// question is a request for the good certificate, as body and as path.
func (k *kit) question() (der []byte, path string, good want) {
	id := k.ca.id(k.good...)
	der = request(list(id))
	return der, "/ocsp/" + url.QueryEscape(base64.StdEncoding.EncodeToString(der)), k.said(wire.Good, id, nil)
}

func TestMethods(t *testing.T) {
	k := newKit(t)
	der, path, good := k.question()
	length := fmt.Sprintf("Content-Length: %d\r\n", len(der))
	chunks := fmt.Appendf(nil, "%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n", 7, der[:7], len(der)-7, der[7:])
	for _, test := range []struct {
		row, method, target, fields string
		body                        []byte
		want                        want
	}{
		{"HTTP-01 POST", "POST", "/ocsp", ctype + length, der, good},
		{"HTTP-14 K:post-ctype-charset", "POST", "/ocsp", "Content-Type: application/ocsp-request; charset=utf-8\r\n" + length, der, good},
		{"HTTP-14 K:post-ctype-upper-case", "POST", "/ocsp", "CONTENT-TYPE: APPLICATION/OCSP-REQUEST\r\n" + length, der, good},
		{"HTTP-14 K:post-ctype-none", "POST", "/ocsp", length, der, want{page: 415}},
		{"HTTP-14 K:post-ctype-text", "POST", "/ocsp", "Content-Type: text/plain\r\n" + length, der, want{page: 415}},
		{"HTTP-14 K:post-ctype-form", "POST", "/ocsp", "Content-Type: application/x-www-form-urlencoded\r\n" + length, der, want{page: 415}},
		{"HTTP-14 K:post-ctype-response", "POST", "/ocsp", "Content-Type: application/ocsp-response\r\n" + length, der, want{page: 415}},
		{"HTTP-16 K:head-same-as-get-no-body", "HEAD", path, "", nil, good},
		{"HTTP-16 HEAD of the page", "HEAD", "/", "", nil, want{page: 200}},
		{"HTTP-17 K:options", "OPTIONS", "/ocsp", "", nil, want{page: 405}},
		{"HTTP-17 K:options, of all", "OPTIONS", "*", "", nil, want{page: 405}},
		{"HTTP-17 K:put", "PUT", "/ocsp", ctype + length, der, want{page: 405}},
		{"HTTP-17 K:delete", "DELETE", path, "", nil, want{page: 405}},
		{"HTTP-17 K:method-foo", "FOO", path, "", nil, want{page: 405}},
		{"HTTP-18 K:post-chunked", "POST", "/ocsp", ctype + "Transfer-Encoding: chunked\r\n", chunks, good},
		{"HTTP-19 K:accept-html-only", "GET", path, "Accept: text/html\r\n", nil, good},
		{"HTTP-19 K:accept-encoding-gzip", "GET", path, "Accept-Encoding: gzip, deflate, br\r\n", nil, good},
		{"HTTP-20 K:content-type-exact", "GET", path, "", nil, good},
		{"HTTP-20 K:content-type-exact, of an error", "POST", "/ocsp", ctype + "Content-Length: 1\r\n", []byte("x"), malformed},
		{"HTTP-22 K:content-length-present", "GET", path, "", nil, good},
		{"HTTP-23 K:get-cache-headers", "GET", path, "", nil, good},
		{"HTTP-24 max-age ends before nextUpdate", "GET", path, "", nil, good},
		{"HTTP-25 Expires and Last-Modified", "GET", path, "", nil, good},
		{"HTTP-26 ETag", "GET", path, "", nil, good},
		{"HTTP-28 K:get-cache-headers", "GET", path, "Cache-Control: no-store\r\nPragma: no-cache\r\n", nil, good},
		{"HTTP-29 K:error-not-cacheable", "POST", "/ocsp", ctype + "Content-Length: 0\r\n", nil, malformed},
		{"HTTP-34 no cookies", "GET", path, "Cookie: a=b\r\nOrigin: http://a.example\r\n", nil, good},
		{"HTTP-35 no redirect", "GET", path, "Upgrade-Insecure-Requests: 1\r\n", nil, good},
		{"RSP-08 an error comes with 200", "POST", "/ocsp", ctype + "Content-Length: 1\r\n", []byte("x"), malformed},
	} {
		t.Run(test.row, func(t *testing.T) {
			r := k.send(t, test.method, test.target, test.fields, test.body)
			if err := test.want.check(r, test.method == "HEAD"); err != nil {
				t.Error(err)
			}
			if r.status == 405 && r.header.Get("Allow") != "GET, HEAD, POST" {
				t.Errorf("Allow: %s", r.header.Get("Allow"))
			}
		})
	}
}

func TestExchanges(t *testing.T) {
	k := newKit(t)
	der, path, good := k.question()
	get := func(fields string) *reply { return k.send(t, "GET", path, fields, nil) }
	t.Run("HTTP-16 K:head-same-as-get-no-body", func(t *testing.T) {
		a, b := get(""), k.send(t, "HEAD", path, "", nil)
		for name := range a.header {
			if x, y := a.header.Get(name), b.header.Get(name); x != y && name != "Date" && name != "Cache-Control" {
				t.Errorf("%s: %q of GET, %q of HEAD", name, x, y)
			}
		}
	})
	t.Run("HTTP-18 K:post-expect-100", func(t *testing.T) { expectContinue(t, k, der, good) })
	t.Run("HTTP-21 nothing before the DER", func(t *testing.T) {
		if body := get("").body; body[0] != 0x30 {
			t.Errorf("the body begins with % x", first(body))
		}
	})
	t.Run("HTTP-27 K:conditional-304", func(t *testing.T) {
		full := get("")
		for _, field := range []string{"If-None-Match: " + full.header.Get("ETag"), "If-None-Match: *", "If-Modified-Since: " + full.header.Get("Last-Modified")} {
			r := get(field + "\r\n")
			if r.status != 304 || len(r.body) > 0 || r.header["Content-Type"] != nil {
				t.Errorf("%s: %d with %d bytes and %v", field, r.status, len(r.body), r.header)
			}
			for _, name := range []string{"Etag", "Expires", "Last-Modified"} {
				if r.header.Get(name) != full.header.Get(name) {
					t.Errorf("%s: %s %q", field, name, r.header[name])
				}
			}
		}
	})
	t.Run("HTTP-27 K:conditional-mismatch-200", func(t *testing.T) {
		for _, field := range []string{`If-None-Match: "0"`, "If-Modified-Since: Sat, 01 Jan 2000 00:00:00 GMT",
			`If-None-Match: "0"` + "\r\nIf-Modified-Since: Sat, 01 Jan 2050 00:00:00 GMT"} {
			if err := good.check(get(field+"\r\n"), false); err != nil {
				t.Errorf("%s: %v", field, err)
			}
		}
	})
	t.Run("HTTP-31 POST has the headers of GET", func(t *testing.T) {
		a, b := get(""), k.http(t, der)
		for _, name := range []string{"Etag", "Expires", "Last-Modified", "Content-Length", "Content-Type"} {
			if a.header.Get(name) != b.header.Get(name) {
				t.Errorf("%s: %q of GET, %q of POST", name, a.header.Get(name), b.header.Get(name))
			}
		}
	})
	for _, row := range []string{"HTTP-32 no-cache makes no new answer", "RSP-38 the same bytes"} {
		t.Run(row, func(t *testing.T) {
			fields := ctype + fmt.Sprintf("Content-Length: %d\r\nCache-Control: no-cache\r\nPragma: no-cache\r\n", len(der))
			a, b := k.send(t, "POST", "/ocsp", fields, der), k.send(t, "POST", "/ocsp", fields, der)
			if !bytes.Equal(a.body, b.body) {
				t.Error("two answers")
			}
		})
	}
	t.Run("HTTP-33 HTTP/1.0 without Host", func(t *testing.T) {
		data := fmt.Appendf(nil, "POST /ocsp HTTP/1.0\r\n%sContent-Length: %d\r\n\r\n%s", ctype, len(der), der)
		if err := good.check(k.talk(t, "POST", data), false); err != nil {
			t.Error(err)
		}
	})
}

// expectContinue sends the body when it was asked for, not before.
func expectContinue(t *testing.T, k *kit, der []byte, good want) {
	conn, err := net.Dial("tcp", k.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	fmt.Fprintf(conn, "POST /ocsp HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\n%sContent-Length: %d\r\n\r\n", ctype, len(der))
	in := bufio.NewReader(conn)
	for _, want := range []string{"HTTP/1.1 100 Continue\r\n", "\r\n"} {
		if line, err := in.ReadString('\n'); err != nil || line != want {
			t.Fatalf("%q, %v", line, err)
		}
	}
	if _, err := conn.Write(der); err != nil {
		t.Fatal(err)
	}
	if err := good.check(answerOf(t, "POST", in), false); err != nil {
		t.Error(err)
	}
}

// Behind httpd a path with %2F is 404 without AllowEncodedSlashes, and the
// length is lost without ap_trust_cgilike_cl.
func TestShippedSnippets(t *testing.T) {
	for _, file := range []string{"cgi-path", "cgi-host", "fcgi-path", "fcgi-host"} {
		text, err := os.ReadFile("../../apache/" + file + ".conf")
		if err != nil {
			t.Fatal(err)
		}
		for row, line := range map[string]string{"HTTP-06": "AllowEncodedSlashes NoDecode", "HTTP-22": "SetEnv ap_trust_cgilike_cl "} {
			t.Run(row+" "+file, func(t *testing.T) {
				if !strings.Contains(string(text), "\n"+line) && !strings.Contains(string(text), " "+line) {
					t.Errorf("without %s", line)
				}
			})
		}
	}
}
