// Package httpd listens on HTTP itself.
package httpd

import (
	"context"
	"errors"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"ocspcgi/lib/accept"
	"ocspcgi/lib/ocsphttp"
)

// maxHeader is the size of a request line with its header fields. A GET whose
// path is the base64 of MaxBody bytes fits.
const maxHeader = 128 << 10

// Server answers HTTP/1.0 and HTTP/1.1 on its own, without a web server. Of requests
// over 2 KiB, header and body, 64 are read at the same time; one more waits for a
// second, and is closed without an answer, which Log is told. Its
// fields must not change once Serve or Shutdown has been called; its methods
// may be called at the same time from several goroutines. A Server cannot be
// used again after Shutdown.
type Server struct {
	// Handler fills resp. It is called for several connections at the same
	// time, and ctx ends when Shutdown gives up waiting. A panic is answered
	// with internalError.
	Handler ocsphttp.HandlerFunc

	// Log takes the faults of connections and of accepting them, and panics
	// with their stacks. It may be called at the same time from several
	// goroutines. Nil means none is told.
	Log func(err error)

	// HeaderTimeout is how long the header of a request may take to come in,
	// ReadTimeout the whole request, WriteTimeout the answer to be taken, and
	// IdleTimeout the next request of a kept connection. 0 means 10 s, 30 s,
	// 60 s and 120 s.
	HeaderTimeout, ReadTimeout, WriteTimeout, IdleTimeout time.Duration

	// MaxConns is how many connections are open at the same time; more wait to
	// be accepted. 0 means 16384.
	MaxConns int

	start  sync.Once
	http   http.Server
	ctx    context.Context
	cancel context.CancelFunc
	places chan struct{} // for connections
	large  chan struct{} // for those of them with a large request
	ending chan struct{} // closed once nobody needs one any more
	end    func()        // closes it
}

func (s *Server) setUp() {
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.ending = make(chan struct{})
	s.end = sync.OnceFunc(func() { close(s.ending) })
	s.places = make(chan struct{}, orElse(s.MaxConns, 1<<14))
	s.large = make(chan struct{}, maxLarge)
	s.http = http.Server{
		ConnState:                    s.limit,
		Handler:                      http.HandlerFunc(s.serve),
		DisableGeneralOptionsHandler: true,
		ReadHeaderTimeout:            orElse(s.HeaderTimeout, 10*time.Second),
		ReadTimeout:                  orElse(s.ReadTimeout, 30*time.Second),
		WriteTimeout:                 orElse(s.WriteTimeout, 60*time.Second),
		IdleTimeout:                  orElse(s.IdleTimeout, 120*time.Second),
		MaxHeaderBytes:               maxHeader,
		ErrorLog:                     log.New(lines(s.log), "", 0),
	}
}

// limit keeps a connection that is one too many, and with it the next ones from
// being accepted, until another one has ended, or all are to. It takes the place of a
// large request back where that has been answered, or its connection ends.
func (s *Server) limit(c net.Conn, state http.ConnState) {
	switch state {
	case http.StateIdle:
		c.(*conn).answered()
	case http.StateNew:
		select {
		case s.places <- struct{}{}:
		case <-s.ending:
		}
	case http.StateClosed:
		c.(*conn).answered()
		select {
		case <-s.places:
		default: // it had none
		}
	}
}

func orElse[T int | time.Duration](d, otherwise T) T {
	if d > 0 {
		return d
	}
	return otherwise
}

// Serve answers the connections of l until Shutdown, and then returns nil. It
// waits where accepting fails for a while, and returns the error where it
// fails for good. It closes l.
func (s *Server) Serve(l net.Listener) error {
	s.start.Do(s.setUp)
	patient := accept.New(l)
	patient.Log = s.log
	err := s.http.Serve(&listener{patient, s.large, s.log})
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// Shutdown stops accepting, lets requests that have begun be answered and
// closes the connections. When ctx ends first it closes them all the same,
// ends the context of the Handler and returns ctx.Err().
func (s *Server) Shutdown(ctx context.Context) error {
	s.start.Do(s.setUp)
	defer s.cancel()
	s.end() // or net/http would wait for who has accepted one too many
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	return err
}

func (s *Server) log(err error) {
	if s.Log != nil {
		s.Log(err)
	}
}

// lines makes an error of each line that net/http logs.
type lines func(error)

func (report lines) Write(line []byte) (int, error) {
	report(errors.New("httpd: " + strings.TrimRight(string(line), "\n")))
	return len(line), nil
}

// Listen listens on TCP at an address as openssl ocsp -port takes it: PORT
// alone, on all addresses, or HOST:PORT, where HOST may be *, a name, or an
// IPv6 address in brackets.
func Listen(address string) (net.Listener, error) {
	if !strings.Contains(address, ":") {
		address = ":" + address
	}
	if port, ok := strings.CutPrefix(address, "*:"); ok {
		address = ":" + port
	}
	return net.Listen("tcp", address)
}
