package signer

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

const (
	// askTimeout bounds a question to a signer process with its answer.
	askTimeout = 5 * time.Second
	// maxIdle is how many connections are kept for the next questions.
	maxIdle = 16
)

// remoteKey is a key that a signer process holds. It is safe for concurrent use.
type remoteKey struct {
	path string
	Now  func() time.Time // the clock, for deadlines; nil means time.Now

	mu   sync.Mutex
	idle []*talk
}

// sign asks the process. A connection that was idle may have died with the
// process that was there before: then there is a new one to ask.
func (k *remoteKey) sign(tbs []byte, s *Signer) ([]byte, error) {
	q := question{key: sha256.Sum256(s.Certificate.RawSubjectPublicKeyInfo), algorithm: s.algorithm.identifier, tbs: tbs}
	frame, err := q.append(nil)
	if err != nil {
		return nil, err
	}
	for {
		c := k.kept()
		wasKept := c != nil
		if c == nil {
			conn, err := net.DialTimeout("unix", k.path, askTimeout)
			if err != nil {
				return nil, fmt.Errorf("%w: %w; is ocspcgi signer running?", ErrAway, err)
			}
			c = newTalk(conn)
		}
		content, err := k.ask(c, frame)
		switch {
		case err == nil:
			return parseAnswer(content)
		case !wasKept, errors.Is(err, os.ErrDeadlineExceeded): // what hangs does so on each connection
			return nil, fmt.Errorf("%w: %w", ErrAway, err)
		}
	}
}

// ask sends a frame, and returns the content of the one that comes back. The
// connection is kept if that went well, or else closed.
func (k *remoteKey) ask(c *talk, frame []byte) (content []byte, err error) {
	now := time.Now
	if k.Now != nil {
		now = k.Now
	}
	if err = c.SetDeadline(now().Add(askTimeout)); err == nil {
		if _, err = c.Write(frame); err == nil {
			content, err = readFrame(c.in)
		}
	}
	if err == nil && c.in.Buffered() > 0 {
		err = errFrame // an answer to what was not asked
	}
	if err != nil {
		c.Close() // what is wrong with it is known
		return nil, err
	}
	k.keep(c)
	return content, nil
}

// kept returns the connection that was used last; nil: there is none.
func (k *remoteKey) kept() *talk {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.idle) == 0 {
		return nil
	}
	c := k.idle[len(k.idle)-1]
	k.idle = k.idle[:len(k.idle)-1]
	return c
}

func (k *remoteKey) keep(c *talk) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.idle) == maxIdle {
		c.Close()
		return
	}
	k.idle = append(k.idle, c)
}
