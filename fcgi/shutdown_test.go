package fcgi_test

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"ocspcgi/fcgi"
	"ocspcgi/lib/ocsphttp"
)

// run serves s on a unix socket, and returns what Serve returns.
func run(t *testing.T, s *fcgi.Server) (path string, served chan error) {
	t.Helper()
	path = t.TempDir() + "/s"
	l, err := fcgi.Listen("unix:"+path, 0, "")
	if err != nil {
		t.Fatal(err)
	}
	served = make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	return path, served
}

// shutDown shuts s down in the background.
func shutDown(s *fcgi.Server, ctx context.Context) chan error {
	done := make(chan error, 1)
	go func() { done <- s.Shutdown(ctx) }()
	return done
}

// wait expects nil from c.
func wait(t *testing.T, what string, c chan error) {
	t.Helper()
	select {
	case err := <-c:
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	case <-time.After(20 * time.Second):
		t.Fatalf("%s does not return", what)
	}
}

func TestShutdown(t *testing.T) {
	ctx := context.Background()
	t.Run("FCG-24 idle connections", func(t *testing.T) {
		s := &fcgi.Server{Handler: describe}
		path, served := run(t, s)
		fresh, kept := probe(t, path), probe(t, path)
		kept.wantOpen()
		wait(t, "Shutdown", shutDown(s, ctx))
		wait(t, "Serve", served)
		fresh.wantClosed()
		kept.wantClosed()
		if c, err := net.Dial("unix", path); err == nil {
			c.Close()
			t.Error("still accepts")
		}
	})
	t.Run("FCG-24 a running request", func(t *testing.T) {
		entered, leave := make(chan struct{}), make(chan struct{})
		s := &fcgi.Server{Handler: func(ctx context.Context, req *ocsphttp.Request, resp *ocsphttp.Response) {
			close(entered)
			<-leave
			describe(ctx, req, resp)
		}}
		path, served := run(t, s)
		p := probe(t, path)
		p.send(wire{}.get(1, 1, "/a"))
		<-entered
		done := shutDown(s, ctx)
		wait(t, "Serve", served)
		close(leave)
		p.want(answer(1, "GET /a 0")...)
		p.wantClosed()
		wait(t, "Shutdown", done)
	})
	t.Run("FCG-24 a request half sent", func(t *testing.T) {
		s := &fcgi.Server{Handler: describe}
		path, served := run(t, s)
		p := probe(t, path)
		whole := wire{}.record(getValues, 0, nil, 0).post(1, 1, []byte("hello"))
		p.send(whole[:8+16+30])
		p.want(answered{getValuesResult, 0, ""}) // it is being read
		done := shutDown(s, ctx)
		wait(t, "Serve", served)
		p.send(whole[8+16+30:])
		p.want(answer(1, "POST /ocsp 5")...)
		p.wantClosed()
		wait(t, "Shutdown", done)
	})
	t.Run("FCG-24 not in time", func(t *testing.T) {
		entered := make(chan struct{})
		s := &fcgi.Server{Handler: func(ctx context.Context, req *ocsphttp.Request, resp *ocsphttp.Response) {
			close(entered)
			<-ctx.Done()
			describe(ctx, req, resp)
		}}
		path, served := run(t, s)
		p, half := probe(t, path), probe(t, path)
		half.send(wire{}.record(getValues, 0, nil, 0).begin(1, responder, 1))
		half.want(answered{getValuesResult, 0, ""}) // it is being read
		p.send(wire{}.get(1, 1, "/a"))
		<-entered
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		if err := s.Shutdown(cancelled); !errors.Is(err, context.Canceled) {
			t.Errorf("Shutdown: %v", err)
		}
		wait(t, "Serve", served)
		wait(t, "Shutdown again", shutDown(s, ctx))
		half.wantClosed()
		p.wantClosed()
	})
	t.Run("before Serve", func(t *testing.T) {
		s := &fcgi.Server{Handler: describe}
		wait(t, "Shutdown", shutDown(s, ctx))
		path, served := run(t, s)
		wait(t, "Serve", served)
		if c, err := net.Dial("unix", path); err == nil {
			c.Close()
			t.Error("still accepts")
		}
	})
	t.Run("several listeners", func(t *testing.T) {
		s := &fcgi.Server{Handler: describe}
		first, served1 := run(t, s)
		second, served2 := run(t, s)
		probe(t, first).wantOpen()
		probe(t, second).wantOpen()
		wait(t, "Shutdown", shutDown(s, ctx))
		wait(t, "Serve", served1)
		wait(t, "Serve", served2)
	})
}

// crossing is a connection on which the first half of a request crosses with Shutdown,
// and the rest comes a second later.
type crossing struct {
	*script
	poked chan struct{} // closed when Shutdown has been
	reads int
}

func (c *crossing) SetReadDeadline(at time.Time) error {
	if at.Equal(time.Unix(1, 0)) {
		close(c.poked)
		return nil
	}
	return c.script.SetReadDeadline(at)
}

func (c *crossing) Read(b []byte) (int, error) {
	c.reads++
	switch {
	case c.reads == 1:
		<-c.poked
		return 0, os.ErrDeadlineExceeded
	case c.reads > 2 && c.deadlines[len(c.deadlines)-1].Before(time.Now().Add(time.Second)):
		return 0, os.ErrDeadlineExceeded
	}
	return c.script.Read(b)
}

// A request whose first half crosses with Shutdown has begun, and has its time.
func TestShutdownCrossesWithRequest(t *testing.T) {
	var log faults
	s := &fcgi.Server{Handler: describe, Log: log.add}
	l := newList()
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	post := wire{}.post(1, 1, []byte("hello"))
	c := &crossing{script: &script{pieces: [][]byte{post[:30], post[30:]}, closed: make(chan struct{})}, poked: make(chan struct{})}
	l.conns <- c
	reading := wire{}.get(1, 0, "/") // answered by the same server: it has taken c
	l.play(reading)
	wait(t, "Shutdown", shutDown(s, context.Background()))
	wait(t, "Serve", served)
	if got, want := readAll(t, &c.out), answer(1, "POST /ocsp 5"); !slices.Equal(got, want) {
		t.Errorf("answered %v, want %v", got, want)
	}
	log.want(t)
}

// failing is a listener whose Accept fails before it works.
type failing struct {
	net.Listener
	errs []error
}

func (f *failing) Accept() (net.Conn, error) {
	if len(f.errs) == 0 {
		return f.Listener.Accept()
	}
	err := f.errs[0]
	f.errs = f.errs[1:]
	return nil, &net.OpError{Op: "accept", Err: err}
}

func TestAccept(t *testing.T) {
	t.Run("without descriptors for a while", func(t *testing.T) {
		var log faults
		l := newList()
		serveOn(t, &fcgi.Server{Handler: describe, Log: log.add}, &failing{l, []error{syscall.EMFILE, syscall.ENFILE, syscall.ECONNABORTED}})
		if out := l.play(wire{}.get(1, 1, "/a")).out.String(); !strings.Contains(out, "GET /a 0") {
			t.Errorf("%q", out)
		}
		log.want(t, "too many open files")
	})
	t.Run("for good", func(t *testing.T) {
		s := &fcgi.Server{Handler: describe}
		if err := s.Serve(&failing{newList(), []error{syscall.EINVAL}}); !errors.Is(err, syscall.EINVAL) {
			t.Error(err)
		}
	})
	t.Run("Shutdown during the wait", func(t *testing.T) {
		s := &fcgi.Server{Handler: describe}
		served := make(chan error, 1)
		errs := make([]error, 1000) // one after another, they take minutes
		for i := range errs {
			errs[i] = syscall.EMFILE
		}
		go func() { served <- s.Serve(&failing{newList(), errs}) }()
		wait(t, "Shutdown", shutDown(s, context.Background()))
		wait(t, "Serve", served)
	})
}
