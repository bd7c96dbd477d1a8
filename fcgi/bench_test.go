package fcgi_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"

	"ocspcgi/fcgi"
	"ocspcgi/lib/ocsphttp"
)

const (
	benchConns = 8
	benchBody  = 1300 // an answer signed with RSA, its certificate with it
)

// benchRequest is what nginx sends for a POST.
func benchRequest() wire {
	return wire{}.begin(1, responder, 1).params(1,
		"QUERY_STRING", "", "REQUEST_METHOD", "POST", "CONTENT_TYPE", "application/ocsp-request", "CONTENT_LENGTH", "77",
		"SCRIPT_NAME", "/ocsp", "REQUEST_URI", "/ocsp", "DOCUMENT_URI", "/ocsp", "DOCUMENT_ROOT", "/var/www/html",
		"SERVER_PROTOCOL", "HTTP/1.1", "REQUEST_SCHEME", "http", "GATEWAY_INTERFACE", "CGI/1.1", "SERVER_SOFTWARE", "nginx/1.22.1",
		"REMOTE_ADDR", "192.0.2.1", "REMOTE_PORT", "41234", "REMOTE_USER", "", "SERVER_ADDR", "192.0.2.2", "SERVER_PORT", "80",
		"SERVER_NAME", "ocsp.example.net", "REDIRECT_STATUS", "200", "HTTP_PROXY", "", "HTTP_HOST", "ocsp.example.net",
		"HTTP_ACCEPT", "*/*", "HTTP_CONTENT_TYPE", "application/ocsp-request", "HTTP_CONTENT_LENGTH", "77").
		stdin(1, make([]byte, 77))
}

// signed answers as the responder does, from memory.
func signed(body []byte) func(context.Context, *ocsphttp.Request, *ocsphttp.Response) {
	header := fmt.Sprintf("Content-Type: application/ocsp-response\r\nContent-Length: %d\r\n"+
		"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nCache-Control: max-age=3600, public, no-transform, must-revalidate\r\n"+
		"Expires: Sun, 06 Nov 1994 20:49:37 GMT\r\nLast-Modified: Sun, 06 Nov 1994 08:44:37 GMT\r\n"+
		"ETag: \"0123456789012345678901234567890123456789012345678901234567890123\"\r\n", len(body))
	return func(_ context.Context, _ *ocsphttp.Request, resp *ocsphttp.Response) {
		resp.Status, resp.Header, resp.Body = 200, append(resp.Header[:0], header...), body
	}
}

// BenchmarkRequests asks on several kept connections over a unix socket.
// BenchmarkTable of lib/bench sets the whole program against others.
func BenchmarkRequests(b *testing.B) {
	handler := signed(make([]byte, benchBody))
	benchmark(b, func(l net.Listener) error { return (&fcgi.Server{Handler: handler}).Serve(l) })
}

// benchmark reports how many requests a second serve answers.
func benchmark(b *testing.B, serve func(net.Listener) error) {
	path := filepath.Join(b.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	go serve(l) // returns when l is closed
	var conns [benchConns]net.Conn
	for i := range conns {
		if conns[i], err = net.Dial("unix", path); err != nil {
			b.Fatal(err)
		}
		defer conns[i].Close()
	}
	b.ReportAllocs()
	b.ResetTimer()
	var done sync.WaitGroup
	for i, c := range conns {
		done.Go(func() { ask(b, c, b.N/benchConns+min(1, max(0, b.N%benchConns-i))) })
	}
	done.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}

// ask sends n requests, each when the one before is answered.
func ask(b *testing.B, c net.Conn, n int) {
	request := benchRequest()
	r := bufio.NewReaderSize(c, 16<<10)
	for range n {
		if _, err := c.Write(request); err != nil {
			b.Error(err)
			return
		}
		for kind := byte(0); kind != end; {
			h, err := r.Peek(8)
			if err != nil {
				b.Error(err)
				return
			}
			kind = h[1]
			if _, err := r.Discard(8 + int(binary.BigEndian.Uint16(h[4:])) + int(h[6])); err != nil && err != io.EOF {
				b.Error(err)
				return
			}
		}
	}
}
