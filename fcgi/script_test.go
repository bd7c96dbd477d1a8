package fcgi_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"ocspcgi/fcgi"
)

func (w wire) bytes(more wire) wire { return append(w, more...) }

// chunked is a STDIN stream in records of this size.
func chunked(id uint16, body []byte, size int) (w wire) {
	for chunk := range slices.Chunk(body, size) {
		w = w.record(stdin, id, chunk, 0)
	}
	return w.record(stdin, id, nil, 0)
}

// script is a connection on which each read gives the next piece, the last
// one EOF.
type script struct {
	pieces [][]byte
	out    bytes.Buffer
	writes int
	closed chan struct{}

	deadlines []time.Time // of reading
}

func (s *script) Read(b []byte) (int, error) {
	for len(s.pieces) > 0 {
		n := copy(b, s.pieces[0])
		s.pieces[0] = s.pieces[0][n:]
		if len(s.pieces[0]) == 0 {
			s.pieces = s.pieces[1:]
		}
		if n > 0 {
			return n, nil
		}
	}
	return 0, io.EOF
}

func (s *script) Write(b []byte) (int, error) { s.writes++; return s.out.Write(b) }
func (s *script) Close() error                { close(s.closed); return nil }
func (s *script) CloseWrite() error           { return nil }
func (s *script) LocalAddr() net.Addr         { return &net.UnixAddr{} }
func (s *script) RemoteAddr() net.Addr        { return &net.UnixAddr{} }
func (s *script) SetDeadline(time.Time) error { return nil }
func (s *script) SetReadDeadline(t time.Time) error {
	s.deadlines = append(s.deadlines, t)
	return nil
}
func (s *script) SetWriteDeadline(time.Time) error { return nil }

// list is a listener that accepts what it is given.
type list struct {
	conns chan net.Conn
	done  chan struct{}
}

func newList() *list { return &list{make(chan net.Conn), make(chan struct{})} }

func (l *list) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *list) Close() error {
	select {
	case <-l.done:
	default:
		close(l.done)
	}
	return nil
}

func (l *list) Addr() net.Addr { return &net.UnixAddr{Name: "list"} }

// play lets l's server answer pieces.
func (l *list) play(pieces ...[]byte) *script {
	s := &script{pieces: pieces, closed: make(chan struct{})}
	l.conns <- s
	<-s.closed
	return s
}

// talk returns what a server answers to pieces.
func talk(tb testing.TB, s *fcgi.Server, pieces ...[]byte) []answered {
	tb.Helper()
	l := newList()
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	out := l.play(pieces...).out
	if err := s.Shutdown(context.Background()); err != nil {
		tb.Fatal(err)
	}
	if err := <-done; err != nil {
		tb.Fatal(err)
	}
	return readAll(tb, &out)
}
