package conformance_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/servertest"
	"ocspcgi/lib/wire"
)

// run runs a CGI process to its end and returns what it wrote to stderr.
func run(t *testing.T, cmd *exec.Cmd, body []byte) (r *reply, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(body), &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, &errs)
	}
	return parse(t, out.Bytes()), errs.String()
}

// What a client can choose changes nothing.
func TestClientsOfCGI(t *testing.T) {
	k := newKit(t)
	der, path, good := k.question()
	for _, words := range []string{"-version", "--version", "-h", "help", "demo", "-index /etc/passwd", "--config /etc/passwd", "-config=/etc/passwd", "%2dv", "-port 0", "--"} {
		t.Run("CGI-02 "+words, func(t *testing.T) {
			cmd := k.command(variables(len(der))...)
			cmd.Args = append(cmd.Args, strings.Fields(words)...)
			r, stderr := run(t, cmd, der)
			if err := good.check(r, false); err != nil || stderr != "" {
				t.Errorf("%v, stderr %q", err, stderr)
			}
		})
	}
	for _, variable := range []string{"HTTP_OCSP_CONFIG=/etc/passwd", "HTTP_OCSP_INDEX=/etc/passwd", "HTTP_CONFIG=/etc/passwd", "HTTP_CONTENT_LENGTH=1", "HTTP_REQUEST_METHOD=PUT"} {
		t.Run("CGI-03 "+variable, func(t *testing.T) {
			for name, r := range map[string]*reply{
				"CGI":     k.launch(t, der, append(variables(len(der)), variable)...),
				"FastCGI": k.exchange(t, der, append(variables(len(der)), variable, "OCSP_INDEX=/etc/passwd")...),
			} {
				if err := good.check(r, false); err != nil {
					t.Errorf("over %s: %v", name, err)
				}
			}
		})
	}
	t.Run("CGI-04 a proxy of the client's", func(t *testing.T) {
		env := variables(len(der))
		for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"} {
			env = append(env, name+"=http://"+k.trap.address)
		}
		if err := good.check(k.launch(t, der, env...), false); err != nil {
			t.Error(err)
		}
		k.trap.empty(t)
	})
	t.Run("CGI-09 one Date, and it is now", func(t *testing.T) {
		if err := checkFields(k.cgi(t, der)); err != nil {
			t.Error(err)
		}
	})
	for _, variable := range []string{"SERVER_PROTOCOL=HTTP/2", "SERVER_PROTOCOL=HTTP/3.0", "SERVER_PROTOCOL=INCLUDED", "REQUEST_URI=" + path} {
		t.Run("CGI-14 nothing but "+variable[:12], func(t *testing.T) {
			cmd := exec.Command(program)
			cmd.Env = []string{"OCSP_CONFIG=" + k.config, "REQUEST_METHOD=POST", "CONTENT_TYPE=application/ocsp-request", variable}
			r, _ := run(t, cmd, der)
			if err := good.check(r, false); err != nil {
				t.Error(err)
			}
		})
	}
}

// Where and how the process is started does not matter.
func TestSurroundingsOfCGI(t *testing.T) {
	k := newKit(t)
	der, _, good := k.question()
	holds := func(t *testing.T, cmd *exec.Cmd) {
		t.Helper()
		r, stderr := run(t, cmd, der)
		if err := good.check(r, false); err != nil || stderr != "" {
			t.Errorf("%v, stderr %q", err, stderr)
		}
	}
	t.Run("CGI-10 nph in its name changes nothing", func(t *testing.T) {
		nph := filepath.Join(t.TempDir(), "nph-ocsp")
		if err := os.Symlink(program, nph); err != nil {
			t.Fatal(err)
		}
		cmd := k.command(variables(len(der))...)
		cmd.Path, cmd.Args = nph, []string{nph}
		holds(t, cmd)
	})
	t.Run("CGI-15 in a directory that is gone", func(t *testing.T) {
		cmd := k.command(variables(len(der))...)
		cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", `cd "$1" && rmdir "$1" && exec "$0"`, program, filepath.Join(t.TempDir(), "gone")}
		if err := os.Mkdir(cmd.Args[4], 0o755); err != nil {
			t.Fatal(err)
		}
		holds(t, cmd)
	})
	for name, script := range map[string]string{"stderr closed": `exec "$0" 2>&-`, "umask 777": `umask 777; exec "$0"`, "no file may be written": `ulimit -f 0; exec "$0"`} {
		t.Run("CGI-15 "+name, func(t *testing.T) {
			cmd := k.command(variables(len(der))...)
			cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", script, program}
			holds(t, cmd)
		})
	}
	t.Run("CGI-17 a signal while it reads", func(t *testing.T) {
		before := names(t, k.CA.Dir)
		for range 20 {
			cmd := k.command(variables(len(der))...)
			stdin, err := cmd.StdinPipe()
			if err == nil {
				err = cmd.Start()
			}
			if err == nil {
				_, err = stdin.Write(der[:10])
			}
			if err == nil {
				err = cmd.Process.Signal(syscall.SIGTERM)
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err == nil {
				t.Error("it has survived")
			}
		}
		if after := names(t, k.CA.Dir); !slices.Equal(before, after) {
			t.Errorf("%v has become %v", before, after)
		}
		holds(t, k.command(variables(len(der))...))
	})
	t.Run("CGI-18 twenty at once", func(t *testing.T) {
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() { holds(t, k.command(variables(len(der))...)) })
		}
		all.Wait()
	})
}

// names are the files below a directory.
func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		all = append(all, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

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
			fmt.Fprintf(f, "V\t460101000000Z\t\t%032X\tunknown\t/C=XX/O=Example Company/CN=host-%d.example.com\n", 1<<40+i, i)
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
		if best > 50*time.Millisecond {
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

// A setuid bit gives the settings of whoever starts the program no more than
// that one may do.
func TestSetuid(t *testing.T) {
	t.Run("CGI-19 setuid", func(t *testing.T) {
		if os.Geteuid() != 0 {
			t.Skip("only root can give a program away")
		}
		k := newKit(t)
		der, _, good := k.question()
		copied := filepath.Join(servertest.Room(t), "ocspcgi")
		binary, err := os.ReadFile(program)
		if err == nil {
			err = os.WriteFile(copied, binary, 0o755)
		}
		if err == nil {
			err = os.Chmod(copied, 0o755|os.ModeSetuid)
		}
		if err == nil {
			err = os.Chmod(k.Signer.Key, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		k.reachable(t)
		const nobody = 65534
		for _, test := range []struct {
			uid  uint32
			want want
		}{{0, good}, {nobody, want{status: ocsp.InternalError}}} {
			cmd := k.command(variables(len(der))...)
			cmd.Path, cmd.Args = copied, []string{copied}
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: test.uid, Gid: test.uid}}
			r, stderr := run(t, cmd, der)
			if err := test.want.check(r, false); err != nil {
				t.Errorf("started by %d: %v, stderr %q", test.uid, err, stderr)
			}
		}
	})
}
