package conformance_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ocspcgi/lib/servertest"
)

// Who reads the log may leave.
func TestLogThatNobodyReads(t *testing.T) {
	k := newKit(t)
	der, _, good := k.question()
	socket := filepath.Join(servertest.Room(t), "s")
	cmd := exec.Command(program, "-config", k.config, "-listen", "unix:"+socket)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = w
	if err := errors.Join(cmd.Start(), w.Close()); err != nil {
		t.Fatal(err)
	}
	s := &served{socket: socket}
	wait(t, "nobody listens", func() error { return reachable(socket) })
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := good.check(s.fastCGI(t, der), false); err != nil {
			t.Error(err)
		}
	}
	if err := errors.Join(cmd.Process.Signal(syscall.SIGTERM), cmd.Wait()); err != nil {
		t.Error(err)
	}
}

// A program ends when it is told to, though its log hangs in which there is something
// to say of that: of a request that does not come to its end.
func TestEndsThoughLogHangs(t *testing.T) {
	k := newKit(t)
	socket := filepath.Join(servertest.Room(t), "s")
	endsThoughLogHangs(t, exec.Command(program, "-config", k.config, "-listen", "unix:"+socket), socket, func(conn net.Conn) {
		getValues := record(nil, 9, nil)
		getValues[3] = 0 // the id of what is about no request
		if _, err := conn.Write(append(getValues, record(nil, 1, []byte{0, 1, 0, 0, 0, 0, 0, 0})...)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(conn, make([]byte, 8)); err != nil { // it is being read
			t.Fatal(err)
		}
	}, func(*os.Process) {})
}

// So does who signs for others, whose new key is not to be used, which hangs already.
func TestSignerEndsThoughLogHangs(t *testing.T) {
	k := newKit(t)
	socket := filepath.Join(servertest.Room(t), "s")
	cmd := exec.Command(program, "signer", "-rsigner", k.Signer.Cert, "-rkey", k.Signer.Key, "-listen", "unix:"+socket)
	endsThoughLogHangs(t, cmd, socket, func(net.Conn) {}, func(p *os.Process) {
		servertest.WriteFile(t, k.Signer.Key, "garbage")
		wait(t, "nothing is said of the key", func() error { return writesToPipe(p.Pid) })
	})
}

// endsThoughLogHangs has a program listen, be busy with a connection before its log hangs
// and with what happens afterwards, and end.
func endsThoughLogHangs(t *testing.T, cmd *exec.Cmd, socket string, before func(net.Conn), afterwards func(*os.Process)) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd.Stderr = w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill() // if it has not ended
	wait(t, "nobody listens", func() error { return reachable(socket) })
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	before(conn)
	clog(t, w)
	afterwards(cmd.Process)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	hangs := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
	defer hangs.Stop()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// writesToPipe tells by an error that no thread of a process waits for who reads a pipe.
func writesToPipe(pid int) error {
	waits, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/wchan", pid))
	if err != nil {
		return err
	}
	for _, file := range waits {
		if at, err := os.ReadFile(file); err == nil && strings.HasSuffix(string(at), "pipe_write") {
			return nil
		}
	}
	return errors.New("no thread waits for a pipe")
}

// clog fills a pipe, and closes it.
func clog(t *testing.T, w *os.File) {
	t.Helper()
	fd := int(w.Fd())
	if err := syscall.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := syscall.Write(fd, []byte("x")); errors.Is(err, syscall.EAGAIN) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(syscall.SetNonblock(fd, false), w.Close()); err != nil {
		t.Fatal(err)
	}
}
