package index_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"ocspcgi/lib/index"
)

// limited is set in a process that may open no more files.
const limited = "INDEX_TEST_LIMITED"

// strange puts something in the place of an index that is no file to be read.
var strange = map[string]func(path string) error{
	"a directory":    func(path string) error { return os.Mkdir(path, 0o700) },
	"a FIFO":         func(path string) error { return syscall.Mkfifo(path, 0o600) },
	"endless":        func(path string) error { return os.Symlink("/dev/zero", path) },
	"a loop":         func(path string) error { return os.Symlink(filepath.Base(path), path) },
	"not to be read": func(path string) error { return os.Symlink("/sys/class/net/lo/speed", path) }, // EINVAL
	"below a file": func(path string) error {
		return os.Symlink(os.DevNull+"/index.txt", path) // ENOTDIR
	},
}

// What stands in the place of a believed index and cannot be read may revoke
// anything: only revocations are answered, until it can be read again.
func TestUnreadable(t *testing.T) {
	for name, put := range strange {
		t.Run(name, func(t *testing.T) {
			text := entry('V', "10") + entry('R', "11")
			path := write(t, text)
			l := live(t, path)
			aside := path + ".aside"
			if err := os.Rename(path, aside); err != nil {
				t.Fatal(err)
			}
			l.Reload(false)
			if got := said(l.Lookup(octets(t, "10"))); got != isValid {
				t.Errorf("between two renames says %q", got)
			}
			if err := put(path); err != nil {
				t.Fatal(err)
			}
			r := l.Reload(false)
			if r.Believed || !r.Changed || r.Err == nil {
				t.Errorf("report is %+v", r)
			}
			held := func(when string) {
				t.Helper()
				for serial, want := range map[string]string{"10": "doubt", "11": "R", "12": "doubt"} {
					if got := said(l.Lookup(octets(t, serial))); !strings.HasPrefix(got, want) {
						t.Errorf("%s: says %q of %s, want %s", when, got, serial, want)
					}
				}
			}
			held("put there")
			epoch := l.Epoch(l.Now())
			if r := l.Reload(false); r.Changed || l.Epoch(l.Now()) != epoch {
				t.Errorf("the same is told again: %+v", r)
			}
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			l.Reload(false)
			held("gone")
			if err := os.Rename(aside, path); err != nil {
				t.Fatal(err)
			}
			if r := l.Reload(false); !r.Believed || !r.Changed {
				t.Errorf("report of the file that is back is %+v", r)
			}
			if got := said(l.Lookup(octets(t, "10"))); got != isValid {
				t.Errorf("back: says %q", got)
			}
		})
	}
}

// The file may be as it was once its directory is back.
func TestUnreadableDirectory(t *testing.T) {
	path := write(t, entry('V', "10"))
	l := live(t, path)
	dir := filepath.Dir(path)
	aside := dir + ".aside"
	if err := errors.Join(os.Rename(dir, aside), os.WriteFile(dir, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	l.Reload(false)
	if got := said(l.Lookup(octets(t, "10"))); got != "doubt" {
		t.Errorf("without a directory: says %q", got)
	}
	if err := errors.Join(os.Remove(dir), os.Rename(aside, dir)); err != nil {
		t.Fatal(err)
	}
	if r := l.Reload(false); !r.Believed || !r.Changed {
		t.Errorf("report is %+v", r)
	}
	if got := said(l.Lookup(octets(t, "10"))); got != isValid {
		t.Errorf("back: says %q", got)
	}
}

// An index that has changed cannot be opened without a file descriptor; one that has not
// says what it said.
func TestNoDescriptors(t *testing.T) {
	if os.Getenv(limited) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestNoDescriptors$", "-test.count=1")
		cmd.Env = append(os.Environ(), limited+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	path := write(t, entry('V', "10"))
	l := live(t, path)
	report, got := without(t, l)
	if got != isValid || !report.Believed {
		t.Errorf("as it was: says %q, report %+v", got, report)
	}
	replace(t, path, entry('R', "10"))
	report, got = without(t, l)
	if !strings.HasPrefix(got, "doubt") || report.Err == nil || !strings.Contains(report.Err.Error(), "too many open files") {
		t.Errorf("says %q, report %+v", got, report)
	}
	l.Reload(false)
	if got := said(l.Lookup(octets(t, "10"))); !strings.HasPrefix(got, "R") {
		t.Errorf("says %q afterwards", got)
	}
	// What is torn is told of again once it can be read again.
	replace(t, path, entry('R', "10")+"V")
	l.Reload(false)
	without(t, l)
	if r := l.Reload(true); r.Believed || !r.Changed {
		t.Errorf("torn, and to be read again: %+v", r)
	}
}

// without reads the index while there are no descriptors, and looks 10 up.
func without(t *testing.T, l *index.Live) (r index.Report, got string) {
	t.Helper()
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 0, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	r = l.Reload(true) // also what has not changed
	got = said(l.Lookup(octets(t, "10")))
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	return r, got
}
