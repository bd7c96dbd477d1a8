package signer_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ocspcgi/lib/signer"
)

// shortDir is a folder whose name is short enough for a socket.
func shortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "signer")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// serve has a service sign at a socket until stop is called.
func serve(t testing.TB, path string, v *signer.Service) (stop func()) {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- v.Serve(l) }()
	return func() {
		t.Helper()
		if err := errors.Join(v.Shutdown(context.Background()), <-ended); err != nil {
			t.Error(err)
		}
	}
}

// A question that makes a panic is refused, and the process goes on.
func TestServicePanics(t *testing.T) {
	p := newPKI(t)
	p.key("k", "p256")
	p.selfSigned("k", "ca")
	socket := filepath.Join(shortDir(t), "s")
	told := make(chan error, 2)
	v := &signer.Service{Log: func(err error) { told <- err }, Check: func(_ *signer.Signer, tbs []byte) error {
		if string(tbs) != "fine" {
			panic("at " + string(tbs))
		}
		return nil
	}}
	defer serve(t, socket, v)()
	v.Use(p.signer("k"))
	s := p.remote("k", socket, signer.Options{})
	_, _, err := s.Sign([]byte("odd"))
	wantText(t, err, "unix:"+socket+": signing: refused: a fault of the signer process, which its log names")
	if errors.Is(err, signer.ErrAway) {
		t.Error(err)
	}
	if why := (<-told).Error(); !strings.HasPrefix(why, "panic while signing: at odd\ngoroutine ") {
		t.Errorf("the log says %s", why)
	}
	<-told // that it was refused
	if _, _, err := s.Sign([]byte("fine")); err != nil {
		t.Error(err)
	}
}

// A process that hangs is waited for once, however many connections to it are kept:
// none of them tells another thing.
func TestHungService(t *testing.T) {
	p := newPKI(t)
	p.key("k", "p256")
	p.selfSigned("k", "ca")
	socket := filepath.Join(shortDir(t), "s")
	asked, answer := make(chan struct{}, 10), make(chan struct{})
	v := &signer.Service{Check: func(*signer.Signer, []byte) error {
		asked <- struct{}{}
		<-answer
		return nil
	}}
	stop := serve(t, socket, v)
	defer func() {
		close(answer)
		stop()
	}()
	v.Use(p.signer("k"))
	s := p.remote("k", socket, signer.Options{})
	const kept = 3
	var group sync.WaitGroup
	for range kept {
		group.Go(func() {
			if _, _, err := s.Sign([]byte("fine")); err != nil {
				t.Error(err)
			}
		})
		<-asked
	}
	for range kept {
		answer <- struct{}{}
	}
	group.Wait()
	s.Hurry()
	if _, _, err := s.Sign([]byte("fine")); !errors.Is(err, signer.ErrAway) {
		t.Error(err)
	}
	if n := len(asked); n > 1 {
		t.Errorf("asked %d times", n)
	}
}

// However many have connected and ask nothing, who asks gets a place.
func TestIdlePeers(t *testing.T) {
	p := newPKI(t)
	p.key("k", "p256")
	p.selfSigned("k", "ca")
	socket := filepath.Join(shortDir(t), "s")
	var late atomic.Int64 // how far the service's clock is behind
	v := &signer.Service{Check: onlyFine, Now: func() time.Time { return time.Now().Add(-time.Duration(late.Load())) }}
	defer serve(t, socket, v)()
	v.Use(p.signer("k"))
	late.Store(int64(time.Hour)) // all deadlines are over at once
	var idle []net.Conn
	for range 300 {
		c, err := net.Dial("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		idle = append(idle, c)
	}
	for i, c := range idle {
		if err := c.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Fatalf("connection %d is kept: %v", i, err)
		}
	}
	late.Store(0)
	s := p.remote("k", socket, signer.Options{})
	if _, _, err := s.Sign([]byte("fine")); err != nil {
		t.Error(err)
	}
	// One that was kept and is closed now is asked no more.
	late.Store(int64(time.Hour))
	for range 2 {
		_, _, _ = s.Sign([]byte("fine")) // its answer may come too late
	}
	late.Store(0)
	if _, _, err := s.Sign([]byte("fine")); err != nil {
		t.Error(err)
	}
}

// onlyFine lets one text be signed.
func onlyFine(_ *signer.Signer, tbs []byte) error {
	if string(tbs) != "fine" {
		return errors.New("not fine")
	}
	return nil
}

func (p pki) remote(name, socket string, o signer.Options) *signer.Signer {
	p.t.Helper()
	s, err := signer.Load(p.path(name+".crt"), "unix:"+socket, nil, o)
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

func TestService(t *testing.T) {
	p := newPKI(t)
	socket := filepath.Join(shortDir(t), "s")
	pss := signer.Options{Digest: "sha384", SigOpts: []string{"rsa_padding_mode:pss"}}
	v := &signer.Service{Check: onlyFine}
	stop := serve(t, socket, v)
	defer func() { stop() }()
	for _, c := range []struct {
		kind string
		o    signer.Options
	}{{"rsa", signer.Options{}}, {"rsa", pss}, {"p256", signer.Options{}}, {"p384", signer.Options{}}, {"ed25519", signer.Options{}}} {
		name := c.kind + c.o.Digest
		p.key(name, c.kind)
		p.selfSigned(name, "ca")
		if !v.Use(p.signer(name)) || v.Use(p.signer(name)) {
			t.Error("Use does not tell another signer from the same")
		}
		s := p.remote(name, socket, c.o)
		algorithm, signature, err := s.Sign([]byte("fine"))
		if err == nil {
			err = signer.CheckSignature(s.Certificate, algorithm, []byte("fine"), signature)
		}
		if err := errors.Join(err, s.Prove()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		_, _, err = s.Sign([]byte("anything"))
		wantText(t, err, "unix:"+socket+": signing: refused: not fine")
		if errors.Is(err, signer.ErrAway) {
			t.Error("a refusal does not heal")
		}
	}

	// One that was replaced is there for those who have its certificate still.
	if err := p.remote("p256", socket, signer.Options{}).Prove(); err != nil {
		t.Error(err)
	}
	p.key("other", "p256")
	p.selfSigned("other", "ca")
	wantText(t, p.remote("other", socket, signer.Options{}).Prove(), "unix:"+socket+": a signature to try it: unix:"+socket+
		": signing: refused: the key of another certificate is wanted than of the one that signs here; give both the same -rsigner")

	// Between two questions the process may be another one.
	s := p.remote("p256", socket, signer.Options{})
	if err := s.Prove(); err != nil {
		t.Fatal(err)
	}
	stop()
	if err := s.Prove(); !errors.Is(err, signer.ErrAway) || !strings.HasSuffix(err.Error(), "; is ocspcgi signer running?") {
		t.Errorf("with nobody there: %v", err)
	}
	v = &signer.Service{Check: onlyFine}
	v.Use(p.signer("p256"))
	stop = serve(t, socket, v)
	if err := s.Prove(); err != nil {
		t.Fatal(err)
	}
	stop()
	v = &signer.Service{Check: onlyFine}
	v.Use(p.signer("p256"))
	stop = serve(t, socket, v)
	if err := s.Prove(); err != nil {
		t.Errorf("after a restart between two questions: %v", err)
	}
}

func wantText(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || err.Error() != want {
		t.Errorf("error\n got %v\nwant %s", err, want)
	}
}

// A signer process whose own key is away says so, and that heals too.
func TestServiceBehindAway(t *testing.T) {
	p := newPKI(t)
	dir := shortDir(t)
	p.key("a", "p256")
	p.selfSigned("a", "ca")
	v := &signer.Service{Check: onlyFine}
	v.Use(p.remote("a", filepath.Join(dir, "nobody"), signer.Options{}))
	stop := serve(t, filepath.Join(dir, "s"), v)
	defer stop()
	if err := p.remote("a", filepath.Join(dir, "s"), signer.Options{}).Prove(); !errors.Is(err, signer.ErrAway) {
		t.Error(err)
	}
}

func TestServiceTogether(t *testing.T) {
	p := newPKI(t)
	socket := filepath.Join(shortDir(t), "s")
	p.key("a", "p256")
	p.selfSigned("a", "ca")
	v := &signer.Service{Check: onlyFine}
	v.Use(p.signer("a"))
	stop := serve(t, socket, v)
	s := p.remote("a", socket, signer.Options{})
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			for range 20 {
				if _, _, err := s.Sign([]byte("fine")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	stop()
}

// Whoever may not ask is not answered.
func TestServiceAllowed(t *testing.T) {
	p := newPKI(t)
	socket := filepath.Join(shortDir(t), "s")
	p.key("a", "p256")
	p.selfSigned("a", "ca")
	told := make(chan error, 1)
	v := &signer.Service{Check: onlyFine, Allowed: func(net.Conn) error { return errors.New("you not") }, Log: func(err error) { told <- err }}
	v.Use(p.signer("a"))
	stop := serve(t, socket, v)
	defer stop()
	if err := p.remote("a", socket, signer.Options{}).Prove(); !errors.Is(err, signer.ErrAway) {
		t.Error(err)
	}
	wantText(t, <-told, "you not")
}

// What is no answer of a signer process is an error that heals: somebody else
// listens there.
func TestNoAnswer(t *testing.T) {
	p := newPKI(t)
	p.key("a", "p256")
	p.selfSigned("a", "ca")
	for _, said := range []string{"", "\x00", "HTTP/1.1 400 Bad Request\r\n\r\n", "\xff\xff\xff\xff\x01", "\x00\x00\x00\x00\x01", "\x00\x00\x00\x02\x02\x00", "\x00\x00\x00\x09\x01\x00sig"} {
		socket := filepath.Join(shortDir(t), "s")
		l, err := net.Listen("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				c.Write([]byte(said))
				c.(*net.UnixConn).CloseWrite()
			}
		}()
		if err := p.remote("a", socket, signer.Options{}).Prove(); !errors.Is(err, signer.ErrAway) {
			t.Errorf("%q: %v", said, err)
		}
		l.Close()
	}
}

// A frame that is too long is no question, whatever of it is to come: nobody waits for it.
func TestEndlessQuestion(t *testing.T) {
	socket := filepath.Join(shortDir(t), "s")
	said := make(chan error, 1)
	defer serve(t, socket, &signer.Service{Check: onlyFine, Log: func(err error) { said <- err }})()
	c, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	const asMuch = 1<<20 + 1
	if _, err := c.Write(append(binary.BigEndian.AppendUint32(nil, asMuch), 1)); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("%d bytes of an answer, %v", n, err)
	}
	wantText(t, <-said, "not the protocol of ocspcgi signer")
}

// frameSeeds are questions and answers, and what is none.
func frameSeeds() [][]byte {
	question := append(append([]byte{1}, make([]byte, 32)...), 2, 0x30, 0, 'f', 'i', 'n', 'e')
	return [][]byte{
		nil, {0}, question, question[:20], question[:33], append(question[:33:33], 255), {1, 0, 's'}, {1, 1, 'n', 'o'}, {1, 2}, {1, 3}, {1}, {2, 0},
		question[:33:33], question[:34], append(bytes.Clone(question), make([]byte, 5000)...), append(question[:33:33], 10, 0x30, 8, 6, 6),
		append([]byte{1, 0}, make([]byte, 64)...), append([]byte{1, 0}, make([]byte, 512)...), append([]byte{1, 1}, "refused: \x1b[31mred\x1b[0m\r\n"...),
		append([]byte{1, 2}, "\xff\xfe\xe2\x80\xae"...), []byte("\x01\x02the token is away"), []byte("HTTP/1.1 400 Bad Request\r\n\r\n"), {1, 255, 0}, {0, 0, 0, 0},
	}
}

// Whatever comes in a question's frame, it is parsed or refused, and what was
// parsed is what is in it.
func FuzzQuestion(f *testing.F) {
	for _, seed := range frameSeeds() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		if len(content) == 0 || content[0] != 1 {
			return // not a frame of this version
		}
		again, err := signer.Reframe(content)
		if err != nil {
			return
		}
		want := append(binary.BigEndian.AppendUint32(nil, uint32(len(content))), content...)
		if string(again) != string(want) {
			t.Errorf("%x is read, and written as %x", content, again)
		}
	})
}

// Whatever an answer's frame has, it is a signature of all that is in it, or an
// error in printable text.
func FuzzAnswer(f *testing.F) {
	for _, seed := range frameSeeds() {
		f.Add(binary.BigEndian.AppendUint32(nil, uint32(len(seed))), seed)
	}
	f.Fuzz(func(t *testing.T, head, content []byte) {
		signature, err := signer.ReadAnswer(append(head, content...))
		switch {
		case err == nil && !strings.Contains(string(head)+string(content), string(signature)):
			t.Errorf("%x%x says %x", head, content, signature)
		case err != nil && strings.ContainsAny(err.Error(), "\n\x00\x1b"):
			t.Errorf("unprintable: %q", err)
		}
	})
}
