package httpd_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"ocspcgi/lib/httpd"
	"ocspcgi/lib/ocsphttp"
)

// closed waits until the other side has closed, and returns what it had sent.
func closed(t *testing.T, c net.Conn) string {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(c)
	if err != nil && !strings.Contains(err.Error(), "reset") {
		t.Errorf("%v after %q", err, out)
	}
	return string(out)
}

// Who sends or reads too slowly is answered as far as it goes, and let go.
func TestSlowClients(t *testing.T) {
	const soon = 50 * time.Millisecond
	t.Run("byte by byte", func(t *testing.T) {
		c := dial(t, start(t, &httpd.Server{Handler: describe, HeaderTimeout: 20 * soon}))
		sent := 0
		for request := strings.Repeat("GET / HTTP/1.1\r\n", 1000); sent < len(request); sent++ {
			if _, err := fmt.Fprint(c, request[sent:sent+1]); err != nil {
				break
			}
			time.Sleep(soon)
		}
		if sent > 1000 {
			t.Error("it was never let go")
		}
	})
	t.Run("nothing", func(t *testing.T) {
		if out := closed(t, dial(t, start(t, &httpd.Server{Handler: describe, HeaderTimeout: soon}))); out != "" {
			t.Errorf("%q", out)
		}
	})
	t.Run("half a body", func(t *testing.T) {
		c := dial(t, start(t, &httpd.Server{Handler: describe, ReadTimeout: soon}))
		fmt.Fprint(c, "POST /a HTTP/1.0\r\nContent-Length: 5\r\n\r\nab")
		if out := closed(t, c); !strings.HasSuffix(out, "POST /a 2 short") {
			t.Errorf("%q", out)
		}
	})
	t.Run("an answer that is not taken", func(t *testing.T) {
		ended := make(chan struct{})
		big := make([]byte, 32<<20)
		s := &httpd.Server{WriteTimeout: soon, Handler: func(_ context.Context, _ *ocsphttp.Request, resp *ocsphttp.Response) {
			resp.Status, resp.Body = 200, big
			close(ended)
		}}
		c := dial(t, start(t, s))
		fmt.Fprint(c, "GET / HTTP/1.0\r\n\r\n")
		<-ended
		time.Sleep(2 * soon) // it reads when it is too late
		if out := closed(t, c); len(out) >= len(big) {
			t.Error("all of it came")
		}
	})
}

// One connection too many waits until another has ended.
func TestMaxConns(t *testing.T) {
	address := start(t, &httpd.Server{Handler: describe, MaxConns: 2})
	first, second, third := dial(t, address), dial(t, address), dial(t, address)
	ask := func(c net.Conn) {
		t.Helper()
		if _, err := fmt.Fprint(c, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
	}
	answered := func(c net.Conn, in time.Duration) error {
		t.Helper()
		if err := c.SetReadDeadline(time.Now().Add(in)); err != nil {
			t.Fatal(err)
		}
		_, err := c.Read(make([]byte, 1))
		return err
	}
	for _, c := range []net.Conn{first, second} {
		ask(c)
		if err := answered(c, 20*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	ask(third)
	if err := answered(third, 100*time.Millisecond); err == nil {
		t.Error("a third one is answered")
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := answered(third, 20*time.Second); err != nil {
		t.Errorf("once there is room: %v", err)
	}
}
