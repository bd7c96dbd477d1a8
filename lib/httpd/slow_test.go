package httpd_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
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
		_, err := fmt.Fprint(c, "GET / HTTP/1.0\r\nX: ")
		for ; err == nil; _, err = fmt.Fprint(c, "x") {
			time.Sleep(soon)
		}
		if errors.Is(err, os.ErrDeadlineExceeded) { // its own
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
	const get10, get11 = "GET /a HTTP/1.0\r\n\r\n", "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
	for _, c := range []struct {
		name, send string
		waits      time.Duration // before it reads
		lasts      time.Duration // the connection
		answer     string
	}{
		{"half a header", "GET / HTTP/1.0\r\nX: ", 0, 10 * time.Second, ""},
		{"half a body", "POST /a HTTP/1.0\r\nContent-Length: 5\r\n\r\nab", 0, 30 * time.Second, "POST /a 2 short"},
		{"an answer taken in time", get10, 59 * time.Second, 59 * time.Second, "GET /a 0"},
		{"an answer taken too late", get10, 61 * time.Second, 61 * time.Second, ""},
		{"no request after another", get11, 0, 120 * time.Second, "GET /a 0"},
	} {
		t.Run("limits when nothing is set, "+c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := make(pipes)
				serveOn(t, &httpd.Server{Handler: describe}, l)
				client, server := net.Pipe()
				defer client.Close()
				l <- server
				begun := time.Now()
				if _, err := io.WriteString(client, c.send); err != nil {
					t.Fatal(err)
				}
				time.Sleep(c.waits)
				out, err := io.ReadAll(client)
				_, answer, _ := strings.Cut(string(out), "\r\n\r\n")
				if took := time.Since(begun); err != nil || took != c.lasts || answer != c.answer {
					t.Errorf("%q, %v after %v; want %q after %v", answer, err, took, c.answer, c.lasts)
				}
			})
		})
	}
}

// pipes is a listener whose connections have no system between their ends: time may leap.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if c := <-p; c != nil {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (p pipes) Close() error   { close(p); return nil }
func (p pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes"} }

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

// crowd is a listener where somebody always waits to be accepted.
type crowd struct {
	accepted atomic.Int32
	closed   chan struct{}
	close    func()
}

func (c *crowd) Accept() (net.Conn, error) {
	select {
	case <-c.closed:
		return nil, net.ErrClosed
	default:
	}
	c.accepted.Add(1)
	conn, _ := net.Pipe()
	return conn, nil
}

func (c *crowd) Addr() net.Addr { return &net.TCPAddr{} }
func (c *crowd) Close() error   { c.close(); return nil }

// Without a setting 16,384 have room, and the next one waits, with all behind it. Shutdown
// waits for none of them.
func TestMostConns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &crowd{closed: make(chan struct{})}
		l.close = sync.OnceFunc(func() { close(l.closed) })
		s := &httpd.Server{Handler: describe}
		done := make(chan error, 1)
		go func() { done <- s.Serve(l) }()
		synctest.Wait()
		if n := l.accepted.Load(); n != 16_384+1 {
			t.Errorf("%d are accepted, of whom one waits", n)
		}
		begun := time.Now()
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		if err := errors.Join(s.Shutdown(ended), <-done); !errors.Is(err, context.Canceled) || time.Since(begun) > 0 {
			t.Errorf("shut down after %v: %v", time.Since(begun), err)
		}
	})
}
