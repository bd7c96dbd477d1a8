package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

func build(b *testing.B, what, path string) {
	b.Helper()
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", path, what)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
}

func writeFile(b *testing.B, path, text string, mode os.FileMode) {
	b.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		b.Fatal(err)
	}
}

// spawn starts a program b.N times, with the request on its stdin.
func spawn(b *testing.B, request string, env []string, argv ...string) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer null.Close()
	before := childTime(b)
	for b.Loop() {
		stdin, err := os.Open(request)
		if err != nil {
			b.Fatal(err)
		}
		pid, err := syscall.ForkExec(argv[0], argv, &syscall.ProcAttr{Env: env, Files: []uintptr{stdin.Fd(), null.Fd(), null.Fd()}})
		if err != nil {
			b.Fatal(err)
		}
		var status syscall.WaitStatus
		if _, err := syscall.Wait4(pid, &status, 0, nil); err != nil || status.ExitStatus() != 0 {
			b.Fatal(fmt.Errorf("%s ended with %d: %w", strings.Join(argv, " "), status.ExitStatus(), err))
		}
		if err := stdin.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(childTime(b)-before)/1e6/float64(b.N), "cpu-ms/op")
}

// childTime is what ended children have used, in nanoseconds.
func childTime(b *testing.B) int64 {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &usage); err != nil {
		b.Fatal(err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}
