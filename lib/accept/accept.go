// Package accept goes on taking connections when that fails for a while.
package accept

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"
)

// Listener waits where accepting fails for a while, as without file descriptors
// or memory: its Accept returns an error only where it fails for good or after
// Close. It is safe for concurrent use.
type Listener struct {
	net.Listener
	// Log is told why Accept waits, once a minute; nil: nobody is.
	Log func(error)
	// Now is the clock for that; nil means time.Now.
	Now func() time.Time

	closing sync.Once
	closed  chan struct{}

	mu   sync.Mutex
	told time.Time // when Log was told last
}

// New makes l wait.
func New(l net.Listener) *Listener { return &Listener{Listener: l, closed: make(chan struct{})} }

// Accept returns the next connection.
func (l *Listener) Accept() (net.Conn, error) {
	var pause time.Duration
	for {
		c, err := l.Listener.Accept()
		switch {
		case err == nil:
			return c, nil
		case !passing(err):
			return nil, fmt.Errorf("accept on %s: %w", l.Addr(), err)
		}
		l.tell(err)
		pause = min(max(2*pause, 5*time.Millisecond), time.Second)
		select {
		case <-time.After(pause):
		case <-l.closed:
			return nil, net.ErrClosed
		}
	}
}

// tell has Log told why Accept waits, unless it was lately, perhaps by another Accept:
// without descriptors each connection that ends lets one in, before it fails again.
func (l *Listener) tell(err error) {
	if l.Log == nil {
		return
	}
	now := l.now()
	l.mu.Lock()
	lately := !l.told.IsZero() && now.Sub(l.told) <= time.Minute
	if !lately {
		l.told = now
	}
	l.mu.Unlock()
	if !lately {
		l.Log(fmt.Errorf("accept on %s, trying again: %w", l.Addr(), err))
	}
}

// Close ends a wait, too.
func (l *Listener) Close() error {
	l.closing.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

func (l *Listener) now() time.Time {
	if l.Now != nil {
		return l.Now()
	}
	return time.Now()
}

// passing tells whether a failed accept may work later.
func passing(err error) bool {
	for _, e := range []error{
		syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM,
		syscall.ENOSPC, // watches of epoll (fs.epoll.max_user_watches)
		syscall.ECONNABORTED, syscall.EPROTO, syscall.EINTR, syscall.EPERM,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
