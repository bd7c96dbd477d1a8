package fcgi_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"

	"ocspcgi/fcgi"
	"ocspcgi/lib/ocsphttp"
)

func TestFields(t *testing.T) {
	var got string
	s := &fcgi.Server{Handler: func(ctx context.Context, r *ocsphttp.Request, resp *ocsphttp.Response) {
		got = fmt.Sprintf("%s|%s|%s|%s|%s|%s|%s|%s|%s|%s", r.Transport, r.Method, r.URI, r.ScriptName, r.PathInfo,
			r.ContentType, r.IfNoneMatch, r.IfModifiedSince, r.RemoteAddr, r.Body)
		describe(ctx, r, resp)
	}}
	talk(t, s, wire{}.begin(1, responder, 0).params(1, "REQUEST_METHOD", "POST", "REQUEST_URI", "/u", "SCRIPT_NAME", "/s",
		"PATH_INFO", "/p", "CONTENT_TYPE", "t", "CONTENT_LENGTH", "1", "HTTP_CONTENT_TYPE", "x", "HTTP_IF_NONE_MATCH", "n",
		"HTTP_IF_MODIFIED_SINCE", "m", "REMOTE_ADDR", "::1", "OCSP_INDEX", "/etc/passwd").stdin(1, []byte("b")))
	if want := "fcgi|POST|/u|/s|/p|t|n|m|::1|b"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestMoved makes a body push its parameters to the front of the buffer.
func TestMoved(t *testing.T) {
	first := wire{}.post(1, 1, make([]byte, 2000))
	second := wire{}.post(1, 0, make([]byte, 2500))
	got := talk(t, &fcgi.Server{Handler: describe}, append(first, second[:300]...), second[300:])
	if want := append(answer(1, "POST /ocsp 2000"), answer(1, "POST /ocsp 2500")...); !slices.Equal(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
}

func TestOneWrite(t *testing.T) {
	l := newList()
	serveOn(t, &fcgi.Server{Handler: describe}, l)
	for name, send := range map[string]wire{
		"GET":            wire{}.get(1, 0, "/"),
		"POST":           wire{}.post(1, 1, []byte("hello")),
		"three requests": wire{}.get(1, 1, "/").post(1, 1, []byte("hello")).get(1, 0, "/"),
	} {
		if s := l.play(send); s.writes != 1 {
			t.Errorf("%s: %d writes", name, s.writes)
		}
	}
	many := slices.Repeat(wire{}.get(1, 1, "/"), 40)
	if s := l.play(many); s.writes != 1 {
		t.Errorf("40 requests: %d writes", s.writes)
	}
}

func TestLongAnswers(t *testing.T) {
	var body []byte
	s := &fcgi.Server{Handler: func(_ context.Context, _ *ocsphttp.Request, resp *ocsphttp.Response) {
		resp.Status, resp.Header, resp.Body = 200, resp.Header[:0], body
	}}
	path := start(t, s)
	const header = "Status: 200 OK\r\n\r\n"
	for _, size := range []int{0, 65535, 65536, 2 * 65535, 2*65535 + 1, 1 << 20} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			body = bytes.Repeat([]byte("0123456789abcdefg"), size/17+1)[:max(0, size-len(header))]
			p := probe(t, path)
			p.send(wire{}.get(1, 0, "/"))
			var got string
			for {
				rec, err := readRecord(p.r)
				if err != nil || rec.kind != stdout {
					t.Fatal(rec, err)
				}
				if rec.content == "" {
					break
				}
				got += rec.content
			}
			if got != header+string(body) {
				t.Errorf("%d bytes, want %d", len(got), len(header)+len(body))
			}
			p.want(ended(1, complete))
			p.wantClosed()
		})
	}
}

// TestOutputLimit asks for more at once than is kept waiting.
func TestOutputLimit(t *testing.T) {
	body := make([]byte, 40<<10)
	l := newList()
	serveOn(t, &fcgi.Server{Handler: func(_ context.Context, _ *ocsphttp.Request, resp *ocsphttp.Response) {
		resp.Status, resp.Body = 200, body
	}}, l)
	if s := l.play(slices.Repeat(wire{}.get(1, 1, "/"), 5)); s.writes != 3 || s.out.Len() < 5*len(body) {
		t.Errorf("%d bytes in %d writes, want 5 answers in 3", s.out.Len(), s.writes)
	}
}

func TestPanics(t *testing.T) {
	var log faults
	l := newList()
	serveOn(t, &fcgi.Server{Log: log.add, Handler: func(ctx context.Context, req *ocsphttp.Request, resp *ocsphttp.Response) {
		describe(ctx, req, resp)
		if string(req.URI) == "/panic" {
			panic("secret")
		}
	}}, l)
	const header = "Status: 200 OK\r\nContent-Type: application/ocsp-response\r\n" +
		"Cache-Control: no-store\r\nContent-Length: 5\r\n\r\n"
	t.Run("REQ-47 in the handler", func(t *testing.T) {
		head := wire{}.begin(3, responder, 1).params(3, "REQUEST_METHOD", "HEAD", "REQUEST_URI", "/panic")
		got := readAll(t, &l.play(wire{}.get(1, 1, "/panic").bytes(head).get(5, 1, "/")).out)
		want := slices.Concat([]answered{
			{stdout, 1, header + "\x30\x03\x0a\x01\x02"}, {stdout, 1, ""}, ended(1, complete),
			{stdout, 3, header}, {stdout, 3, ""}, ended(3, complete)}, answer(5, "GET / 0"))
		if !slices.Equal(got, want) {
			t.Errorf("%+v\nwant %+v", got, want)
		}
	})
	t.Run("REQ-47 on the connection", func(t *testing.T) {
		bad := panicking{&script{closed: make(chan struct{})}}
		l.conns <- bad
		<-bad.closed
		if got := readAll(t, &l.play(wire{}.get(5, 1, "/")).out); !slices.Equal(got, answer(5, "GET / 0")) {
			t.Errorf("%+v", got)
		}
	})
	log.want(t, "secret", "secret", "broken connection")
}

// panicking is a connection that cannot be read.
type panicking struct{ *script }

func (panicking) Read([]byte) (int, error) { panic("broken connection") }
