package index_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"ocspcgi/lib/index"
)

// A file that is written while it is read may show half of one row and half of another:
// what revokes there counts only if the next reading has it, too.
func TestMixed(t *testing.T) {
	valid, revoked, held := entry('V', "10")+other, entry('R', "10")+other, entry('H', "10")+other
	for _, c := range []struct {
		name        string
		first, then string // what is there for the first reading, and for the second one
		moves       bool   // the second one is written meanwhile, too
		want        string
	}{
		{"in both", revoked, revoked + entry('V', "11"), true, "R"},
		{"on hold in both", held, held + entry('V', "11"), true, "R"},
		{"on hold in the second that stands still", valid, held, false, "R"},
		{"on hold in the second alone of two that move", valid, held, true, "doubt"},
		{"in the second that stands still", valid, revoked, false, "R"},
		{"in the first alone", revoked, valid, false, "V"},
		{"in the first alone of two that move", revoked, valid, true, "V"},
		{"in the second alone of two that move", valid, revoked, true, "doubt"},
	} {
		t.Run("Live, "+c.name, func(t *testing.T) {
			path := write(t, valid)
			l := live(t, path)
			rewrite(t, path, c.first)
			readings := 0
			l.Progress = func(int64, int64) { // the one block has been read
				switch readings++; {
				case readings == 1:
					rewrite(t, path, c.then)
				case c.moves:
					age(t, path, time.Duration(readings)*time.Minute)
				}
			}
			l.Reload(false)
			if got := said(l.Lookup(octets(t, "10"))); !strings.HasPrefix(got, c.want) || readings != 2 {
				t.Errorf("after %d readings says %q, want %q", readings, got, c.want)
			}
			l.Progress = nil
			l.Reload(false)
			if got, want := said(l.Lookup(octets(t, "10"))), said(file(path).Lookup(octets(t, "10"))); got != want {
				t.Errorf("read again says %q, want %q", got, want)
			}
		})
	}
	t.Run("Live, nothing believed before", func(t *testing.T) {
		path := write(t, revoked)
		l := &index.Live{Path: path, Now: clock, Wait: func(time.Duration) {}}
		l.Progress = func(int64, int64) { rewrite(t, path, valid) }
		l.Reload(true)
		if got := said(l.Lookup(octets(t, "10"))); got != "doubt" {
			t.Errorf("says %q", got)
		}
	})
}

// The same by one scan for each look-up. Where a scan was over before anything was
// written, it is done again.
func TestMixedScan(t *testing.T) {
	rows := string(everyKind(100_000)) // so that a scan takes long
	revoked, held, valid := entry('R', "10"), entry('H', "10"), entry('V', "10")
	for _, c := range []struct{ name, first, then, want string }{
		{"in both", revoked, revoked, "R"},
		{"in the first alone", revoked, valid, "doubt"},
		{"on hold in both", held, held, "R"},
		{"on hold in the first alone", held, valid, "doubt"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := write(t, rows+c.first)
			f, looks, got := file(path), 0, ""
			for try := 0; try < 100 && looks < 2; try++ {
				looks = 1
				stop := writing(t, path)
				f.Wait = func(time.Duration) {
					looks++
					stop()
					rewrite(t, path, rows+c.then)
					stop = func() {}
				}
				got = said(f.Lookup(octets(t, "10")))
				stop()
			}
			if looks != 2 || !strings.HasPrefix(got, c.want) {
				t.Errorf("after %d looks says %q, want %q", looks, got, c.want)
			}
		})
	}
}

// writing gives a file another time, again and again, as who writes it does.
func writing(t *testing.T, path string) (stop func()) {
	t.Helper()
	enough, begun, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for at := now.Add(-2 * time.Hour); ; at = at.Add(time.Microsecond) {
			if err := os.Chtimes(path, at, at); err != nil {
				t.Error(err)
			}
			select {
			case <-enough:
				return
			case begun <- struct{}{}:
				begun = nil
			default:
			}
		}
	}()
	<-begun
	return func() { close(enough); <-done }
}
