package fcgi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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
			fds, err := syscall.Socketpair(syscall.AF_UNIX, domain, 0)
			if err != nil {
				t.Fatal(err)
			}
			syscall.CloseOnExec(fds[0])
			syscall.CloseOnExec(fds[1])
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

// Kernels that do not tell who listens tell who is connected.
func TestUnconnected(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, test := range []struct {
		name string
		of   interface{ File() (*os.File, error) }
		want bool
	}{
		{"listens", l.(*net.TCPListener), true},
		{"connected", c.(*net.TCPConn), false},
	} {
		f, err := test.of.File()
		if err != nil {
			t.Fatal(err)
		}
		if got := fcgi.Unconnected(int(f.Fd())); got != test.want {
			t.Errorf("FCG-01 %s: %v", test.name, got)
		}
		f.Close()
	}
	if f, err := os.Open(os.DevNull); err != nil || fcgi.Unconnected(int(f.Fd())) {
		t.Errorf("FCG-01 /dev/null: %v", err)
	}
}
