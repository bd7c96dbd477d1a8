package conformance_test

import (
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

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/servertest"
	"ocspcgi/lib/wire"
)

// What is wrong is told to the log, in a line and without secrets.
func TestFaultsOfCGI(t *testing.T) {
	k := newKit(t)
	der, _, _ := k.question()
	key, err := os.ReadFile(k.Signer.Key)
	if err != nil {
		t.Fatal(err)
	}
	secret := strings.Split(string(key), "\n")[1]
	wrong := strings.Replace(k.settings(k.Signer), k.Signer.Key, k.Good.Key, 1)
	for _, test := range []struct {
		row, settings string
		env           []string
		says          string // the log
		status        ocsp.ResponseStatus
	}{
		{"CGI-12 a wrong key", wrong, nil, "does not fit", ocsp.InternalError},
		{"RSP-04 a wrong key", wrong, nil, "does not fit", ocsp.InternalError},
		{"CGI-12 a setting that there is none of", "indx = 1\n" + wrong, nil, "indx", ocsp.InternalError},
		{"CGI-13 the key itself for its file", "", []string{"OCSP_INDEX=" + k.Index, "OCSP_CA=" + k.Cert, "OCSP_RSIGNER=" + k.Signer.Cert, "OCSP_RKEY=" + string(key)}, "a key or certificate stands where", ocsp.InternalError},
		{"CGI-13 a secret in the environment", "x = 1\n", []string{"PASSWORD=" + secret, "OCSP_PASSIN=pass:" + secret}, "x", ocsp.InternalError},
		{"RSP-05 an index that is not there", strings.Replace(k.settings(k.Signer), "index.txt", "gone.txt", 1), nil, "gone.txt", ocsp.TryLater},
	} {
		t.Run(test.row, func(t *testing.T) {
			config := filepath.Join(t.TempDir(), "ocspcgi.toml")
			servertest.WriteFile(t, config, test.settings)
			cmd := exec.Command(program)
			cmd.Env = append(variables(len(der)), test.env...)
			cmd.Env = append(cmd.Env, "OCSP_CONFIG="+config)
			r, stderr := run(t, cmd, der)
			w := want{status: test.status}
			if err := w.check(r, false); err != nil {
				t.Error(err)
			}
			if strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, test.says) {
				t.Errorf("the log is not one line with %q: %q", test.says, stderr)
			}
			if strings.Contains(stderr, secret) || strings.Contains(stderr, "goroutine") {
				t.Errorf("the log has what is nobody's business: %q", stderr)
			}
			// mini_httpd leads stderr where stdout goes; a log may be told to go there.
			for _, line := range []string{`exec "$0" 2>&1`, `OCSP_LOG=/dev/stdout exec "$0"`} {
				both := exec.Command("/bin/sh", "-c", line, program)
				both.Env = cmd.Env
				r, _ := run(t, both, der)
				if err := w.check(r, false); err != nil {
					t.Errorf("%s: %v", line, err)
				}
			}
		})
	}
}

// A file that cannot be believed makes no answer.
func TestGarbledIndex(t *testing.T) {
	k := newKit(t)
	der, _, _ := k.question()
	servertest.WriteFile(t, k.Index, "V\t49\x00\nnothing of the kind\n")
	later := want{status: ocsp.TryLater}
	for _, row := range []string{"RSP-04 a garbled index is tryLater", "RSP-05 a garbled index"} {
		t.Run(row, func(t *testing.T) {
			if err := later.check(k.cgi(t, der), false); err != nil {
				t.Error(err)
			}
		})
	}
}

// The row that is asked about is the last of many.
func TestLongIndex(t *testing.T) {
	k := newKit(t)
	grow := func(rows int) {
		f, err := os.OpenFile(k.Index, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for i := range rows {
			fmt.Fprintf(f, "V\t460101000000Z\t\t%032X\tunknown\t/C=XX/O=Example Company/CN=host-%d.example.com\n", int64(1)<<40+int64(i), i)
		}
	}
	ask := func(t *testing.T) time.Duration {
		leaf := k.ca.id(content(k.Good)...)
		w := k.said(wire.Good, leaf, nil)
		began := time.Now()
		r := k.cgi(t, request(list(leaf)))
		took := time.Since(began)
		if err := w.check(r, false); err != nil {
			t.Error(err)
		}
		return took
	}
	grow(10_000)
	t.Run("CGI-16 10,000 rows", func(t *testing.T) {
		best := time.Hour // what the machine does beside it is not counted
		for range 20 {
			best = min(best, ask(t))
		}
		if best > 50*time.Millisecond && !servertest.Raced { // the race detector alone takes a second to start and end
			t.Errorf("%v from start to answer", best)
		}
	})
	grow(90_000)
	t.Run("HTTP-36 100,000 rows", func(t *testing.T) {
		if took := ask(t); took > 10*time.Second {
			t.Errorf("%v", took)
		}
	})
}

// A row of 10 MB is in doubt, and with it what is in no other row. The others count,
// and nobody holds it in memory.
func TestLongRow(t *testing.T) {
	k := newKit(t)
	der, _, good := k.question()
	unknown := request(list(k.ca.id(0x7f, 1)))
	k.becomes(t, "before", der, good)
	before := peak(t, k.Process.Pid)

	const size, room = 10 << 20, 5 << 20
	f, err := os.OpenFile(k.Index, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = fmt.Fprintf(f, "V\t460101000000Z\t\t7F02\tunknown\t/CN=%s\n", strings.Repeat("x", size))
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	k.lengthen(t, 10)
	k.becomes(t, "the long row", unknown, later)
	behind := k.ca.id(1, 0, 0, 0, 0, 9) // the last one
	revoked := k.ca.id(k.revoked...)
	for _, c := range []struct {
		name string
		der  []byte
		want want
	}{
		{"before it", der, good}, {"revoked", request(list(revoked)), k.said(wire.Revoked, revoked, nil)},
		{"behind it", request(list(behind)), k.said(wire.Good, behind, nil)},
		{"in it", request(list(k.ca.id(0x7f, 2))), later}, {"nowhere", unknown, later},
	} {
		for _, way := range over {
			if err := c.want.check(way.post(k.served, t, c.der), false); err != nil {
				t.Errorf("%s, %s: %v", way.name, c.name, err)
			}
		}
	}
	after := peak(t, k.Process.Pid)
	t.Logf("%d KiB, %d before", after>>10, before>>10)
	if after > before+room && !servertest.Raced { // the race detector keeps books of its own
		t.Errorf("it took %d KiB, %d before", after>>10, before>>10)
	}
}

// A setuid or setgid bit gives the settings of whoever starts the program no more
// than that one may do: it answers nothing else than that, and starts nothing.
func TestSetuid(t *testing.T) {
	t.Run("CGI-19 setuid", func(t *testing.T) {
		if os.Geteuid() != 0 {
			t.Skip("only root can give a program away")
		}
		k := newKit(t)
		// nobody may read all but for the bits: only these are to be refused
		if err := os.Chmod(k.Signer.Key, 0o644); err != nil {
			t.Fatal(err)
		}
		k.reachable(t)
		for _, from := range []string{program, servertest.Small(t)} {
			der, _, good := k.question()
			copied := filepath.Join(servertest.Room(t), filepath.Base(from))
			binary, err := os.ReadFile(from)
			if err == nil {
				err = os.WriteFile(copied, binary, 0o755)
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, test := range []struct {
				bits os.FileMode
				uid  uint32
				want want
			}{{os.ModeSetuid, 0, good}, {os.ModeSetuid, nobody, want{status: ocsp.InternalError}}, {os.ModeSetgid, nobody, want{status: ocsp.InternalError}}} {
				if err := os.Chmod(copied, 0o755|test.bits); err != nil {
					t.Fatal(err)
				}
				as := &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: test.uid, Gid: test.uid}}
				log := filepath.Join(t.TempDir(), "log") // which root could write
				cmd := k.command(append(variables(len(der)), "OCSP_LOG="+log)...)
				cmd.Path, cmd.Args, cmd.SysProcAttr = copied, []string{copied}, as
				r, stderr := run(t, cmd, der)
				if err := test.want.check(r, false); err != nil {
					t.Errorf("%s, started by %d: %v, stderr %q", copied, test.uid, err, stderr)
				}
				refused := test.uid != 0
				if refused != strings.Contains(stderr, "chmod ug-s "+copied) {
					t.Errorf("%v, started by %d: %q", test.bits, test.uid, stderr)
				}
				if refused && from == program {
					k.startsNothing(t, copied, as, log, der)
				}
				if _, err := os.Lstat(log); refused && err == nil {
					t.Errorf("%s, started by %d: a file was written", copied, test.uid)
				}
			}
		}
	})
}

// startsNothing wants that a copy of the program with a setuid or setgid bit does
// nothing else than to say so.
func (k *kit) startsNothing(t *testing.T, copied string, as *syscall.SysProcAttr, log string, der []byte) {
	t.Helper()
	asked := filepath.Join(filepath.Dir(copied), "request")
	servertest.WriteFile(t, asked, string(der))
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	listening, err := socket.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer listening.Close()
	for _, start := range []struct {
		stdin *os.File
		args  []string
	}{ // all end by themselves, refused or not, but for the last
		{nil, []string{"-config", k.config, "-listen", "unix:" + copied, "-log", log}},
		{nil, []string{"-config", k.config, "-reqin", asked, "-respout", log}}, {nil, []string{"signer", "-log", log}}, {nil, []string{"version"}},
		{listening, []string{"-config", k.config, "-log", log}}, // FastCGI, as the socket says, and CGI, as the environment does
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		cmd := exec.CommandContext(ctx, copied, start.args...)
		cmd.SysProcAttr = as
		if start.stdin != nil {
			cmd.Stdin, cmd.Env = start.stdin, []string{"REQUEST_METHOD=GET"}
		}
		out, err := cmd.CombinedOutput()
		cancel()
		ended := (*exec.ExitError)(nil)
		if !errors.As(err, &ended) || ended.ExitCode() != 2 || !strings.Contains(string(out), "chmod ug-s "+copied) {
			t.Errorf("%v %q: %v, %s", as.Credential, start.args, err, out)
		}
	}
}
