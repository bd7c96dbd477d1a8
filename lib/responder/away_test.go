package responder_test

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"testing"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/responder"
	"ocspcgi/lib/signer"
)

// hung is a signer process that takes connections and says nothing. It returns
// what it is connected by.
func hung(t *testing.T, path string) <-chan net.Conn {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	conns := make(chan net.Conn, 100)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns <- c
		}
	}()
	return conns
}

// While a signer process hangs, one request at a time waits for it, and all others
// are told at once: behind each other they would wait for minutes.
func TestOneAsksForAKeyThatIsAway(t *testing.T) {
	const atFirst, more = 8, 24 // as many as ask at a time, and others
	var conns <-chan net.Conn
	b := newBench(t, func(_ *responder.Responder, files *responder.Files) {
		path := filepath.Join(t.TempDir(), "s")
		conns = hung(t, path)
		files.Signers[0].Key = "unix:" + path
	})
	request := b.request(t, b.Good)
	answers := make(chan *responder.Answer, atFirst+more)
	ask := func() { answers <- b.Respond(context.Background(), request) }
	away := func() {
		t.Helper()
		if a := <-answers; a.Status != ocsp.TryLater || !errors.Is(a.Err, signer.ErrAway) {
			t.Errorf("answered %v: %v", a.Status, a.Err)
		}
	}
	for range atFirst {
		go ask()
	}
	var waiting []net.Conn
	for range atFirst {
		waiting = append(waiting, <-conns)
	}
	for range more {
		go ask()
	}
	for _, c := range waiting {
		c.Close()
	}
	for range atFirst + more - 1 {
		away()
	}
	(<-conns).Close() // of the one that asks
	away()
	if n := len(conns); n > 0 {
		t.Errorf("the signer process was asked %d times more", n)
	}
}
