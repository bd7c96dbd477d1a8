package httpd_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"ocspcgi/lib/httpd"
	"ocspcgi/lib/ocsphttp"
)

const date = "Sun, 06 Nov 1994 08:49:37 GMT"

// describe answers with what the request was, with fields as the real handler
// sets them.
func describe(_ context.Context, req *ocsphttp.Request, resp *ocsphttp.Response) {
	text := fmt.Sprintf("%s %s %d", req.Method, req.URI, len(req.Body))
	if req.BodyShort {
		text += " short"
	}
	resp.Status = 200
	resp.Header = fmt.Appendf(resp.Header[:0], "Content-Type: application/ocsp-response\r\nContent-Length: %d\r\nDate: %s\r\n", len(text), date)
	if string(req.Method) != "HEAD" {
		resp.Body = []byte(text)
	}
}

// page is what describe's answer looks like, with the lines in between.
func page(proto, between, text string) string {
	return fmt.Sprintf("%s 200 OK\r\nContent-Length: %d\r\nContent-Type: application/ocsp-response\r\nDate: %s\r\n%s\r\n", proto, len(text), date, between) + text
}

// start serves s until the test ends.
func start(t *testing.T, s *httpd.Server) (address string) {
	t.Helper()
	l, err := httpd.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, s, l)
	return l.Addr().String()
}

// serveOn serves s on l until the test ends.
func serveOn(t *testing.T, s *httpd.Server, l net.Listener) {
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
}

// dial opens a connection that gives up after a while.
func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

// talk sends text, says that it is all, and returns what comes back.
func talk(t *testing.T, address, text string) string {
	t.Helper()
	c := dial(t, address)
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(c)
	if err != nil {
		t.Fatalf("%q, %v", out, err)
	}
	return string(out)
}

func TestRaw(t *testing.T) {
	const h, closing = "Host: x\r\nConnection: close\r\n", "Connection: close\r\n"
	big := strings.Repeat("x", 200<<10)
	chunk := func(s string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(s), s) }
	address := start(t, &httpd.Server{Handler: describe, Log: func(err error) { t.Error(err) }})
	for _, c := range []struct{ name, send, want string }{
		{"HTTP-05 slashes", "GET //M//a+%2F/../%2e==?q#f HTTP/1.1\r\n" + h + "\r\n", page("HTTP/1.1", closing, "GET //M//a+%2F/../%2e==?q#f 0")},
		{"HTTP-05 absolute form", "GET http://x:80//M%2f HTTP/1.1\r\n" + h + "\r\n", page("HTTP/1.1", closing, "GET http://x:80//M%2f 0")},
		{"HTTP-05 OPTIONS *", "OPTIONS * HTTP/1.1\r\n" + h + "\r\n", page("HTTP/1.1", closing, "OPTIONS * 0")},
		{"HTTP-16 HEAD", "HEAD /a HTTP/1.1\r\n" + h + "\r\n", strings.TrimSuffix(page("HTTP/1.1", closing, "HEAD /a 0"), "HEAD /a 0")},
		{"HTTP-18 chunked", "POST / HTTP/1.1\r\n" + h + "Transfer-Encoding: chunked\r\n\r\n" + chunk("ab") + chunk("c") + chunk(""), page("HTTP/1.1", closing, "POST / 3")},
		{"HTTP-18 chunked, too long", "POST / HTTP/1.1\r\n" + h + "Transfer-Encoding: chunked\r\n\r\n" + chunk(big) + chunk(""), page("HTTP/1.1", closing, "POST / 65537")},
		{"HTTP-18 chunked, broken", "POST / HTTP/1.1\r\n" + h + "Transfer-Encoding: chunked\r\n\r\n" + chunk("ab") + "zz\r\n", page("HTTP/1.1", closing, "POST / 2 short")},
		{"HTTP-18 GET with Expect", "GET / HTTP/1.1\r\n" + h + "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n", page("HTTP/1.1", closing, "GET / 0")},
		{"HTTP-22 a long body", "POST / HTTP/1.1\r\n" + h + "Content-Length: 204800\r\n\r\n" + big, page("HTTP/1.1", closing, "POST / 65537")},
		{"HTTP-22 64 KiB", "POST / HTTP/1.1\r\n" + h + "Content-Length: 65536\r\n\r\n" + big[:65536], page("HTTP/1.1", closing, "POST / 65536")},
		{"HTTP-22 no body", "POST / HTTP/1.1\r\n" + h + "Content-Length: 0\r\n\r\n", page("HTTP/1.1", closing, "POST / 0")},
		{"HTTP-33 HTTP/1.0 without Host", "GET /a HTTP/1.0\r\n\r\n", page("HTTP/1.0", "", "GET /a 0")},
		{"HTTP-33 HTTP/1.0 POST", "POST /a HTTP/1.0\r\nContent-Length: 2\r\n\r\nab", page("HTTP/1.0", "", "POST /a 2")},
		{"HTTP-12 64 KiB in a path", "GET /" + big[:87384] + " HTTP/1.0\r\n\r\n", page("HTTP/1.0", "", "GET /"+big[:87384]+" 0")},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := talk(t, address, c.send); got != c.want {
				t.Errorf("%.300q\nwant %.300q", got, c.want)
			}
		})
	}
	t.Run("HTTP-18 Expect: 100-continue", func(t *testing.T) {
		c := dial(t, address)
		r := bufio.NewReader(c)
		fmt.Fprintf(c, "POST / HTTP/1.1\r\n%sExpect: 100-continue\r\nContent-Length: 2\r\n\r\n", h)
		line, err := r.ReadString('\n')
		if _, blank := r.ReadString('\n'); err != nil || blank != nil || line != "HTTP/1.1 100 Continue\r\n" {
			t.Fatalf("%q, %v", line, err)
		}
		fmt.Fprint(c, "ab")
		out, err := io.ReadAll(r)
		if err != nil || string(out) != page("HTTP/1.1", closing, "POST / 2") {
			t.Errorf("%q, %v", out, err)
		}
	})
	t.Run("HTTP-22 a body cut short", func(t *testing.T) {
		c := dial(t, address)
		fmt.Fprintf(c, "POST / HTTP/1.1\r\n%sContent-Length: 5\r\n\r\nab", h)
		if err := c.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		out, err := io.ReadAll(c)
		if err != nil || string(out) != page("HTTP/1.1", closing, "POST / 2 short") {
			t.Errorf("%q, %v", out, err)
		}
	})
}

// What is not HTTP gets an error of HTTP, and never reaches the handler.
func TestNoHTTP(t *testing.T) {
	address := start(t, &httpd.Server{Handler: func(_ context.Context, req *ocsphttp.Request, _ *ocsphttp.Response) {
		t.Errorf("asked for %q", req.URI)
	}})
	for _, c := range []struct{ name, send, want string }{
		{"DER", "\x30\x03\x0a\x01\x00\r\n\r\n", "400 Bad Request"},
		{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", "400 Bad Request"},
		{"no Host", "GET / HTTP/1.1\r\n\r\n", "400 Bad Request"},
		{"a field that is none", "GET / HTTP/1.1\r\nHost: x\r\nno field\r\n\r\n", "400 Bad Request"},
		{"two lengths", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "400 Bad Request"},
		{"another coding", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", "501 Not Implemented"},
		{"an expectation", "GET / HTTP/1.1\r\nHost: x\r\nExpect: nothing\r\n\r\n", "417 Expectation Failed"},
		{"a header without end", "GET /" + strings.Repeat("x", 256<<10), "431 Request Header Fields Too Large"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := talk(t, address, c.send); !strings.HasPrefix(got, "HTTP/1.1 "+c.want) {
				t.Errorf("%.200q, want %s", got, c.want)
			}
		})
	}
}

func TestFields(t *testing.T) {
	var got string
	address := start(t, &httpd.Server{Handler: func(_ context.Context, r *ocsphttp.Request, resp *ocsphttp.Response) {
		got = fmt.Sprintf("%s|%s|%s|%s|%s", r.Transport, r.ContentType, r.IfNoneMatch, r.IfModifiedSince, r.RemoteAddr)
		resp.Status = 304
		resp.Header = append(resp.Header[:0], "ETag: \"x\"\r\nCache-Control: a\r\nCache-Control: b\r\nDate: "+date+"\r\n"...)
	}})
	out := talk(t, address, "GET / HTTP/1.0\r\nContent-Type: a\r\nIf-None-Match: \"1\"\r\nIf-None-Match: \"2\"\r\nIf-Modified-Since: m\r\n\r\n")
	if want := `http|a|"1", "2"|m|127.0.0.1`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if want := "HTTP/1.0 304 Not Modified\r\nCache-Control: a\r\nCache-Control: b\r\nDate: " + date + "\r\nEtag: \"x\"\r\n\r\n"; out != want {
		t.Errorf("%q\nwant %q", out, want)
	}
}

func TestNothingIsGuessed(t *testing.T) {
	address := start(t, &httpd.Server{Handler: func(_ context.Context, _ *ocsphttp.Request, resp *ocsphttp.Response) {
		resp.Status = 200
		resp.Header = append(resp.Header[:0], "Date: "+date+"\r\n"...)
		resp.Body = []byte("<html>")
	}})
	want := "HTTP/1.0 200 OK\r\nDate: " + date + "\r\nContent-Length: 6\r\n\r\n<html>"
	if out := talk(t, address, "GET / HTTP/1.0\r\n\r\n"); out != want {
		t.Errorf("%q\nwant %q", out, want)
	}
}

func TestPanic(t *testing.T) {
	var log faults
	address := start(t, &httpd.Server{Log: log.add, Handler: func(context.Context, *ocsphttp.Request, *ocsphttp.Response) {
		panic("secret")
	}})
	for _, method := range []string{"GET", "HEAD"} {
		out := talk(t, address, method+" / HTTP/1.0\r\n\r\n")
		head, body, _ := strings.Cut(out, "\r\n\r\n")
		for _, line := range []string{"HTTP/1.0 200 OK", "Content-Type: application/ocsp-response", "Cache-Control: no-store", "Content-Length: 5"} {
			if !strings.Contains(head+"\r\n", line+"\r\n") {
				t.Errorf("%s: no %q in %q", method, line, head)
			}
		}
		if want := map[string]string{"GET": "\x30\x03\x0a\x01\x02"}[method]; body != want {
			t.Errorf("%s: body % x", method, body)
		}
	}
	if all := log.all(); len(all) != 2 || !strings.Contains(all[0].Error(), "secret") {
		t.Errorf("log %v", all)
	}
}

// faults is a log.
type faults struct {
	mu   sync.Mutex
	list []error
}

func (f *faults) add(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = append(f.list, err)
}

func (f *faults) all() []error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.list
}

func TestShutdown(t *testing.T) {
	entered := make(chan struct{})
	s := &httpd.Server{Handler: func(ctx context.Context, req *ocsphttp.Request, resp *ocsphttp.Response) {
		close(entered)
		<-ctx.Done()
		describe(ctx, req, resp)
	}}
	l, err := httpd.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	fmt.Fprint(dial(t, l.Addr().String()), "GET / HTTP/1.0\r\n\r\n")
	<-entered
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown: %v", err)
	}
	if err := <-done; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

func TestListen(t *testing.T) {
	for address, host := range map[string]string{
		"0": "[::]:", "*:0": "[::]:", ":0": "[::]:",
		"127.0.0.1:0": "127.0.0.1:", "localhost:0": "127.0.0.1:", "[::1]:0": "[::1]:",
	} {
		t.Run(address, func(t *testing.T) {
			l, err := httpd.Listen(address)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			if !strings.HasPrefix(l.Addr().String(), host) {
				t.Errorf("%s, want %s", l.Addr(), host)
			}
		})
	}
	if l, err := httpd.Listen("no port"); err == nil {
		t.Errorf("listens on %s", l.Addr())
	}
}
