package confine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"

	"ocspcgi/lib/confine"
)

// The test starts itself as the process that is confined, in the directory that
// this variable names.
const inside = "CONFINED_IN"

func TestMain(m *testing.M) {
	if dir := os.Getenv(inside); dir != "" {
		if err := json.NewEncoder(os.Stdout).Encode(confined(dir)); err != nil {
			panic(err)
		}
		return
	}
	os.Exit(m.Run())
}

// confined confines this process, and returns what came of what it tried.
func confined(dir string) map[string]string {
	began := make(chan struct{})
	var all sync.WaitGroup
	for range 8 { // threads that are there before
		all.Go(func() {
			runtime.LockOSThread()
			<-began
		})
	}
	n := confine.Needs{Files: []string{dir + "/in/file"}, Removed: []string{dir + "/gone/s"}}
	runtime.LockOSThread() // strace counts the calls of a thread
	bounds, err := n.Enforce()
	runtime.UnlockOSThread()
	close(began)
	all.Wait()
	said := map[string]string{"Enforce": text(err)}
	if bounds != nil {
		said["bounds"] = fmt.Sprint(bounds)
	}
	tried := sync.Map{}
	for name, try := range tries(dir) {
		all.Go(func() { // on threads that are there by now, or come
			runtime.LockOSThread()
			tried.Store(name, text(try()))
		})
	}
	all.Wait()
	tried.Range(func(name, what any) bool {
		said[name.(string)] = what.(string)
		return true
	})
	said["refused"] = fmt.Sprint(confine.Refused(dir+"/out/file"), confine.Refused(dir+"/in/file"), confine.Refused(dir+"/out/none"))
	return said
}

func text(err error) string {
	number := syscall.Errno(0)
	switch {
	case err == nil:
		return "done"
	case errors.As(err, &number):
		return unix.ErrnoName(number)
	}
	return err.Error()
}

func tries(dir string) map[string]func() error {
	read := func(path string) func() error {
		return func() error { _, err := os.ReadFile(dir + path); return err }
	}
	return map[string]func() error{
		"read":           read("/in/file"),
		"read below":     read("/in/below/file"),
		"read elsewhere": read("/out/file"),
		"list":           func() error { _, err := os.ReadDir(dir + "/in"); return err },
		"list elsewhere": func() error { _, err := os.ReadDir(dir + "/out"); return err },
		"truncate":       func() error { return os.Truncate(dir+"/in/file", 0) },
		"write":          func() error { return os.WriteFile(dir+"/in/file", nil, 0o600) },
		"make":           func() error { return os.WriteFile(dir+"/in/new", nil, 0o600) },
		"make a folder":  func() error { return os.Mkdir(dir+"/gone/new", 0o700) },
		"rename":         func() error { return os.Rename(dir+"/in/file", dir+"/in/other") },
		"remove":         func() error { return os.Remove(dir + "/in/file") },
		"remove at end":  func() error { return os.Remove(dir + "/gone/s") },
		"execute": func() error {
			cmd := exec.Command("/proc/self/exe", "-test.run", "^$") // that ends, if it begins
			cmd.Env = []string{}
			return cmd.Run()
		},
		"execute sh": func() error { return exec.Command("/bin/sh", "-c", "true").Run() },
		"signal":     func() error { return syscall.Kill(os.Getppid(), 0) },
		"no privileges": func() error {
			if n, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); n != 1 {
				return fmt.Errorf("%d, %w", n, err)
			}
			return nil
		},
		"listen": func() error {
			plain := net.ListenConfig{}
			plain.SetMultipathTCP(false) // Landlock knows TCP alone
			_, err := plain.Listen(context.Background(), "tcp", "127.0.0.1:0")
			return err
		},
		"connect":          func() error { _, err := net.Dial("tcp", os.Getenv("TCP")); return err },
		"connect abstract": func() error { _, err := net.Dial("unix", os.Getenv("ABSTRACT")); return err },
		"connect unix":     func() error { _, err := net.Dial("unix", dir+"/out/s"); return err },
	}
}

// A process that is confined can do what it needs, and nothing else that Landlock's ABI
// of its kernel takes away: with none of its threads. An older kernel is this one, of
// which strace says so the three times that it is asked, once of them for the errata.
func TestEnforce(t *testing.T) {
	t.Run("as it is", func(t *testing.T) {
		dir, got := enforced(t)
		if unsupported(t, got) {
			t.Skip(got["Enforce"])
		}
		abi := 0
		if _, err := fmt.Sscanf(got["bounds"], "&{Landlock ABI %d:", &abi); err != nil {
			t.Fatalf("%q: %v, and Enforce said %s", got["bounds"], err, got["Enforce"])
		}
		holds(t, dir, abi, got)
	})
	kernel, err := ll.LandlockGetABIVersion()
	if err != nil {
		return // told above
	}
	older := func(t *testing.T, kernel string) (dir string, got map[string]string) {
		t.Helper()
		strace, err := exec.LookPath("strace")
		if err != nil {
			t.Skip("no strace; apt-get install strace")
		}
		return enforced(t, strace, "-f", "-qq", "-o", os.DevNull, "-e", "trace=landlock_create_ruleset",
			"-e", "inject=landlock_create_ruleset:"+kernel)
	}
	for abi := 1; abi < min(kernel, 7); abi++ {
		t.Run(fmt.Sprint("ABI ", abi), func(t *testing.T) {
			dir, got := older(t, fmt.Sprintf("retval=%d:when=1..3", abi))
			holds(t, dir, abi, got)
		})
	}
	t.Run("none", func(t *testing.T) {
		if _, got := older(t, "error=EOPNOTSUPP"); !unsupported(t, got) {
			t.Errorf("Enforce said %s", got["Enforce"])
		}
	})
}

// unsupported tells whether the kernel has no Landlock: privileges do not come all the same.
func unsupported(t *testing.T, got map[string]string) bool {
	t.Helper()
	none := strings.HasPrefix(got["Enforce"], confine.ErrUnsupported.Error())
	if none && got["no privileges"] != "done" {
		t.Errorf("no new privileges: %s", got["no privileges"])
	}
	return none
}

// enforced is what came of what a confined process tried, in a directory, started by
// another one if under says so.
func enforced(t *testing.T, under ...string) (dir string, got map[string]string) {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"in/below", "out", "gone"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"in/file", "in/below/file", "out/file", "gone/s"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	line := append(under, self)
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Env = append(os.Environ(), inside+"="+dir)
	for name, address := range map[string][2]string{"TCP": {"tcp", "127.0.0.1:0"}, "ABSTRACT": {"unix", fmt.Sprintf("@confine-test-%d", os.Getpid())}, "UNIX": {"unix", dir + "/out/s"}} {
		l, err := net.Listen(address[0], address[1])
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		cmd.Env = append(cmd.Env, name+"="+l.Addr().String())
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	return dir, got
}

// holds wants all that an ABI of Landlock takes away to be gone, and nothing else.
func holds(t *testing.T, dir string, abi int, got map[string]string) {
	t.Helper()
	want := map[string]string{
		"Enforce": "done", "no privileges": "done", "refused": "true false false",
		"read": "done", "read below": "done", "list": "done", "remove at end": "done", "connect unix": "done",
	}
	by := ""
	for _, row := range []struct {
		since   int // the ABI
		takes   string
		refused map[string]string
	}{
		{1, ": files", map[string]string{
			"read elsewhere": "EACCES", "list elsewhere": "EACCES", "write": "EACCES", "make": "EACCES", "make a folder": "EACCES",
			"rename": "EACCES", "remove": "EACCES", "execute": "EACCES", "execute sh": "EACCES",
		}},
		{3, "", map[string]string{"truncate": "EACCES"}},
		{4, ", TCP", map[string]string{"listen": "EACCES", "connect": "EACCES"}},
		{5, ", devices", nil},
		{6, ", signals", map[string]string{"signal": "EPERM", "connect abstract": "EPERM"}},
	} {
		taken := abi >= row.since
		if taken {
			by += row.takes
		}
		for name, what := range row.refused {
			if want[name] = "done"; taken {
				want[name] = what
			}
		}
	}
	want["bounds"] = fmt.Sprintf("&{Landlock ABI %d%s [%s/in] [%s/gone]}", abi, by, dir, dir)
	for name, what := range want {
		if got[name] != what {
			t.Errorf("%s: %s, want %s", name, got[name], what)
		}
	}
}
