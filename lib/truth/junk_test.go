package truth_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/servertest"
)

// line asks over FastCGI on one connection that is kept.
type line struct {
	r    *servertest.Responder
	conn *servertest.Conn
}

func (k *line) ask(q *question) (*reply, error) {
	if k.conn == nil {
		conn, err := k.r.Dial()
		if err != nil {
			return nil, err
		}
		k.conn = conn
	}
	if err := k.conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return nil, err
	}
	if _, err := k.conn.Write(servertest.Records("POST", "/ocsp", q.der, true)); err != nil {
		return nil, err
	}
	out, err := k.conn.Stdout()
	if err != nil {
		k.hangUp()
		return nil, err
	}
	return parse(out)
}

func (k *line) hangUp() {
	if k.conn != nil {
		k.conn.Close()
		k.conn = nil
	}
}

// slowly asks over FastCGI as a client does whose line is bad.
func (s *soak) slowly(q *question) (*reply, error) {
	c, err := s.r.Dial()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	out := servertest.Records("POST", "/ocsp", q.der, false)
	const pieces = 10
	for len(out) > 0 {
		n := min(len(out), 1+len(q.der)/pieces)
		if _, err := c.Write(out[:n]); err != nil {
			return nil, err
		}
		out = out[n:]
		time.Sleep(20 * time.Millisecond)
	}
	if out, err = c.Stdout(); err != nil {
		return nil, err
	}
	return parse(out)
}

// junk sends something that is no request.
func (s *soak) junk(rng *rand.Rand) {
	q, err := s.a.question(rng)
	if err == nil {
		s.garbage.Add(1)
		err = []func(*rand.Rand, []byte) error{s.malformed, s.noRecords, s.halfRecords, s.halfHTTP, s.tooLong}[rng.IntN(5)](rng, q.der)
	}
	if err != nil {
		s.tally.fail(fmt.Errorf("garbage: %w", err))
	}
}

// malformed is DER that is cut off.
func (s *soak) malformed(rng *rand.Rand, der []byte) error {
	out, err := s.r.Ask("POST", "/ocsp", der[:rng.IntN(len(der))])
	if err == nil && !bytes.HasSuffix(out, append([]byte("\r\n\r\n"), ocsp.MalformedRequestErrorResponse...)) {
		err = fmt.Errorf("cut off, and answered %q", out)
	}
	return err
}

// tooLong is a body of 70 KiB.
func (s *soak) tooLong(*rand.Rand, []byte) error {
	out, err := s.r.Ask("POST", "/ocsp", make([]byte, 70<<10))
	if err == nil && !bytes.HasPrefix(out, []byte("Status: 413 ")) {
		err = fmt.Errorf("too long, and answered %q", out)
	}
	return err
}

// noRecords are bytes that are no FastCGI: the connection is closed without a word.
func (s *soak) noRecords(rng *rand.Rand, _ []byte) error {
	c, err := s.r.Dial()
	if err != nil {
		return err
	}
	defer c.Close()
	bad := make([]byte, 8+rng.IntN(100))
	for i := range bad {
		bad[i] = byte(rng.Uint32())
	}
	bad[0] = 2 + byte(rng.IntN(200)) // of a version that there is not
	if _, err := c.Write(bad); err != nil {
		return err
	}
	if out, err := c.Stdout(); len(out) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("no records, and %q (%v) came back", out, err)
	}
	return nil
}

// halfRecords hangs up in the middle of a request.
func (s *soak) halfRecords(rng *rand.Rand, der []byte) error {
	c, err := s.r.Dial()
	if err != nil {
		return err
	}
	out := servertest.Records("POST", "/ocsp", der, rng.IntN(2) == 0)
	_, err = c.Write(out[:rng.IntN(len(out))])
	return errors.Join(err, c.Close())
}

// halfHTTP hangs up in the middle of an HTTP request.
func (s *soak) halfHTTP(rng *rand.Rand, der []byte) error {
	c, err := net.Dial("tcp", s.address)
	if err != nil {
		return err
	}
	out := fmt.Appendf(nil, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/ocsp-request\r\nContent-Length: %d\r\n\r\n%s", len(der), der)
	_, err = c.Write(out[:rng.IntN(len(out))])
	return errors.Join(err, c.Close())
}
