package watch_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/watch"
)

const never = time.Hour

// started is a Run that is going on.
type started struct {
	t     *testing.T
	calls chan []string
}

// start runs a Watcher on files until the test ends, and waits until it watches.
func start(t *testing.T, w *watch.Watcher, files ...string) *started {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	s := &started{t, make(chan []string, 1000)}
	done := make(chan error)
	go func() {
		done <- w.Run(ctx, files, func(names []string) { s.calls <- names })
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	if first := s.next(); !slices.Equal(first, files) {
		t.Fatalf("first call with %q, want all files", first)
	}
	return s
}

// next waits for a call.
func (s *started) next() []string {
	s.t.Helper()
	select {
	case names := <-s.calls:
		return names
	case <-time.After(20 * time.Second):
		s.t.Fatal("changed was not called")
		return nil
	}
}

// settled waits for a call during which done holds, as a reader of the file
// would see it.
func (s *started) settled(done func() bool) {
	s.t.Helper()
	for s.next(); !done(); s.next() {
	}
}

// changes are the ways in which a file changes. Each begins with `file` there,
// reading "old", and ends with it reading "new".
var changes = []struct {
	name   string
	setUp  func(d dir)
	change func(d dir)
}{
	{"written in place", dir.plain, func(d dir) { d.write("file", "new") }},
	{"appended to", func(d dir) { d.write("file", "") }, func(d dir) { d.write("file", "new") }},
	{"replaced by a rename", dir.plain, func(d dir) {
		d.write("file.new", "new")
		d.rename("file", "file.old")
		d.rename("file.new", "file")
	}},
	{"made", func(d dir) {}, func(d dir) { d.write("file", "new") }},
	{"link switched to another file", func(d dir) {
		d.write("a", "old")
		d.write("b", "new")
		d.link("a", "file")
	}, func(d dir) {
		d.link("b", "file.tmp")
		d.rename("file.tmp", "file")
	}},
	{"target of a link in another directory", func(d dir) {
		d.write("far/target", "old")
		d.link("far/target", "near")
		d.link("near", "file")
	}, func(d dir) { d.write("far/target", "new") }},
	{"link in the middle of a chain", func(d dir) {
		d.write("x/target", "old")
		d.write("y/target", "new")
		d.link("../x/target", "links/middle")
		d.link("links/middle", "file")
	}, func(d dir) {
		d.link("../y/target", "links/tmp")
		d.rename("links/tmp", "links/middle")
	}},
	{"link to a directory switched, as Kubernetes does", func(d dir) {
		d.write("..1/file", "old")
		d.write("..2/file", "new")
		d.link("..1", "..data")
		d.link("..data/file", "file")
	}, func(d dir) {
		d.link("..2", "..data_tmp")
		d.rename("..data_tmp", "..data")
	}},
	{"after the target of a link was made", func(d dir) { d.link("late", "file") }, func(d dir) { d.write("late", "new") }},
}

func TestEventsTell(t *testing.T) {
	for _, row := range changes {
		t.Run(row.name, func(t *testing.T) {
			d := dir{t, t.TempDir()}
			row.setUp(d)
			s := start(t, &watch.Watcher{Poll: never, Log: fatal(t)}, d.path("file"))
			row.change(d)
			s.settled(d.isNew)
		})
	}
}

func TestPollingTells(t *testing.T) {
	for _, row := range append(changes, directoryChanges...) {
		t.Run(row.name, func(t *testing.T) {
			d := dir{t, t.TempDir()}
			row.setUp(d)
			s := startWithoutEvents(t, 10*time.Millisecond, d.path("file"))
			row.change(d)
			s.settled(d.isNew)
		})
	}
}

// Where nothing else is said, files without events are looked at twice a second.
func TestPollingLooksTwiceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dir{t, t.TempDir()}
		d.plain()
		s := startWithoutEvents(t, 0, d.path("file"))
		written := time.Now()
		d.write("file", "another")
		s.next()
		if took := time.Since(written); took > 550*time.Millisecond { // with the lull
			t.Errorf("told after %v", took)
		}
	})
}

// directoryChanges take the directory itself away; `file` is a link into it.
var directoryChanges = []struct {
	name   string
	setUp  func(d dir)
	change func(d dir)
}{
	{"directory deleted and made again", dir.inside, func(d dir) {
		d.remove("inside")
		d.write("inside/file", "new")
	}},
	{"directory replaced", func(d dir) {
		d.inside()
		d.write("other/file", "new")
	}, func(d dir) {
		d.rename("inside", "gone")
		d.rename("other", "inside")
	}},
	{"directory absent at first", func(d dir) { d.link("inside/file", "file") }, func(d dir) { d.write("inside/file", "new") }},
	{"directory above replaced", func(d dir) {
		d.write("top/inside/file", "old")
		d.write("other/inside/file", "new")
		d.link("top/inside/file", "file")
	}, func(d dir) {
		d.rename("top", "gone")
		d.rename("other", "top")
	}},
}

func TestDirectoriesComeAndGo(t *testing.T) {
	for _, row := range directoryChanges {
		t.Run(row.name, func(t *testing.T) {
			d := dir{t, t.TempDir()}
			row.setUp(d)
			s := start(t, &watch.Watcher{Poll: 20 * time.Millisecond, Log: fatal(t)}, d.path("file"))
			row.change(d)
			s.settled(d.isNew)
		})
	}
}

func TestRealRevocation(t *testing.T) {
	ca := pkitest.New(t)
	leaf := ca.Issue("leaf")
	s := start(t, &watch.Watcher{Poll: never, Log: fatal(t)}, ca.Index)
	ca.Revoke(leaf)
	s.settled(func() bool {
		data, err := os.ReadFile(ca.Index)
		return err == nil && strings.HasPrefix(string(data), "R\t")
	})
}

func TestOtherNamesAreIgnored(t *testing.T) {
	d := dir{t, t.TempDir()}
	d.write("a", "old")
	d.write("b", "old")
	s := start(t, &watch.Watcher{Poll: never}, d.path("a"), d.path("b"))
	d.write("c", "new")
	d.write("b", "new") // heard of after c
	if got := s.next(); !slices.Equal(got, []string{d.path("b")}) {
		t.Errorf("called with %q, want b alone", got)
	}
}

func TestNamesAreAsGiven(t *testing.T) {
	d := dir{t, t.TempDir()}
	d.write("real/sub/keep", "")
	d.write("real/file", "old")
	d.link("real/sub", "link")
	t.Chdir(d.root)
	// The .. of a link is that of its target.
	s := start(t, &watch.Watcher{Poll: never}, "link/../file")
	d.write("real/file", "new")
	if got := s.next(); got[0] != "link/../file" {
		t.Errorf("called with %q", got)
	}
}

func TestWritingWithoutPauseIsLookedAt(t *testing.T) {
	d := dir{t, t.TempDir()}
	d.plain()
	s := start(t, &watch.Watcher{Quiet: never, Longest: 20 * time.Millisecond, Poll: never}, d.path("file"))
	for range 3 {
		d.write("file", "new")
		s.next()
	}
}

func TestNoEventsIsReportedOnce(t *testing.T) {
	d := dir{t, t.TempDir()}
	d.write("not", "a directory")
	var told []string
	w := &watch.Watcher{
		Quiet: time.Millisecond,
		Poll:  10 * time.Millisecond,
		Log:   func(err error) { told = append(told, err.Error()) },
	}
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	// inotify refuses the directory of the first, at every poll.
	err := w.Run(ctx, []string{d.path("not/at/all"), d.path("other")}, func([]string) {
		if calls++; calls == 5 {
			cancel()
		}
		d.write("other", strings.Repeat("x", calls))
	})
	if err != nil || len(told) != 1 {
		t.Errorf("%v, told %q", err, told)
	}
}

// A queue of the kernel's that has overflowed has not held all that happened: all
// files may have changed.
func TestOverflowMeansAll(t *testing.T) {
	text, err := os.ReadFile("/proc/sys/fs/inotify/max_queued_events")
	if err != nil {
		t.Skipf("a queue of another kind: %v", err)
	}
	held, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	d := dir{t, t.TempDir()}
	files := []string{d.path("a"), d.path("b")}
	d.write("a", "old")
	d.write("b", "old")
	var others [2]*os.File
	for i := range others {
		others[i], err = os.Create(d.path(fmt.Sprint("other", i)))
		d.must(err)
		defer others[i].Close()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var calls [][]string
	w := &watch.Watcher{Poll: never, Log: fatal(t)}
	err = w.Run(ctx, files, func(names []string) {
		if calls = append(calls, names); len(calls) > 1 {
			cancel()
			return
		}
		// Nobody takes events meanwhile, but for the few that the reader of the queue has
		// room for. The kernel holds one for each, as no two in a row are the same.
		for i := range 2 * (held + 1<<12) {
			_, err := others[i%2].WriteString("x")
			d.must(err)
		}
		d.write("b", "new")
	})
	if err != nil || len(calls) != 2 || !slices.Equal(calls[1], files) {
		t.Errorf("%v, called with %q, want all files twice", err, calls)
	}
}

// startWithoutEvents starts a Watcher that the kernel refuses inotify to.
func startWithoutEvents(t *testing.T, poll time.Duration, file string) *started {
	t.Helper()
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 0, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	told := make(chan error, 10)
	s := start(t, &watch.Watcher{Poll: poll, Log: func(err error) { told <- err }}, file)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	if len(told) != 1 {
		t.Fatalf("%d errors logged, want 1", len(told))
	}
	if err := <-told; !strings.Contains(err.Error(), "too many open files") {
		t.Errorf("logged %v", err)
	}
	return s
}

func fatal(t *testing.T) func(error) {
	return func(err error) { t.Errorf("logged %v", err) }
}

// dir is a directory of a test; names are relative to it.
type dir struct {
	t    *testing.T
	root string
}

func (d dir) path(name string) string { return filepath.Join(d.root, name) }

func (d dir) plain() { d.write("file", "old") }

func (d dir) inside() {
	d.write("inside/file", "old")
	d.link("inside/file", "file")
}

func (d dir) isNew() bool {
	data, err := os.ReadFile(d.path("file"))
	return err == nil && string(data) == "new"
}

func (d dir) write(name, data string) {
	d.t.Helper()
	d.must(os.MkdirAll(filepath.Dir(d.path(name)), 0o755))
	d.must(os.WriteFile(d.path(name), []byte(data), 0o644))
}

func (d dir) link(target, name string) {
	d.t.Helper()
	d.must(os.MkdirAll(filepath.Dir(d.path(name)), 0o755))
	d.must(os.Symlink(target, d.path(name)))
}

func (d dir) rename(from, to string) {
	d.t.Helper()
	d.must(os.Rename(d.path(from), d.path(to)))
}

func (d dir) remove(name string) {
	d.t.Helper()
	d.must(os.RemoveAll(d.path(name)))
}

func (d dir) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}
