package servertest

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Spawn starts a program with the file request on its stdin and nothing else of the
// tests', as a web server starts a CGI program, and waits for its end. It has to end
// with 0. Nothing but the start is done here: benchmarks measure it.
func Spawn(t testing.TB, request string, env []string, argv ...string) {
	t.Helper()
	path, err := exec.LookPath(argv[0])
	if err != nil {
		t.Fatal(err)
	}
	stdin, err := os.Open(request)
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	pid, err := syscall.ForkExec(path, argv, &syscall.ProcAttr{Env: env, Files: []uintptr{stdin.Fd(), null.Fd(), null.Fd()}})
	if err != nil {
		t.Fatal(err)
	}
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(pid, &status, 0, nil); err != nil || status.ExitStatus() != 0 {
		t.Fatal(fmt.Errorf("%s ended with %d: %w", strings.Join(argv, " "), status.ExitStatus(), err))
	}
}

// ChildTime is the CPU that ended children have used.
func ChildTime(t testing.TB) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
