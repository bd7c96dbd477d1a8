package fcgi

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"ocspcgi/lib/accept"
	"ocspcgi/lib/ocsphttp"
)

// Server answers FastCGI requests of the role RESPONDER. Its fields must not
// change once Serve or Shutdown has been called; its methods may be called at
// the same time from several goroutines. A Server cannot be used again after
// Shutdown.
type Server struct {
	// Handler fills resp. It is called for several connections at the same
	// time, and ctx ends when Shutdown gives up waiting. A panic is answered
	// with internalError.
	Handler ocsphttp.HandlerFunc

	// Log takes the faults of connections and of accepting them, and panics
	// with their stacks; not that somebody hung up. It may be called at the
	// same time from several goroutines. Nil means none is told.
	Log func(err error)

	// ReadTimeout is how long a request may take to come in from its first
	// byte, and the first of a connection from its accept. 0 means 60 s.
	ReadTimeout time.Duration

	// IdleTimeout is how long a kept connection may wait for its next
	// request; up to a quarter less is granted. It should exceed 100 s: nginx
	// keeps connections for 60 s, and answers a POST on one that died
	// with 502. 0 means 120 s.
	IdleTimeout time.Duration

	// WriteTimeout is how long an answer may take to be read; up to a quarter
	// less is granted. 0 means 60 s.
	WriteTimeout time.Duration

	// MaxConns is how many connections are answered at the same time, and
	// what is told as FCGI_MAX_CONNS and FCGI_MAX_REQS. As many again have
	// their request ended with FCGI_OVERLOADED; more are closed. 0 means 4096.
	MaxConns int

	// Peers are the addresses that TCP connections may come from
	// (FCGI_WEB_SERVER_ADDRS, §3.2). None means all.
	Peers []netip.Addr

	// Now is the clock of the deadlines. Nil means time.Now.
	Now func() time.Time

	start     sync.Once
	limits    limits
	ctx       context.Context
	cancel    context.CancelFunc
	stopping  atomic.Bool
	exchanges sync.Pool
	running   sync.WaitGroup // connections

	mu        sync.Mutex
	listeners map[net.Listener]struct{}
	conns     map[*conn]struct{}
}

// limits are the Server's settings with the defaults filled in.
type limits struct {
	read, idle, write time.Duration
	conns             int
}

func (s *Server) setUp() {
	s.limits = limits{60 * time.Second, 120 * time.Second, 60 * time.Second, 4096}
	if s.ReadTimeout > 0 {
		s.limits.read = s.ReadTimeout
	}
	if s.IdleTimeout > 0 {
		s.limits.idle = s.IdleTimeout
	}
	if s.WriteTimeout > 0 {
		s.limits.write = s.WriteTimeout
	}
	if s.MaxConns > 0 {
		s.limits.conns = s.MaxConns
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.listeners = make(map[net.Listener]struct{})
	s.conns = make(map[*conn]struct{})
}

// Serve answers the connections of l until Shutdown, and then returns nil. It
// waits where accepting fails for a while, as without file descriptors, and
// returns the error where it fails for good. It closes l.
func (s *Server) Serve(l net.Listener) error {
	s.start.Do(s.setUp)
	patient := accept.New(l)
	patient.Log, patient.Now = s.log, s.Now
	l = patient
	defer l.Close()
	if !s.listen(l) {
		return nil
	}
	defer s.forget(l)
	for {
		c, err := l.Accept()
		switch {
		case err == nil:
			s.admit(c)
		case s.stopping.Load():
			return nil
		default:
			return fmt.Errorf("fcgi: %w", err)
		}
	}
}

// Shutdown stops accepting, lets requests that have begun be answered and
// closes the connections. When ctx ends first it closes them all the same,
// ends the context of the Handler and returns ctx.Err().
func (s *Server) Shutdown(ctx context.Context) error {
	s.start.Do(s.setUp)
	defer s.cancel()
	s.mu.Lock()
	s.stopping.Store(true)
	for l := range s.listeners {
		l.Close()
	}
	for c := range s.conns {
		c.net.SetReadDeadline(time.Unix(1, 0)) // wakes it up
	}
	s.mu.Unlock()

	done := make(chan struct{})
	go func() {
		s.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.net.Close()
	}
	return ctx.Err()
}

// listen notes l for Shutdown, unless that has been.
func (s *Server) listen(l net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listeners[l] = struct{}{}
	return !s.stopping.Load()
}

func (s *Server) forget(l net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, l)
}

// admit starts to answer a connection, if it may come in.
func (s *Server) admit(nc net.Conn) {
	if !s.welcome(nc.RemoteAddr()) {
		nc.Close()
		s.log(fmt.Errorf("fcgi: connection from %s refused: not among the web server's addresses", nc.RemoteAddr()))
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping.Load() || len(s.conns) >= 2*s.limits.conns {
		nc.Close()
		return
	}
	c := &conn{server: s, net: nc, now: s.now(), refuse: len(s.conns) >= s.limits.conns}
	s.conns[c] = struct{}{}
	s.running.Add(1)
	go c.serve()
}

// remove closes c and makes room for another.
func (s *Server) remove(c *conn) {
	c.net.Close()
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
	s.running.Done()
}

func (s *Server) log(err error) {
	if s.Log != nil {
		s.Log(err)
	}
}

func (s *Server) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}
