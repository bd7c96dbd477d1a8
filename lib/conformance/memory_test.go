package conformance_test

import (
	"bytes"
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
	"ocspcgi/lib/servertest"
	"ocspcgi/lib/wire"
)

// Without memory a CGI process answers right, for it holds no index, or it ends
// without a byte: the web server says so then.
func TestMemoryOfCGI(t *testing.T) {
	withoutRaces(t)
	k := newKit(t)
	k.lengthen(t, 500_000)
	leaf := k.ca.id(content(k.Revoked)...)
	revoked := k.said(wire.Revoked, leaf, nil)
	der, _, good := k.question()
	right, nothing := 0, 0
	for _, limit := range []string{"300000", "600000", "900000", "1200000", "unlimited"} {
		for body, w := range map[string]want{string(der): good, string(request(list(leaf))): revoked} {
			cmd := k.command(variables(len(body))...)
			cmd.Env = append(cmd.Env, "PATH="+os.Getenv("PATH"))
			line := append(limited("-v "+limit), program)
			cmd.Path, cmd.Args = sh(t), line
			var out bytes.Buffer
			cmd.Stdin, cmd.Stdout = bytes.NewReader([]byte(body)), &out
			err := cmd.Run()
			if out.Len() == 0 && err != nil && limit != "unlimited" {
				nothing++
				continue
			}
			right++
			if err := errors.Join(err, w.check(parse(t, out.Bytes()), false)); err != nil {
				t.Errorf("%s KiB: %v", limit, err)
			}
		}
	}
	t.Attr("figures", fmt.Sprintf("%d answered under limits of memory, %d ended before", right, nothing))
}

// withoutRaces skips what limits the address space: the race detector reserves more
// than any limit that a program without it would feel.
func withoutRaces(t *testing.T) {
	t.Helper()
	if servertest.Raced {
		t.Skip("the race detector wants more room than there is")
	}
}

func sh(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// A process that stays and cannot hold the next index says nothing wrong, and ends
// by a signal: whoever watches over it starts it again.
func TestMemoryOfReload(t *testing.T) {
	withoutRaces(t)
	t.Parallel() // it waits most of the time
	k := newKit(t)
	der, _, good := k.question()
	dir := servertest.Room(t)
	config, socket := filepath.Join(dir, "ocspcgi.toml"), filepath.Join(dir, "s")
	servertest.WriteFile(t, config, k.settings(k.Signer))
	cmd := exec.Command(program, "-config", config, "-listen", "unix:"+socket)
	cmd.Env = []string{"GOTRACEBACK=crash"} // as in the units
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		cmd.Wait() // how it ended is looked at below
	}()
	t.Cleanup(func() {
		cmd.Process.Kill() // where it has not ended by itself
		<-ended
		if t.Failed() {
			t.Logf("the program says\n%s", servertest.ReadFile(t, log.Name()))
		}
	})
	wait(t, "nobody listens", func() error { return reachable(socket) })
	s := &served{socket: socket}
	if err := good.check(s.fastCGI(t, der), false); err != nil {
		t.Fatal(err)
	}
	k.revokeInPlace(t)
	good.said = []wire.CertStatus{wire.Revoked}
	wait(t, "not revoked", func() error { return good.check(s.fastCGI(t, der), false) })
	// The runtime takes 64 MiB at a time of what it is given here, and the table of the
	// next index is larger.
	noMoreThan(t, cmd.Process.Pid, 32<<20)
	k.lengthen(t, 3_000_000)
	wait(t, "not ended", func() error {
		select {
		case <-ended:
			return nil
		default:
		}
		status, err := s.try(t, der)
		if err == nil && status != "revoked" && status != "try later" {
			t.Errorf("it says %s", status)
		}
		return errors.New("it goes on")
	})
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGABRT {
		t.Error(cmd.ProcessState)
	}
	if !strings.Contains(servertest.ReadFile(t, log.Name()), "out of memory") {
		t.Error("it has not ended for want of memory")
	}
}

// noMoreThan limits the address space of a process to what it has and some more.
func noMoreThan(t *testing.T, pid, more int) {
	t.Helper()
	pages := 0
	if _, err := fmt.Sscan(servertest.ReadFile(t, fmt.Sprintf("/proc/%d/statm", pid)), &pages); err != nil {
		t.Fatal(err)
	}
	limit := pages*os.Getpagesize() + more
	if out, err := exec.Command("prlimit", fmt.Sprint("--pid=", pid), fmt.Sprint("--as=", limit)).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// try asks a process that may end meanwhile.
func (s *served) try(t testing.TB, body []byte) (status string, err error) {
	t.Helper()
	conn, err := net.Dial("unix", s.socket)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	var params [][2]string
	for _, variable := range variables(len(body)) {
		name, value, _ := strings.Cut(variable, "=")
		params = append(params, [2]string{name, value})
	}
	out, err := fcgi.Ask(conn, params, body, 1<<16)
	if err != nil {
		return "", err
	}
	return statusOf(t, parse(t, out).body), nil
}
