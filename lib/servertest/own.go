package servertest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ocspcgi/lib/pkitest"
)

// Around makes the settings to answer for a CA that is there. There is no
// certificate with slashes.
func Around(t testing.TB, program string, company *pkitest.Company) *Responder {
	t.Helper()
	r := &Responder{Company: company, Program: program, Dir: Room(t)}
	if err := os.Chmod(filepath.Dir(filepath.Dir(r.CA.Dir)), 0o755); err != nil {
		t.Fatal(err)
	}
	r.Config = filepath.Join(r.Dir, "ocspcgi.toml")
	r.Socket = filepath.Join(r.Dir, "ocspcgi.sock")
	r.SignWith(t, r.Signer)
	return r
}

// Listen starts the program as a responder on HTTP at address and on its
// socket.
func (r *Responder) Listen(t testing.TB, address string) *Process {
	t.Helper()
	return Start(t, r.Dir, address, r.Program, "-config", r.Config, "-listen", "unix:"+r.Socket, "-port", address)
}

// Own gives a file to the account of the servers, such as a key that nobody
// else may read.
func Own(t testing.TB, path string) {
	t.Helper()
	own(t, path)
}

// Dir is the directory that the process runs in, where a web server has its
// error.log.
func (p *Process) Dir() string { return p.cmd.Dir }

// Pid returns the number of the process.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// CPU returns the processor time that the process has had.
func (p *Process) CPU(t testing.TB) time.Duration {
	t.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.Pid()))
	if err != nil {
		t.Fatal(err)
	}
	var total time.Duration
	for _, thread := range threads {
		var ran int64
		if _, err := fmt.Sscan(ReadFile(t, thread), &ran); err != nil {
			t.Fatal(err)
		}
		total += time.Duration(ran)
	}
	return total
}
