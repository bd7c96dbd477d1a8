package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ocspcgi/lib/pkitest"
)

// script is what people run today: openssl ocsp, fed and emptied through pipes.
const script = `#!/bin/sh
echo "Content-type: application/ocsp-response"
echo ""
cat | openssl ocsp -index "$OCSP_INDEX" -CA "$OCSP_CA" -rkey "$OCSP_RKEY" -rsigner "$OCSP_RSIGNER" -nmin 5 -reqin /dev/stdin -respout /dev/stdout 2>/dev/null | cat
`

// BenchmarkCGI starts a process for each request, one after the other, with an
// index of a thousand rows: the real program as it is built, an empty Go
// program, openssl ocsp alone, and the shell script around it. Compare the
// times of one run; cpu-ms/op is user and system time of the process and its
// children.
func BenchmarkCGI(b *testing.B) {
	dir := b.TempDir()
	program, small, empty, sh := filepath.Join(dir, "ocspcgi"), filepath.Join(dir, "ocsp.cgi"), filepath.Join(dir, "empty"), filepath.Join(dir, "script")
	build(b, ".", program)
	build(b, "./cgi/cgibin", small)
	writeFile(b, filepath.Join(dir, "empty.go"), "package main\n\nfunc main() {}\n", 0o644)
	build(b, filepath.Join(dir, "empty.go"), empty)
	writeFile(b, sh, script, 0o755)
	for _, kind := range []string{"p256", "rsa2048"} {
		c := pkitest.NewCompany(b)
		signer := c.OCSPSigner("bench", pkitest.Key(kind))
		grow(b, c.Index, 1000)
		// A file that may still be written is looked at twice.
		if err := os.Chtimes(c.Index, time.Time{}, time.Now().Add(-time.Hour)); err != nil {
			b.Fatal(err)
		}
		request := filepath.Join(dir, "request")
		writeFile(b, request, string(pkitest.Request(b, c.CA, c.Good, "-no_nonce")), 0o644)
		env := []string{
			"PATH=" + os.Getenv("PATH"), "GATEWAY_INTERFACE=CGI/1.1", "REQUEST_METHOD=POST", "CONTENT_TYPE=application/ocsp-request",
			"OCSP_INDEX=" + c.Index, "OCSP_CA=" + c.Cert, "OCSP_RSIGNER=" + signer.Cert, "OCSP_RKEY=" + signer.Key,
		}
		openssl, err := exec.LookPath("openssl")
		if err != nil {
			b.Fatal(err)
		}
		b.Run(kind+"/empty-go", func(b *testing.B) { spawn(b, request, nil, empty) })
		b.Run(kind+"/ocspcgi", func(b *testing.B) { spawn(b, request, env, program) })
		b.Run(kind+"/ocsp.cgi", func(b *testing.B) { spawn(b, request, env, small) })
		b.Run(kind+"/ocsp.cgi-cache", func(b *testing.B) { spawn(b, request, append(env, "OCSP_CACHE="+b.TempDir()), small) })
		b.Run(kind+"/ocspcgi-cache", func(b *testing.B) { spawn(b, request, append(env, "OCSP_CACHE="+b.TempDir()), program) })
		b.Run(kind+"/openssl", func(b *testing.B) {
			spawn(b, request, env, openssl, "ocsp", "-index", c.Index, "-CA", c.Cert, "-rsigner", signer.Cert, "-rkey", signer.Key,
				"-nmin", "5", "-reqin", "/dev/stdin", "-respout", "/dev/null")
		})
		b.Run(kind+"/script", func(b *testing.B) { spawn(b, request, env, sh) })
	}
}

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
