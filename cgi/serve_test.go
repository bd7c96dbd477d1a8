package cgi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"ocspcgi/cgi"
	"ocspcgi/lib/ocsphttp"
)

// describe answers with what the request was.
func describe(_ context.Context, req *ocsphttp.Request, resp *ocsphttp.Response) {
	text := fmt.Sprintf("%s %s %s%s %d", req.Method, req.URI, req.ScriptName, req.PathInfo, len(req.Body))
	if req.BodyShort {
		text += " short"
	}
	resp.Status = 200
	resp.Header = fmt.Appendf(resp.Header[:0], "Content-Type: text/plain\r\nContent-Length: %d\r\n", len(text))
	resp.Body = []byte(text)
}

// page is what describe's answer looks like.
func page(text string) string {
	return fmt.Sprintf("Status: 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
}

// environment makes a getenv of NAME=value strings.
func environment(vars ...string) func(string) string {
	return func(name string) string {
		for _, v := range vars {
			if value, ok := strings.CutPrefix(v, name+"="); ok {
				return value
			}
		}
		return ""
	}
}

// stream is a stdin that fails the test when more than its text is read.
type stream struct {
	t    *testing.T
	text *strings.Reader
	open bool // there is no end of file
}

func (s *stream) Read(b []byte) (int, error) {
	if s.open && s.text.Len() == 0 {
		s.t.Fatal("waits for what never comes")
	}
	return s.text.Read(b)
}

// output counts writes.
type output struct {
	bytes.Buffer
	writes int
}

func (o *output) Write(b []byte) (int, error) {
	o.writes++
	return o.Buffer.Write(b)
}

func TestServe(t *testing.T) {
	big := strings.Repeat("x", 200<<10)
	post := "REQUEST_METHOD=POST"
	for _, c := range []struct {
		name  string
		env   []string
		stdin string
		open  bool // stdin stays open
		want  string
		rest  int // bytes left on stdin
	}{
		{"CGI-05 stays open", []string{post, "CONTENT_LENGTH=5"}, "hello", true, "POST   5", 0},
		{"CGI-05 more on stdin", []string{post, "CONTENT_LENGTH=5"}, "hello, world", true, "POST   5", 7},
		{"CGI-05 length 0", []string{post, "CONTENT_LENGTH=0"}, "", true, "POST   0", 0},
		{"CGI-05 GET reads nothing", []string{"REQUEST_METHOD=GET"}, "", true, "GET   0", 0},
		{"CGI-05 HEAD reads nothing", []string{"REQUEST_METHOD=HEAD", "CONTENT_LENGTH="}, "", true, "HEAD   0", 0},
		{"CGI-05 GET with a body drains it", []string{"REQUEST_METHOD=GET", "CONTENT_LENGTH=5"}, "hello!", true, "GET   0", 1},
		{"CGI-05 PUT drains its body", []string{"REQUEST_METHOD=PUT", "CONTENT_LENGTH=204800"}, big, true, "PUT   0", 0},
		{"CGI-05 drains a long body", []string{post, "CONTENT_LENGTH=204800"}, big, true, "POST   65537", 0},
		{"CGI-06 absent", []string{post}, "hello", false, "POST   5", 0},
		{"CGI-06 empty", []string{post, "CONTENT_LENGTH="}, "hello", false, "POST   5", 0},
		{"CGI-06 negative", []string{post, "CONTENT_LENGTH=-1"}, "hello", false, "POST   5", 0},
		{"CGI-06 absent, long body", []string{post}, big, false, "POST   65537", 0},
		{"CGI-06 no number", []string{post, "CONTENT_LENGTH=abc"}, "hello", true, "POST   0 short", 5},
		{"CGI-06 hexadecimal", []string{post, "CONTENT_LENGTH=0x5"}, "hello", true, "POST   0 short", 5},
		{"CGI-06 20 nines", []string{post, "CONTENT_LENGTH=99999999999999999999"}, "hello", true, "POST   0 short", 5},
		{"CGI-06 no number, GET", []string{"REQUEST_METHOD=GET", "CONTENT_LENGTH=abc"}, "", true, "GET   0", 0},
		{"CGI-07 short", []string{post, "CONTENT_LENGTH=100"}, big[:50], false, "POST   50 short", 0},
		{"CGI-07 nothing", []string{post, "CONTENT_LENGTH=100"}, "", false, "POST   0 short", 0},
		{"CGI-07 short of a length over the limit", []string{post, "CONTENT_LENGTH=100000"}, big[:ocsphttp.MaxBody], false, "POST   65536 short", 0},
		{"CGI-14 no variables", nil, "", true, "   0", 0},
		{"CGI-14 method and length alone", []string{post, "CONTENT_LENGTH=3"}, "abc", true, "POST   3", 0},
		{"CGI-14 HTTP/3.0", []string{"REQUEST_METHOD=GET", "SERVER_PROTOCOL=HTTP/3.0"}, "", true, "GET   0", 0},
		{"CGI-14 INCLUDED", []string{"REQUEST_METHOD=GET", "SERVER_PROTOCOL=INCLUDED"}, "", true, "GET   0", 0},
		{"CGI-14 no REQUEST_URI", []string{"REQUEST_METHOD=GET", "SCRIPT_NAME=/ocsp", "PATH_INFO=/MA=="}, "", true, "GET  /ocsp/MA== 0", 0},
		{"REQUEST_URI to the byte", []string{"REQUEST_METHOD=GET", "REQUEST_URI=http://h:80//M%2f+//=?x"}, "", true, "GET http://h:80//M%2f+//=?x  0", 0},
		{"HTTP_CONTENT_LENGTH is the client's", []string{post, "CONTENT_LENGTH=5", "HTTP_CONTENT_LENGTH=2"}, "hello", true, "POST   5", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := &stream{t, strings.NewReader(c.stdin), c.open}
			var out output
			if err := cgi.Serve(context.Background(), environment(c.env...), in, &out, describe); err != nil {
				t.Error(err)
			}
			if got := out.String(); got != page(c.want) {
				t.Errorf("answer %q\nwant %q", got, page(c.want))
			}
			if out.writes != 1 {
				t.Errorf("CGI-11: %d writes", out.writes)
			}
			if in.text.Len() != c.rest {
				t.Errorf("%d bytes left on stdin, want %d", in.text.Len(), c.rest)
			}
		})
	}
}

func TestFields(t *testing.T) {
	env := environment("REQUEST_METHOD=GET", "REQUEST_URI=/u", "SCRIPT_NAME=/s", "PATH_INFO=/p", "CONTENT_TYPE=t",
		"HTTP_IF_NONE_MATCH=n", "HTTP_IF_MODIFIED_SINCE=m", "REMOTE_ADDR=::1")
	var got string
	err := cgi.Serve(context.Background(), env, strings.NewReader(""), io.Discard,
		func(_ context.Context, r *ocsphttp.Request, resp *ocsphttp.Response) {
			resp.Status = 200
			got = fmt.Sprintf("%s %s %s %s %s %s %s %s %s", r.Transport, r.Method, r.URI, r.ScriptName, r.PathInfo,
				r.ContentType, r.IfNoneMatch, r.IfModifiedSince, r.RemoteAddr)
		})
	if want := "cgi GET /u /s /p t n m ::1"; err != nil || got != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
}

func TestPanic(t *testing.T) {
	const header = "Status: 200 OK\r\nContent-Type: application/ocsp-response\r\n" +
		"Cache-Control: no-store\r\nContent-Length: 5\r\n\r\n"
	for method, want := range map[string]string{"GET": header + "\x30\x03\x0a\x01\x02", "HEAD": header} {
		t.Run("CGI-12 "+method, func(t *testing.T) {
			var out output
			err := cgi.Serve(context.Background(), environment("REQUEST_METHOD="+method), strings.NewReader(""), &out,
				func(_ context.Context, _ *ocsphttp.Request, resp *ocsphttp.Response) {
					resp.Status, resp.Header, resp.Body = 500, []byte("X: half"), []byte("half")
					panic("secret")
				})
			if err == nil || !strings.Contains(err.Error(), "secret") {
				t.Errorf("error %v", err)
			}
			if out.String() != want {
				t.Errorf("%q, want %q", out.String(), want)
			}
		})
	}
}

// broken fails.
type broken struct{ err error }

func (b broken) Read([]byte) (int, error)  { return 0, b.err }
func (b broken) Write([]byte) (int, error) { return 0, b.err }

func TestErrors(t *testing.T) {
	failure := errors.New("failure")
	post := environment("REQUEST_METHOD=POST")
	t.Run("CGI-07 stdin fails", func(t *testing.T) {
		var out output
		err := cgi.Serve(context.Background(), post, broken{failure}, &out, describe)
		if !errors.Is(err, failure) || out.String() != page("POST   0 short") {
			t.Errorf("%v, %q", err, out.String())
		}
	})
	t.Run("CGI-11 stdout fails", func(t *testing.T) {
		err := cgi.Serve(context.Background(), post, strings.NewReader("x"), broken{failure}, describe)
		if !errors.Is(err, failure) {
			t.Error(err)
		}
	})
}

func TestInvoked(t *testing.T) {
	for _, c := range []struct {
		env  string
		want bool
	}{{"REQUEST_METHOD=GET", true}, {"GATEWAY_INTERFACE=CGI/1.1", true}, {"HTTP_REQUEST_METHOD=GET", false}, {"PATH=/", false}} {
		t.Run("CGI-01 "+c.env, func(t *testing.T) {
			if got := cgi.Invoked(environment(c.env)); got != c.want {
				t.Errorf("%t", got)
			}
		})
	}
}
