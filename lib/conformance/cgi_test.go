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

	"ocspcgi/lib/servertest"
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
	t.Run("CGI-02 as many words as there can be", func(t *testing.T) {
		for _, n := range []int{1 << 10, 40<<10 - 1, 40 << 10, 100_000} {
			cmd := k.command(variables(len(der))...)
			cmd.Args = append(cmd.Args, slices.Repeat([]string{"a"}, n)...)
			r, stderr := run(t, cmd, der)
			if err := good.check(r, false); err != nil || stderr != "" {
				t.Errorf("%d words: %v, stderr %q", n, err, stderr)
			}
		}
	})
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
	t.Run("CGI-17 a signal at any moment", func(t *testing.T) {
		k, cache := k.caching(t)
		rows := servertest.ReadFile(t, k.Index)
		for i := range 40 {
			cmd := k.command(variables(len(der))...)
			cmd.Stdin = bytes.NewReader(der)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(i) * 200 * time.Microsecond)
			cmd.Process.Signal(syscall.SIGTERM) // it may have ended
			cmd.Wait()                          // in the one way or the other
		}
		for range 2 { // the second may be answered from the cache
			if err := good.check(k.cgi(t, der), false); err != nil {
				t.Error(err)
			}
		}
		if servertest.ReadFile(t, k.Index) != rows {
			t.Error("the index is another one")
		}
		for _, name := range names(t, cache)[1:] {
			if info, err := os.Stat(name); err != nil || !info.IsDir() && info.Size() == 0 && !strings.HasSuffix(name, ".lock") {
				t.Errorf("%s is empty: %v", name, err)
			}
		}
	})
	t.Run("CGI-18 twenty at once on an empty cache", func(t *testing.T) {
		k, _ := k.caching(t)
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if err := good.check(k.cgi(t, der), false); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if a, b := k.cgi(t, der), k.cgi(t, der); !bytes.Equal(a.body, b.body) {
			t.Error("nothing is kept")
		}
	})
}

// caching is the kit with a cache for CGI processes, which is empty.
func (k *kit) caching(t *testing.T) (with *kit, dir string) {
	t.Helper()
	dir = t.TempDir()
	copied, process := *k, *k.served
	copied.served, process.config = &process, filepath.Join(t.TempDir(), "ocspcgi.toml")
	servertest.WriteFile(t, process.config, fmt.Sprintf("cache = %q\n", dir)+k.settings(k.Signer))
	return &copied, dir
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
