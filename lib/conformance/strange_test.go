package conformance_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"ocspcgi/lib/servertest"
	"ocspcgi/lib/wire"
)

const nobody = 65534

// becoming is what stands in the place of an index of text.
type becoming struct {
	name string
	put  func(path string, text []byte) error
	cgi  string // what a process that knows nothing else says of a good certificate
	stay string // what one says that has believed the index before
	logs string // what the log says to do
}

var becomings = []becoming{
	{"absent", func(string, []byte) error { return nil }, "try later", "good", "is the path right?"},
	{"a directory", func(path string, _ []byte) error { return os.Mkdir(path, 0o700) }, "try later", "try later", ""},
	{"a FIFO", func(path string, _ []byte) error { return syscall.Mkfifo(path, 0o644) }, "try later", "try later", ""},
	{"endless", func(path string, _ []byte) error { return os.Symlink("/dev/zero", path) }, "try later", "try later", ""},
	{"nobody's to read", func(path string, text []byte) error { return os.WriteFile(path, text, 0) }, "try later", "try later", "let the user read it"},
	// A file that is about to be written anew looks like that of a CA that has
	// issued nothing.
	{"0 bytes", func(path string, _ []byte) error { return os.WriteFile(path, nil, 0o644) }, "try later", "good", ""},
	{"half a row", func(path string, text []byte) error {
		return os.WriteFile(path, text[:bytes.IndexByte(text, '\n')/2], 0o644)
	}, "try later", "good", ""},
	{"binary", func(path string, _ []byte) error {
		return os.WriteFile(path, bytes.Repeat([]byte{0, 0xff, '\t', 'V', '\n', 0x80}, 1000), 0o644)
	}, "try later", "good", ""},
}

// asNobody has a program run by an account that reads what everybody may, where
// the test is root, from whom no file is kept.
func asNobody(cmd *exec.Cmd) {
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
}

// strangeKit is a kit whose files everybody may read, with a process of nobody's.
func strangeKit(t *testing.T) *kit {
	t.Helper()
	k := newKit(t)
	k.reachable(t)
	for _, s := range []string{k.Signer.Key, k.rsa.Key} {
		if err := os.Chmod(s, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return k
}

// What is no index is never said anything good from, nor waited for; and what it
// was is answered again once it is back.
func TestStrangeIndex(t *testing.T) {
	k := strangeKit(t)
	der, _, good := k.question()
	revoked := k.said(wire.Revoked, k.ca.id(k.revoked...), nil)
	text, err := os.ReadFile(k.Index)
	if err != nil {
		t.Fatal(err)
	}
	uid := fmt.Sprint(nobody)
	var as []string
	if os.Geteuid() == 0 {
		as = []string{"setpriv", "--reuid", uid, "--regid", uid, "--clear-groups"}
	}
	k.served = startIn(t, everybodysRoom(t), k.settings(k.Signer), as...)
	for _, b := range becomings {
		t.Run(b.name, func(t *testing.T) {
			k.becomes(t, "before", der, good)
			before := k.logged(t, "index not believed")
			if err := os.Remove(k.Index); err != nil {
				t.Fatal(err)
			}
			if err := b.put(k.Index, text); err != nil {
				t.Fatal(err)
			}
			if got := statusOf(t, k.cgiAsNobody(t, der).body); got != b.cgi {
				t.Errorf("CGI says %s, want %s", got, b.cgi)
			}
			wait(t, "it is not seen", func() error {
				if k.logged(t, "index not believed") == before {
					return errors.New("nothing is logged")
				}
				return nil
			})
			wait(t, "FastCGI", func() error {
				if got := statusOf(t, k.fastCGI(t, der).body); got != b.stay {
					return errors.New(got)
				}
				return nil
			})
			wait(t, "the log", func() error {
				if !strings.Contains(servertest.ReadFile(t, k.log), b.logs) {
					return errors.New("it does not say: " + b.logs)
				}
				return nil
			})
			if err := revoked.check(k.fastCGI(t, request(list(k.ca.id(k.revoked...)))), false); err != nil {
				t.Errorf("what was revoked: %v", err)
			}
			if err := os.RemoveAll(k.Index); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(k.Index, text, 0o644); err != nil {
				t.Fatal(err)
			}
			k.becomes(t, "afterwards", der, good)
		})
	}
}

// logged is how often the log says something.
func (s *served) logged(t *testing.T, what string) int {
	t.Helper()
	return strings.Count(servertest.ReadFile(t, s.log), what)
}

func (k *kit) cgiAsNobody(t *testing.T, der []byte) *reply {
	t.Helper()
	cmd := k.command(variables(len(der))...)
	asNobody(cmd)
	r, _ := run(t, cmd, der)
	return r
}

// A process that is started on what is no index answers, and gets better.
func TestStartOnStrangeIndex(t *testing.T) {
	for _, b := range becomings[:4] {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			k := newKit(t)
			der, _, good := k.question()
			aside := k.Index + ".aside"
			if err := os.Rename(k.Index, aside); err != nil {
				t.Fatal(err)
			}
			if err := b.put(k.Index, nil); err != nil {
				t.Fatal(err)
			}
			k.served = start(t, k.settings(k.Signer))
			if err := later.check(k.fastCGI(t, der), false); err != nil {
				t.Error(err)
			}
			if err := os.RemoveAll(k.Index); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(aside, k.Index); err != nil {
				t.Fatal(err)
			}
			k.becomes(t, "afterwards", der, good)
		})
	}
}

// An index that never stops growing ends no request late, and tells nothing wrong.
func TestGrowingIndex(t *testing.T) {
	k := newKit(t)
	der, _, good := k.question()
	f, err := os.OpenFile(k.Index, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	done := make(chan struct{})
	var growing sync.WaitGroup
	growing.Go(func() {
		for i := range 100_000 {
			select {
			case <-done:
				return
			default:
			}
			fmt.Fprintf(f, "V\t460101000000Z\t\t%032X\tunknown\t/CN=%d\n", int64(1)<<40+int64(i), i)
		}
	})
	for range 20 {
		for _, way := range over {
			if got := statusOf(t, way.post(k.served, t, der).body); got != "good" && got != "try later" {
				t.Errorf("%s: %s", way.name, got)
			}
		}
	}
	close(done)
	growing.Wait()
	k.becomes(t, "afterwards", der, good)
}

// A key that goes, or turns into something else, changes nothing for a process
// that has it; CGI says so.
func TestStrangeKey(t *testing.T) {
	k := newKit(t)
	der, _, good := k.question()
	text, err := os.ReadFile(k.Signer.Key)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range slices.Concat(becomings[:4], becomings[5:]) { // root may read all
		t.Run(b.name, func(t *testing.T) {
			before := k.logged(t, "new certificates or keys are not used")
			if err := os.Remove(k.Signer.Key); err != nil {
				t.Fatal(err)
			}
			if err := b.put(k.Signer.Key, text); err != nil {
				t.Fatal(err)
			}
			failed := want{status: 2} // internalError
			if err := failed.check(k.cgi(t, der), false); err != nil {
				t.Errorf("CGI: %v", err)
			}
			wait(t, "it is not seen", func() error {
				if k.logged(t, "new certificates or keys are not used") == before {
					return errors.New("nothing is logged")
				}
				return nil
			})
			if err := good.check(k.fastCGI(t, der), false); err != nil {
				t.Error(err)
			}
			if err := os.RemoveAll(k.Signer.Key); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(k.Signer.Key, text, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := good.check(k.cgi(t, der), false); err != nil {
				t.Errorf("CGI afterwards: %v", err)
			}
		})
	}
	// Whatever a key was, the index goes on to be read.
	k.revokeInPlace(t)
	good.said = []wire.CertStatus{wire.Revoked}
	k.becomes(t, "revoked afterwards", der, good)
}
