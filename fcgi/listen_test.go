package fcgi_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"ocspcgi/fcgi"
)

// leaveBehind makes a socket at path that nobody listens on.
func leaveBehind(t *testing.T, path string) {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: path})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestListen(t *testing.T) {
	t.Run("FCG-03 a socket left over", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "s")
		leaveBehind(t, path)
		l, err := fcgi.Listen("unix:"+path, 0, "")
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("FCG-04: not removed: %v", err)
		}
	})
	t.Run("FCG-03 a socket left over from somebody else", func(t *testing.T) {
		if os.Geteuid() != 0 {
			t.Skip("only root can give a file away")
		}
		path := filepath.Join(t.TempDir(), "s")
		leaveBehind(t, path)
		if err := os.Chown(path, 65534, -1); err != nil {
			t.Fatal(err)
		}
		_, err := fcgi.Listen("unix:"+path, 0, "")
		if err == nil || !strings.Contains(err.Error(), "user 65534") {
			t.Error(err)
		}
		if _, err := os.Lstat(path); err != nil {
			t.Error(err)
		}
	})
	t.Run("FCG-03 a live server", func(t *testing.T) {
		path, _ := listener(t)
		if _, err := fcgi.Listen("unix:"+path, 0, ""); !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), path) {
			t.Error(err)
		}
		if _, err := os.Lstat(path); err != nil {
			t.Error(err)
		}
	})
	t.Run("FCG-03 a regular file", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "s")
		if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := fcgi.Listen("unix:"+path, 0, ""); err == nil || !strings.Contains(err.Error(), path) {
			t.Error(err)
		}
		if text, err := os.ReadFile(path); err != nil || string(text) != "precious" {
			t.Errorf("%q, %v", text, err)
		}
	})
	t.Run("FCG-03 tcp", func(t *testing.T) {
		l, err := fcgi.Listen("tcp:127.0.0.1:0", 0, "")
		if err != nil {
			t.Fatal(err)
		}
		serveOn(t, &fcgi.Server{Handler: describe}, l)
		dial(t, l.Addr()).wantOpen()
	})
	for _, bad := range []string{"", "unix:", "tcp:", "/run/s", "udp:127.0.0.1:9", "tcp:no port", "unix:/no/such/folder/s"} {
		t.Run("bad "+bad, func(t *testing.T) {
			if l, err := fcgi.Listen(bad, 0, ""); err == nil || !strings.Contains(err.Error(), bad[strings.Index(bad, ":")+1:]) {
				t.Error(l, err)
			}
		})
	}
}

func TestSocketMode(t *testing.T) {
	gid := os.Getgid()
	for _, c := range []struct {
		umask int
		mode  fs.FileMode
		group string
		want  fs.FileMode
	}{
		{0, 0, "", 0o660}, {0o777, 0, "", 0o660}, {0o022, 0o600, "", 0o600}, {0o077, 0o666, fmt.Sprint(gid), 0o666},
	} {
		t.Run(fmt.Sprintf("FCG-04 %o under %o", c.mode, c.umask), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "s")
			old := syscall.Umask(c.umask)
			l, err := fcgi.Listen("unix:"+path, c.mode, c.group)
			after := syscall.Umask(old)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode().Perm() != c.want || int(info.Sys().(*syscall.Stat_t).Gid) != gid {
				t.Errorf("%v, group %d", info.Mode(), info.Sys().(*syscall.Stat_t).Gid)
			}
			if after != c.umask {
				t.Errorf("umask %o afterwards", after)
			}
		})
	}
	t.Run("FCG-04 race", func(t *testing.T) {
		modes := modesSeen(t, "")
		if len(modes) != 1 || modes[socketState{0o600, gid}] == 0 {
			t.Errorf("seen %v", modes)
		}
	})
	t.Run("FCG-04 race for the group", func(t *testing.T) {
		if os.Geteuid() != 0 {
			t.Skip("only root is in every group")
		}
		for state := range modesSeen(t, "33") {
			if state != (socketState{0o600, 33}) && state.mode != 0 {
				t.Errorf("seen %v", state)
			}
		}
	})
	t.Run("FCG-04 no such group", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "s")
		if _, err := fcgi.Listen("unix:"+path, 0, "no-such-group"); err == nil || !strings.Contains(err.Error(), "no-such-group") {
			t.Error(err)
		}
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
	})
	t.Run("FCG-04 the group of a name", func(t *testing.T) {
		if os.Geteuid() != 0 {
			t.Skip("only root is in every group")
		}
		path := filepath.Join(t.TempDir(), "s")
		l, err := fcgi.Listen("unix:"+path, 0, "www-data")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		info, err := os.Stat(path)
		if err != nil || info.Sys().(*syscall.Stat_t).Gid != 33 {
			t.Errorf("%v, %v", info, err)
		}
	})
}

// socketState is what says who may connect.
type socketState struct {
	mode fs.FileMode
	gid  int
}

// modesSeen counts in what states a socket is seen while it is made 2000 times. Linux
// reads the group before the mode: a look may have them of two moments, but not two in
// a row.
func modesSeen(t *testing.T, group string) map[socketState]int {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	stop, seen := make(chan struct{}), make(chan map[socketState]int)
	go func() {
		states := make(map[socketState]int)
		var last socketState
		for {
			select {
			case <-stop:
				seen <- states
				return
			default:
			}
			info, err := os.Lstat(path)
			if err != nil {
				continue
			}
			state := socketState{info.Mode().Perm(), int(info.Sys().(*syscall.Stat_t).Gid)}
			if state == last {
				states[state]++
			}
			last = state
		}
	}()
	for range 2000 {
		l, err := fcgi.Listen("unix:"+path, 0o600, group)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	return <-seen
}

// Of several who find a socket left over one replaces it, and its own is never
// taken for another one that is left over.
func TestListenTogether(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	for range 200 {
		leaveBehind(t, path)
		var all sync.WaitGroup
		listeners := make(chan net.Listener, 4)
		for range cap(listeners) {
			all.Go(func() {
				l, err := fcgi.Listen("unix:"+path, 0, "")
				switch {
				case err == nil:
					listeners <- l
				case !errors.Is(err, syscall.EADDRINUSE):
					t.Error(err)
				}
			})
		}
		all.Wait()
		close(listeners)
		if len(listeners) != 1 {
			t.Fatalf("%d listen", len(listeners))
		}
		(<-listeners).Close()
	}
}

// Who has the directory locked, as everybody can who may read it, keeps nobody from
// listening.
func TestListenWhereSomebodyHasLocked(t *testing.T) {
	dir := t.TempDir()
	held, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if err := syscall.Flock(int(held.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	l, err := fcgi.Listen("unix:"+filepath.Join(dir, "s"), 0, "")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
}

// The socket of a successor stays when the process before it ends.
func TestCloseAfterSuccessor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	first, err := fcgi.Listen("unix:"+path, 0, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	next, err := fcgi.Listen("unix:"+path, 0, "")
	if err != nil {
		t.Fatal(err)
	}
	defer next.Close()
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}
