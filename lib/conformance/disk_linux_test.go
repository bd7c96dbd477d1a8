package conformance_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"ocspcgi/lib/servertest"
)

// disk mounts a file system of 256 KiB.
func disk(t *testing.T) (dir string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount a file system")
	}
	dir = servertest.Room(t)
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256k,mode=0755"); err != nil {
		t.Skipf("this machine lets nobody mount: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fillUp leaves no room in a directory, and returns how to make it.
func fillUp(t *testing.T, dir string) (empty func()) {
	t.Helper()
	name := filepath.Join(dir, "filler")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 1<<10))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
}

// readOnly has nothing written to a directory any more.
func readOnly(t *testing.T, dir string) (writable func()) {
	t.Helper()
	remount := func(flags uintptr) {
		t.Helper()
		if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|flags, ""); err != nil {
			t.Fatal(err)
		}
	}
	remount(syscall.MS_RDONLY)
	return func() { remount(0) }
}

// shut are the ways in which a disk takes nothing.
var shut = []struct {
	name string
	shut func(t *testing.T, dir string) (open func())
}{{"full", fillUp}, {"read-only", readOnly}}

// Where the log can write nothing, requests are answered, and the log goes on
// once it can.
func TestLogOnShutDisk(t *testing.T) {
	k := newKit(t)
	for _, disks := range shut {
		t.Run("CGI, "+disks.name, func(t *testing.T) { k.logsByCGI(t, disks.shut) })
	}
	t.Run("FastCGI, full", k.logFills)
	t.Run("FastCGI, read-only from the start", k.logsToStderr)
}

// requestsIn counts the lines of requests in a log.
func requestsIn(log string) int { return strings.Count(log, `"message":"request"`) }

// logsByCGI has CGI processes log to a disk that is shut; they say so on stderr, but
// where that is the answer's place, too.
func (k *kit) logsByCGI(t *testing.T, shut func(t *testing.T, dir string) (open func())) {
	der, _, good := k.question()
	dir := disk(t)
	log := filepath.Join(dir, "log")
	s := &served{config: filepath.Join(t.TempDir(), "ocspcgi.toml")}
	servertest.WriteFile(t, s.config, fmt.Sprintf("log = %q\nlog_level = \"info\"\n", log)+k.settings(k.Signer))
	open := shut(t, dir)
	for _, c := range []struct {
		body []byte
		want want
	}{{der, good}, {[]byte("garbage"), malformed}} {
		r, stderr := run(t, s.command(variables(len(c.body))...), c.body)
		_, err := os.Stat(log)
		opened := err == nil // then what cannot be written is lost
		if err := c.want.check(r, false); err != nil || !strings.Contains(stderr, log) || opened == (requestsIn(stderr) == 1) {
			t.Errorf("%v, stderr has %q", err, stderr)
		}
		fields := slices.Sorted(maps.Keys(r.header))
		both := s.command(variables(len(c.body))...)
		both.Path, both.Args = sh(t), []string{"sh", "-c", `exec "$0" 2>&1`, program}
		r, _ = run(t, both, c.body)
		if err := c.want.check(r, false); err != nil || !slices.Equal(slices.Sorted(maps.Keys(r.header)), fields) {
			t.Errorf("stderr in the same place: %v, fields %v", err, r.header)
		}
	}
	if text := servertest.ReadFile(t, log); text != "" {
		t.Errorf("the log has %q", text)
	}
	open()
	r, stderr := run(t, s.command(variables(len(der))...), der)
	if err := good.check(r, false); err != nil || stderr != "" || requestsIn(servertest.ReadFile(t, log)) != 1 {
		t.Errorf("afterwards: %v, stderr has %q, the log %q", err, stderr, servertest.ReadFile(t, log))
	}
}

// logsToStderr has a process be started whose log cannot be opened.
func (k *kit) logsToStderr(t *testing.T) {
	der, _, good := k.question()
	dir := disk(t)
	readOnly(t, dir)
	s := &served{socket: filepath.Join(servertest.Room(t), "s")}
	cmd := exec.CommandContext(t.Context(), program, "-config", k.config, "-listen", "unix:"+s.socket, "-log", filepath.Join(dir, "log"))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	wait(t, "nobody listens", func() error { return reachable(s.socket) })
	if err := good.check(s.fastCGI(t, der), false); err != nil {
		t.Error(err)
	}
	if err := errors.Join(cmd.Process.Signal(syscall.SIGTERM), cmd.Wait()); err != nil {
		t.Error(err)
	}
	if said := stderr.String(); !strings.Contains(said, "the log goes here instead") || requestsIn(said) != 1 {
		t.Errorf("stderr has %q", said)
	}
}

// logFills has a process log requests on a disk that is full for a while.
func (k *kit) logFills(t *testing.T) {
	der, _, good := k.question()
	s := startIn(t, disk(t), k.settings(k.Signer))
	open := fillUp(t, filepath.Dir(s.log)) // a file that is open for writing keeps a disk from being made read-only
	for {
		size := len(servertest.ReadFile(t, s.log)) // to the end of its page
		for range 20 {
			if err := good.check(s.fastCGI(t, der), false); err != nil {
				t.Fatal(err)
			}
		}
		if len(servertest.ReadFile(t, s.log)) == size {
			break
		}
	}
	before := requestsIn(servertest.ReadFile(t, s.log))
	open()
	wait(t, "the log goes on", func() error {
		if err := good.check(s.fastCGI(t, der), false); err != nil || requestsIn(servertest.ReadFile(t, s.log)) > before {
			return err
		}
		return errors.New("nothing is logged")
	})
}

// Where answers and places cannot be kept, requests are answered, and nothing
// half is left; they are kept once they can be.
func TestCacheOnShutDisk(t *testing.T) {
	for _, disks := range shut {
		t.Run(disks.name, func(t *testing.T) {
			k := newKit(t)
			k.lengthen(t, 2000)
			k.rested(t)
			der, _, good := k.question()
			dir := disk(t)
			cache := filepath.Join(dir, "cache")
			k.served.config = filepath.Join(t.TempDir(), "ocspcgi.toml")
			servertest.WriteFile(t, k.served.config, "cache = \""+cache+"\"\n"+k.settings(k.Signer))
			open := disks.shut(t, dir)
			for range 3 {
				r, stderr := run(t, k.command(variables(len(der))...), der)
				if err := good.check(r, false); err != nil || !strings.Contains(stderr, "answers are not shared") {
					t.Errorf("%v, the log says %q", err, stderr)
				}
			}
			if all := files(t, cache); len(all) > 0 {
				t.Errorf("%s are left over", all)
			}
			open()
			first, stderr := run(t, k.command(variables(len(der))...), der)
			if stderr != "" {
				t.Errorf("afterwards the log says %q", stderr)
			}
			if !bytes.Equal(first.body, k.cgi(t, der).body) {
				t.Error("nothing is kept afterwards")
			}
		})
	}
}

// What somebody else has put into the cache is believed where it is sealed, which only
// who has the key can do. It stops no answer where it is not, nor where it cannot be
// read, nor where nothing can be put in its place.
func TestCacheOfOthers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	k, cache := newKit(t).caching(t)
	k.lengthen(t, 2000)
	k.rested(t)
	k.reachable(t)
	for _, path := range []string{cache, k.config, k.Signer.Key} {
		if err := os.Chown(path, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	der, _, good := k.question()
	first := k.cgiAsNobody(t, der)
	kept := files(t, cache)
	if err := good.check(first, false); err != nil || len(kept) != 3 {
		t.Fatalf("%v, kept are %s: want the answer, the places of the rows and what is believed", err, kept)
	}
	for _, c := range []struct {
		name     string
		mode     os.FileMode
		become   func(data []byte) []byte
		believed bool
	}{
		{"as it was", 0o644, bytes.Clone, true},
		{"another byte", 0o644, func(data []byte) []byte { return append(bytes.Clone(data[:len(data)-1]), data[len(data)-1]^1) }, false},
		{"half of it", 0o644, func(data []byte) []byte { return data[:len(data)/2] }, false},
		{"nothing", 0o644, func([]byte) []byte { return nil }, false},
		{"not to be read", 0o600, bytes.Clone, false},
	} {
		others := t.TempDir() // the whole of the cache is theirs
		for _, path := range kept {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			name := filepath.Join(others, strings.TrimPrefix(path, cache))
			if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, c.become(data), c.mode)); err != nil {
				t.Fatal(err)
			}
		}
		t.Run(c.name, func(t *testing.T) {
			aside := cache + ".aside"
			if err := errors.Join(os.Rename(cache, aside), os.Rename(others, cache)); err != nil {
				t.Fatal(err)
			}
			cmd := k.command(variables(len(der))...)
			asNobody(cmd)
			r, stderr := run(t, cmd, der)
			if err := good.check(r, false); err != nil {
				t.Error(err)
			}
			if bytes.Equal(r.body, first.body) != c.believed || strings.Contains(stderr, "answers are not shared") == c.believed {
				t.Errorf("given again: %v, the log says %q", bytes.Equal(r.body, first.body), stderr)
			}
			if err := errors.Join(os.Rename(cache, others), os.Rename(aside, cache)); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// files are the regular files below a directory that have something in them.
func files(t *testing.T, dir string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Size() > 0 {
			all = append(all, path)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return all
}

// A file of the process's number that cannot be written is told at the start, when
// somebody is there to see it.
func TestPidFileOnShutDisk(t *testing.T) {
	k := newKit(t)
	for _, disks := range shut {
		t.Run(disks.name, func(t *testing.T) {
			dir := disk(t)
			disks.shut(t, dir)
			socket := filepath.Join(servertest.Room(t), "s")
			cmd := exec.Command(program, "-config", k.config, "-listen", "unix:"+socket, "-pid_file", filepath.Join(dir, "pid"))
			out, err := cmd.CombinedOutput()
			if cmd.ProcessState.ExitCode() != 2 || !strings.Contains(string(out), "ocspcgi: -pid_file: ") {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}
