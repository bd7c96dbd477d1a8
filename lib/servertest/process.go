package servertest

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long a process has for what takes it a moment.
const patience = 20 * time.Second

// Process is a server that a test has started.
type Process struct {
	cmd    *exec.Cmd
	output string // path of the file with what it wrote to stdout and stderr
	ended  chan struct{}
}

// Start runs a program in the foreground and returns when it takes connections
// at address (unix:PATH or HOST:PORT). It is stopped when the test ends.
func Start(t testing.TB, dir, address, program string, args ...string) *Process {
	t.Helper()
	p, err := TryStart(t, dir, address, program, args...)
	if err != nil {
		t.Fatalf("%s: %v\n%s", program, err, p.Output(t))
	}
	return p
}

// TryStart is Start for a program that may end at once, which is the error.
func TryStart(t testing.TB, dir, address, program string, args ...string) (*Process, error) {
	t.Helper()
	out, err := os.CreateTemp(dir, filepath.Base(program)+"-*.out")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	p := &Process{cmd: exec.Command(program, args...), output: out.Name(), ended: make(chan struct{})}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, out, out
	p.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + dir, RaceOptions()}
	// A group of its own: Apache sends signals to all of its group.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: account(t)}
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("%v: the tests need this program", err)
	}
	go func() {
		defer close(p.ended)
		p.cmd.Wait() // what it exits with is said by what it wrote
	}()
	t.Cleanup(func() { p.Stop(t) })
	return p, p.ready(address)
}

// ready waits until somebody takes connections at address.
func (p *Process) ready(address string) error {
	network := "tcp"
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		network, address = "unix", path
	}
	deadline := time.After(patience)
	for {
		conn, err := net.Dial(network, address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-p.ended:
			return &net.OpError{Op: "start", Net: network, Err: os.ErrProcessDone}
		case <-deadline:
			return err
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// Stop ends the process as a service manager does, and waits for it. It may be
// called again.
func (p *Process) Stop(t testing.TB) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && err != os.ErrProcessDone {
		t.Error(err)
	}
	select {
	case <-p.ended:
	case <-time.After(patience):
		t.Errorf("%s does not end on SIGTERM\n%s", p.cmd.Path, p.Output(t))
		if err := syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL); err != nil {
			t.Error(err)
		}
		<-p.ended
	}
}

// Kill ends the process and all of its group, at once.
func (p *Process) Kill(t testing.TB) {
	t.Helper()
	if err := syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL); err != nil {
		t.Error(err)
	}
	<-p.ended
}

// Output returns what the process wrote to stdout and stderr.
func (p *Process) Output(t testing.TB) string {
	t.Helper()
	return ReadFile(t, p.output)
}

// ReadFile returns what is in a file; nothing when it is not there.
func ReadFile(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(bytes.ToValidUTF8(text, []byte("?")))
}

// Room makes a directory for a server. Its name is short, for sockets in it.
func Room(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ocspcgi-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	own(t, dir)
	return dir
}

// Mkdir makes a directory that the account of the servers may write to.
func Mkdir(t testing.TB, dir string) {
	t.Helper()
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	own(t, dir)
}

// FreeAddress returns a loopback address with a port that nobody has.
func FreeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// account is whom servers run as; nil means the one who tests. Apache does not
// serve as root.
func account(t testing.TB) *syscall.Credential {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	who, err := user.Lookup("www-data")
	if err != nil {
		who, err = user.Lookup("nobody")
	}
	if err != nil {
		t.Fatal(err)
	}
	uid, err := strconv.ParseUint(who.Uid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	gid, err := strconv.ParseUint(who.Gid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// own gives a file to the account of the servers.
func own(t testing.TB, path string) {
	t.Helper()
	if who := account(t); who != nil {
		if err := os.Chown(path, int(who.Uid), int(who.Gid)); err != nil {
			t.Fatal(err)
		}
	}
}
