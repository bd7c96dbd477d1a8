package watch

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
)

// A directory that was made again, often with the inode of the old one, is
// watched and not only polled.
func TestWatchIsSetAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "dir")
	path := filepath.Join(dir, "file")
	s, err := newSight([]string{path}, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	for round := range 5 {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		await(t, s, func() bool {
			s.look()
			return slices.Contains(s.watcher.WatchList(), dir)
		})
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if e := await(t, s, nil); e.Name != path {
			t.Errorf("round %d: event %v", round, e)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		await(t, s, func() bool { return !slices.Contains(s.watcher.WatchList(), dir) })
	}
}

// await takes events until done; without it, until one of a file comes.
func await(t *testing.T, s *sight, done func() bool) (e fsnotify.Event) {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		if done != nil && done() {
			return e
		}
		if done == nil && filepath.Base(e.Name) == "file" && e.Has(fsnotify.Create) {
			return e
		}
		select {
		case e = <-s.events:
		case <-time.After(10 * time.Millisecond):
		case <-late:
			t.Fatal("waited in vain")
		}
	}
}

func TestTrail(t *testing.T) {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range [][2]string{{"b/c", "a"}, {"d", "b"}, {"loop", "loop"}, {root + "/d", "abs"}} {
		if err := os.Symlink(l[0], filepath.Join(root, l[1])); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string][]string{
		"plain":       {"plain"},
		"a":           {"a", "b", "d/c"},
		"abs//x/../y": {"abs", "d/y"},
		"none/x":      {"none/x"},
		"loop":        slices.Repeat([]string{"loop"}, maxLinks+1),
	} {
		for i := range want {
			want[i] = filepath.Join(root, want[i])
		}
		if got := trail(root + "/" + name); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestLull(t *testing.T) {
	for name, row := range map[string]struct {
		every time.Duration // between events
		count int
		want  time.Duration // from the first event to the end of the lull
	}{
		"one event":         {every: 1, count: 1, want: 50},
		"a few":             {every: 30, count: 3, want: 110},
		"without any pause": {every: 30, count: 100, want: 250},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLull(50*time.Millisecond, 250*time.Millisecond)
				for range 2 { // the second is as the first
					if got := lullOf(l, row.every*time.Millisecond, row.count); got != row.want*time.Millisecond {
						t.Errorf("%v, want %v", got, row.want*time.Millisecond)
					}
				}
			})
		})
	}
}

// lullOf returns how long l waits in a row of events.
func lullOf(l *lull, every time.Duration, count int) time.Duration {
	begin := time.Now()
	events := time.NewTicker(every)
	defer events.Stop()
	l.wait()
	for {
		select {
		case <-events.C:
			if count--; count > 0 {
				l.wait()
			}
		case <-l.quiet.C:
			l.over()
			return time.Since(begin)
		case <-l.longest.C:
			l.over()
			return time.Since(begin)
		}
	}
}
