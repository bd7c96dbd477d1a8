//go:build !race

package fcgi_test

import (
	"context"
	"io"
	"testing"

	"ocspcgi/fcgi"
	"ocspcgi/lib/ocsphttp"
)

// The race detector makes pools forget, so this is not built with it.
func TestSteadyStateAllocations(t *testing.T) {
	p := probe(t, start(t, &fcgi.Server{Handler: func(_ context.Context, _ *ocsphttp.Request, r *ocsphttp.Response) {
		r.Status, r.Header, r.Body = 200, append(r.Header[:0], "Content-Length: 0\r\n"...), nil
	}}))
	for name, send := range map[string]wire{
		"GET":  wire{}.get(1, 1, "/ocsp/MEow"),
		"POST": wire{}.post(1, 1, make([]byte, 3000)),
		"long": wire{}.post(1, 1, make([]byte, 8000)),
	} {
		resp := make([]byte, len("Status: 200 OK\r\nContent-Length: 0\r\n\r\n")+8+8+16)
		n := testing.AllocsPerRun(200, func() {
			p.send(send)
			if _, err := io.ReadFull(p.Conn, resp); err != nil {
				t.Fatal(err)
			}
		})
		if n > 0 {
			t.Errorf("%s: %v allocations a request", name, n)
		}
	}
}
