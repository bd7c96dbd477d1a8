package signer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Service hands out signatures of its Signers to those who connect to its
// socket, by the protocol of -rkey unix:PATH. The fields are set before Serve;
// all methods are safe for concurrent use.
type Service struct {
	// Check says why s must not sign these bytes. The sentence of Prove, which
	// is signed for everybody, is not shown to it.
	Check func(s *Signer, tbs []byte) error
	// Allowed says whether whoever has connected may ask; nil: everybody may.
	Allowed func(net.Conn) error
	// Log is told of refusals and of what is wrong with connections, from
	// several goroutines; nil: nobody is.
	Log func(error)
	// Now is the clock, for deadlines; nil means time.Now.
	Now func() time.Time

	signers atomic.Pointer[[]*Signer]
	group   sync.WaitGroup

	mu       sync.Mutex
	ending   bool
	listener net.Listener
	open     map[net.Conn]bool
}

const (
	// frameTimeout is how long a question may take once it has begun, and an
	// answer to be taken.
	frameTimeout = 10 * time.Second
	// idleTimeout is how long a connection is kept on which nothing is asked: less
	// than who waits for another one's place does. Who had it opens a new one.
	idleTimeout = 3 * time.Second
	// maxPeers is how many connections are answered at once.
	maxPeers = 256
	// maxKept is how many signers stay that were replaced.
	maxKept = 4
)

// Use makes s the newest signer, and reports whether it is another one. Those
// before it keep signing for their own certificates, as long as somebody still
// answers with these.
func (v *Service) Use(s *Signer) (other bool) {
	next := []*Signer{s}
	old := v.signers.Load()
	if old != nil {
		for _, before := range *old {
			if !sameKey(PublicKey(before.Certificate), PublicKey(s.Certificate)) && len(next) <= maxKept {
				next = append(next, before)
			}
		}
	}
	v.signers.Store(&next)
	return old == nil || !(*old)[0].Certificate.Equal(s.Certificate)
}

// Serve answers on l, which it closes, until Shutdown; it returns nil then.
func (v *Service) Serve(l net.Listener) error {
	v.mu.Lock()
	ending := v.ending
	v.listener, v.open = l, map[net.Conn]bool{}
	v.mu.Unlock()
	if ending {
		return l.Close()
	}
	places := make(chan struct{}, maxPeers)
	for {
		places <- struct{}{}
		c, err := l.Accept()
		if err != nil {
			if v.isEnding() {
				return nil
			}
			return errors.Join(err, l.Close())
		}
		if !v.admit(c) {
			c.Close()
			<-places
			continue
		}
		go func() {
			defer func() { <-places }()
			v.serve(newTalk(c))
		}()
	}
}

func (v *Service) isEnding() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.ending
}

// admit takes a connection, if it may be taken. Serve ends it then.
func (v *Service) admit(c net.Conn) bool {
	if v.Allowed != nil {
		if err := v.Allowed(c); err != nil {
			v.log(err)
			return false
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.ending {
		return false
	}
	v.group.Add(1)
	v.open[c] = true
	return true
}

// Shutdown takes no more questions, and returns when those that were read are
// answered, or when ctx is done.
func (v *Service) Shutdown(ctx context.Context) error {
	v.mu.Lock()
	v.ending = true
	var err error
	if v.listener != nil {
		err = v.listener.Close()
	}
	for c := range v.open {
		err = errors.Join(err, c.SetReadDeadline(time.Unix(1, 0)))
	}
	v.mu.Unlock()
	answered := make(chan struct{})
	go func() {
		v.group.Wait()
		close(answered)
	}()
	select {
	case <-answered:
		return err
	case <-ctx.Done():
		return errors.Join(err, ctx.Err())
	}
}

// serve answers on a connection until it ends.
func (v *Service) serve(c *talk) {
	defer func() {
		v.mu.Lock()
		delete(v.open, c.Conn)
		v.mu.Unlock()
		c.Close()
		v.group.Done()
	}()
	for {
		content, err := v.read(c)
		if err != nil {
			if !errors.Is(err, io.EOF) && !v.isEnding() {
				v.log(err)
			}
			return
		}
		if err := v.write(c, v.answer(content)); err != nil {
			v.log(err)
			return
		}
	}
}

// read waits for the next question. The error is io.EOF where there is none.
func (v *Service) read(c *talk) ([]byte, error) {
	if err := v.deadline(c.SetReadDeadline, idleTimeout); err != nil {
		return nil, err
	}
	if _, err := c.in.Peek(1); errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, io.EOF
	} else if err != nil {
		return nil, err
	}
	if err := v.deadline(c.SetReadDeadline, frameTimeout); err != nil {
		return nil, err
	}
	return readFrame(c.in)
}

func (v *Service) write(c *talk, frame []byte) error {
	if err := v.deadline(c.SetWriteDeadline, frameTimeout); err != nil {
		return err
	}
	_, err := c.Write(frame)
	return err
}

// deadline sets a deadline in so much time. The one that Shutdown has set stays.
func (v *Service) deadline(set func(time.Time) error, in time.Duration) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.ending:
		return nil
	case v.Now != nil:
		return set(v.Now().Add(in))
	}
	return set(time.Now().Add(in))
}

// answer returns the frame that answers a question.
func (v *Service) answer(content []byte) []byte {
	signature, err := v.guarded(content)
	switch {
	case err == nil:
		return appendAnswer(nil, answerSigned, signature)
	case errors.Is(err, ErrAway):
		v.log(err)
		return appendAnswer(nil, answerNotNow, []byte(err.Error()))
	default:
		v.log(fmt.Errorf("refused: %w", err))
		return appendAnswer(nil, answerRefused, []byte(err.Error()))
	}
}

// guarded is sign, but that a panic is one question's, and its stack the log's alone.
func (v *Service) guarded(content []byte) (signature []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			v.log(fmt.Errorf("panic while signing: %v\n%s", p, debug.Stack()))
			signature, err = nil, errors.New("a fault of the signer process, which its log names")
		}
	}()
	return v.sign(content)
}

func (v *Service) sign(content []byte) ([]byte, error) {
	q, err := parseQuestion(content)
	if err != nil {
		return nil, err
	}
	s := v.signer(q.key)
	if s == nil {
		return nil, errors.New("the key of another certificate is wanted than of the one that signs here; give both the same -rsigner")
	}
	s, err = s.by(q.algorithm)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(q.tbs, []byte(proof)) {
		if err := v.Check(s, q.tbs); err != nil {
			return nil, err
		}
	}
	_, signature, err := s.Sign(q.tbs)
	return signature, err
}

// signer finds the signer with the key of that SHA-256; nil: there is none.
func (v *Service) signer(key [sha256.Size]byte) *Signer {
	all := v.signers.Load()
	if all == nil {
		return nil
	}
	i := slices.IndexFunc(*all, func(s *Signer) bool { return sha256.Sum256(s.Certificate.RawSubjectPublicKeyInfo) == key })
	if i < 0 {
		return nil
	}
	return (*all)[i]
}

// by returns the signer as it signs by the algorithm with that identifier.
func (s *Signer) by(identifier []byte) (*Signer, error) {
	for _, a := range algorithmsOf(PublicKey(s.Certificate)) {
		if bytes.Equal(a.identifier, identifier) {
			return &Signer{Certificate: s.Certificate, Path: s.Path, KeyPath: s.KeyPath, key: s.key, algorithm: a}, nil
		}
	}
	return nil, fmt.Errorf("%s is %w (%s)", identifierText(identifier), ErrAlgorithm, KindOf(s.Certificate))
}

func (v *Service) log(err error) {
	if v.Log != nil {
		v.Log(err)
	}
}
