package accept_test

import (
	"errors"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"ocspcgi/lib/accept"
)

// failing is a listener that fails before it has a connection.
type failing struct {
	net.Listener
	mu   sync.Mutex
	errs []error
}

func (f *failing) Accept() (net.Conn, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.errs) == 0 {
		return f.Listener.Accept()
	}
	err := f.errs[0]
	f.errs = f.errs[1:]
	return nil, &net.OpError{Op: "accept", Net: "tcp", Err: err}
}

// listen returns a listener that fails so at first, and somebody who connects.
func listen(t *testing.T, errs ...error) *accept.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return accept.New(&failing{Listener: l, errs: errs})
}

func TestForAWhile(t *testing.T) {
	for _, err := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ENOSPC, syscall.ECONNABORTED, syscall.EPROTO, syscall.EINTR, syscall.EPERM} {
		l := listen(t, err, err, err)
		told := 0
		l.Log = func(why error) {
			if told++; !errors.Is(why, err) {
				t.Errorf("the log says %v of %v", why, err)
			}
		}
		start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		l.Now = func() time.Time { return start }
		c, got := l.Accept()
		if got != nil {
			t.Fatalf("%v: %v", err, got)
		}
		c.Close()
		if told != 1 {
			t.Errorf("%v: the log was told %d times", err, told)
		}
	}
}

// Without descriptors there is one whenever a connection ends, and then none again: that
// is no more to tell than that there is none.
func TestTellsOnceAMinute(t *testing.T) {
	l := listen(t)
	under := l.Listener.(*failing)
	told := 0
	l.Log = func(error) { told++ }
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	l.Now = func() time.Time { return now }
	for i, want := range []int{1, 1, 1, 2} {
		if i == 3 {
			now = now.Add(time.Minute + time.Second)
		}
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		under.errs = []error{syscall.EMFILE}
		in, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		in.Close()
		if told != want {
			t.Errorf("at connection %d the log had been told %d times, want %d", i+1, told, want)
		}
	}
}

func TestForGood(t *testing.T) {
	if _, err := listen(t, syscall.EINVAL).Accept(); !errors.Is(err, syscall.EINVAL) {
		t.Error(err)
	}
}

func TestClosed(t *testing.T) {
	many := make([]error, 1000) // one after another, they take minutes
	for i := range many {
		many[i] = syscall.EMFILE
	}
	l := listen(t, many...)
	waits := make(chan struct{})
	l.Log = func(error) { close(waits) }
	ended := make(chan error, 1)
	go func() {
		_, err := l.Accept()
		ended <- err
	}()
	<-waits
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}
