package fcgi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ocspcgi/fcgi"
)

// TestMain makes the test binary a FastCGI program when it is run as one.
func TestMain(m *testing.M) {
	if os.Getenv("FCGI_TEST_PROGRAM") == "" {
		os.Exit(m.Run())
	}
	if err := program(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// program serves on what it has been started with.
func program() error {
	l, ok, err := fcgi.Inherited()
	if err != nil {
		return err
	}
	if !ok {
		all, err := fcgi.Systemd(os.Getenv, os.Getpid())
		if err != nil {
			return err
		}
		if len(all) == 0 {
			return errors.New("no listener")
		}
		l = all[len(all)-1]
	}
	return (&fcgi.Server{Handler: describe}).Serve(l)
}

// launch starts name as a FastCGI program, to be ended with the test.
func launch(t *testing.T, stdin *os.File, extra []*os.File, name string, args ...string) (out *bytes.Buffer, wait func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "FCGI_TEST_PROGRAM=1")
	cmd.ExtraFiles = extra
	if stdin != nil {
		cmd.Stdin = stdin
	}
	out = new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	t.Cleanup(cancel)
	return out, func() error { return <-exited }
}

// listener is a unix socket as a file, the way a process manager passes it.
func listener(t *testing.T) (path string, file *os.File) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	file, err = l.(*net.UnixListener).File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return path, file
}

// awaitListener waits until somebody listens on path.
func awaitListener(t *testing.T, path string) {
	t.Helper()
	eventually(t, "listener", func() bool {
		c, err := net.Dial("unix", path)
		return err == nil && c.Close() == nil
	})
}

func TestInherited(t *testing.T) {
	t.Run("FCG-01 fd 0 listens", func(t *testing.T) {
		path, file := listener(t)
		launch(t, file, nil, os.Args[0])
		probe(t, path).wantOpen()
	})
	t.Run("FCG-01 spawn-fcgi", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "s")
		launch(t, nil, nil, "spawn-fcgi", "-n", "-s", path, "--", os.Args[0])
		awaitListener(t, path)
		probe(t, path).wantOpen()
	})
	for name, domain := range map[string]int{"stream": syscall.SOCK_STREAM, "datagram": syscall.SOCK_DGRAM} {
		t.Run("FCG-01 fd 0 is connected, "+name, func(t *testing.T) {
			fds, err := syscall.Socketpair(syscall.AF_UNIX, domain|syscall.SOCK_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			ours, theirs := os.NewFile(uintptr(fds[0]), ""), os.NewFile(uintptr(fds[1]), "")
			defer ours.Close()
			defer theirs.Close()
			out, wait := launch(t, theirs, nil, os.Args[0])
			if err := wait(); err == nil || out.String() != "no listener\n" {
				t.Errorf("%v, %q", err, out)
			}
		})
	}
	t.Run("FCG-01 fd 0 is /dev/null", func(t *testing.T) {
		out, wait := launch(t, nil, nil, os.Args[0])
		if err := wait(); err == nil || out.String() != "no listener\n" {
			t.Errorf("%v, %q", err, out)
		}
	})
}

func TestSystemd(t *testing.T) {
	t.Run("FCG-02 two listeners", func(t *testing.T) {
		_, first := listener(t)
		path, second := listener(t)
		launch(t, nil, []*os.File{first, second}, "sh", "-c", `LISTEN_FDS=2 LISTEN_PID=$$ exec "$0"`, os.Args[0])
		probe(t, path).wantOpen()
	})
	t.Run("FCG-02 systemd-socket-activate", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "s")
		launch(t, nil, nil, "systemd-socket-activate", "-l", path, "-E", "FCGI_TEST_PROGRAM=1", os.Args[0])
		awaitListener(t, path)
		probe(t, path).wantOpen()
	})
	t.Run("FCG-02 a file", func(t *testing.T) {
		file, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		out, wait := launch(t, nil, []*os.File{file}, "sh", "-c", `LISTEN_FDS=1 LISTEN_PID=$$ exec "$0"`, os.Args[0])
		if err := wait(); err == nil || !strings.Contains(out.String(), "descriptor 3 is not a listening socket") {
			t.Errorf("%v, %q", err, out)
		}
	})
	for name, env := range map[string][2]string{
		"another process": {"1", "1"}, "none": {"", ""}, "no number": {"0x2a", "1"},
	} {
		t.Run("FCG-02 "+name, func(t *testing.T) {
			getenv := func(name string) string {
				return map[string]string{"LISTEN_PID": env[0], "LISTEN_FDS": env[1]}[name]
			}
			if all, err := fcgi.Systemd(getenv, 42); err != nil || len(all) > 0 {
				t.Errorf("%v, %v", all, err)
			}
		})
	}
	t.Run("FCG-02 LISTEN_FDS is no number", func(t *testing.T) {
		getenv := func(name string) string { return map[string]string{"LISTEN_PID": "42", "LISTEN_FDS": "x"}[name] }
		if all, err := fcgi.Systemd(getenv, 42); err == nil {
			t.Errorf("%v", all)
		}
	})
}

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
		path := filepath.Join(t.TempDir(), "s")
		stop, seen := make(chan struct{}), make(chan map[fs.FileMode]bool)
		go func() {
			modes := make(map[fs.FileMode]bool)
			for {
				select {
				case <-stop:
					seen <- modes
					return
				default:
				}
				if info, err := os.Lstat(path); err == nil {
					modes[info.Mode().Perm()] = true
				}
			}
		}()
		for range 2000 {
			l, err := fcgi.Listen("unix:"+path, 0o600, "")
			if err != nil {
				t.Fatal(err)
			}
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
		}
		close(stop)
		if modes := <-seen; len(modes) != 1 || !modes[0o600] {
			t.Errorf("seen %v", modes)
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

// TestLibfcgi lets the C library's client ask.
func TestLibfcgi(t *testing.T) {
	path := start(t, &fcgi.Server{Handler: describe})
	for name, c := range map[string]struct{ env, body, want string }{
		"GET":  {"REQUEST_METHOD=GET REQUEST_URI=/ocsp/MEow%2F", "", "GET /ocsp/MEow%2F 0"},
		"POST": {"REQUEST_METHOD=POST REQUEST_URI=/ocsp CONTENT_LENGTH=5", "hello", "POST /ocsp 5"},
		"long": {"REQUEST_METHOD=POST REQUEST_URI=/ocsp CONTENT_LENGTH=65536", strings.Repeat("x", 65536), "POST /ocsp 65536"},
	} {
		t.Run("FCG-26 cgi-fcgi "+name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			cmd := exec.CommandContext(ctx, "cgi-fcgi", "-bind", "-connect", path)
			cmd.Env = strings.Fields(c.env)
			cmd.Stdin = strings.NewReader(c.body)
			out, err := cmd.Output()
			if err != nil || string(out) != page(c.want) {
				t.Errorf("%q, %v", out, err)
			}
		})
	}
}
