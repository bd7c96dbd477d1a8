package admin_test

import (
	"context"
	"errors"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"ocspcgi/lib/signer"
)

// listener tells of all that comes in over its connections.
type listener struct {
	net.Listener
	came func()
}

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return &conn{c, l.came}, err
}

type conn struct {
	net.Conn
	came func()
}

func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.came()
	}
	return n, err
}

// A test signature that took long counts as long as any other from then on: who has
// waited for it does not have another one made.
func TestReadyByASlowSigner(t *testing.T) {
	var slow atomic.Bool
	var asked atomic.Int64
	k := newKeptBy(t, func(k *kept) string {
		s, err := signer.Load(k.signer.Cert, k.signer.Key, nil, signer.Options{})
		if err != nil {
			t.Fatal(err)
		}
		dir, err := os.MkdirTemp("", "admin") // short enough for a socket
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		l, err := net.Listen("unix", dir+"/s")
		if err != nil {
			t.Fatal(err)
		}
		var v signer.Service
		v.Use(s)
		ended := make(chan error, 1)
		go func() {
			ended <- v.Serve(listener{l, func() {
				if slow.Load() {
					asked.Add(1)
					k.set(k.now().Add(20 * time.Second))
				}
			}})
		}()
		t.Cleanup(func() {
			if err := errors.Join(v.Shutdown(context.Background()), <-ended); err != nil {
				t.Error(err)
			}
		})
		return "unix:" + dir + "/s"
	})
	slow.Store(true)
	k.get(t, "/readyz")
	first := asked.Load()
	k.get(t, "/readyz")
	if n := asked.Load(); first == 0 || n != first {
		t.Errorf("asked %d times, then %d", first, n-first)
	}
	slow.Store(false)
	k.set(k.now().Add(time.Minute))
	k.ready(t)
}
