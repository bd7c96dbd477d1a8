package servertest

import (
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"
)

// Relay stands between a web server and a FastCGI responder and counts the
// connections.
type Relay struct {
	Connections atomic.Int32
	listener    *net.UnixListener
	to          string
	group       sync.WaitGroup
	mu          sync.Mutex
	open        []net.Conn
	closed      bool
}

// NewRelay listens at path and passes everything on to the socket to; when that
// is empty it takes connections and never answers.
func NewRelay(t testing.TB, path, to string) *Relay {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	r := &Relay{listener: l, to: to}
	r.group.Go(r.accept)
	t.Cleanup(r.Close)
	return r
}

// Close ends all connections. It may be called again.
func (r *Relay) Close() {
	r.listener.Close()
	r.mu.Lock()
	r.closed = true
	for _, c := range r.open {
		c.Close()
	}
	r.mu.Unlock()
	r.group.Wait()
}

func (r *Relay) accept() {
	for {
		from, err := r.listener.AcceptUnix()
		if err != nil {
			return
		}
		r.Connections.Add(1)
		r.keep(from)
		if r.to == "" {
			continue
		}
		to, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: r.to, Net: "unix"})
		if err != nil {
			from.Close()
			continue
		}
		r.keep(to)
		r.group.Go(func() { r.relay(to, from) })
	}
}

func (r *Relay) keep(c net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		c.Close()
	}
	r.open = append(r.open, c)
}

// relay passes both ways, and closes when there is nothing more either way.
func (r *Relay) relay(to, from *net.UnixConn) {
	defer to.Close()
	defer from.Close()
	var group sync.WaitGroup
	group.Go(func() { pass(to, from) })
	pass(from, to)
	group.Wait()
}

// pass copies until from has no more or to takes no more, and says so to to.
func pass(to, from *net.UnixConn) {
	defer to.CloseWrite()
	io.Copy(to, from) // whoever has gone early is noticed by the web server
}
