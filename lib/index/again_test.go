package index_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ocspcgi/lib/index"
)

// A file that is elsewhere for a moment while it is read, and back as it was, is
// read once more: its stamp does not tell that.
func TestElsewhereForAMoment(t *testing.T) {
	path := write(t, entry('V', "10"))
	dir, at := filepath.Dir(path), now
	aside, gone := dir+".aside", false
	l := &index.Live{Path: path, Now: func() time.Time { return at }}
	l.Progress = func(int64, int64) {
		if gone {
			return
		}
		if gone = true; os.Rename(dir, aside) != nil {
			t.Error("the directory cannot be renamed")
		}
	}
	if r := l.Reload(false); r.Believed {
		t.Errorf("report of what is gone is %+v", r)
	}
	if err := os.Rename(aside, dir); err != nil {
		t.Fatal(err)
	}
	at = at.Add(2 * time.Second)
	if r := l.Reload(false); !r.Believed || !r.Changed {
		t.Errorf("report of what is back is %+v", r)
	}
	if got := said(l.Lookup(octets(t, "10"))); got != isValid {
		t.Errorf("says %q", got)
	}
}

// A SIGHUP reads a young file once more, and no later than its stamp tells the next
// change: so it is read again when it does.
func TestYoungWhenAccepted(t *testing.T) {
	path, at := write(t, entry('V', "10")+entry('V', "11")), now
	l := &index.Live{Path: path, Now: func() time.Time { return at }}
	l.Reload(false)
	replace(t, path, entry('V', "10"))
	age(t, path, 0)
	if r := l.Reload(false); r.Believed {
		t.Fatalf("report is %+v", r)
	}
	if r := l.Reload(true); !r.Believed {
		t.Fatalf("report of SIGHUP is %+v", r)
	}
	at = at.Add(2 * time.Second)
	if r := l.Reload(false); !r.Changed {
		t.Error("a change within its second is not looked for")
	}
	at = at.Add(2 * time.Second)
	if r := l.Reload(false); r.Changed {
		t.Error("read again though it has settled")
	}
}

// What is being written when a process starts or is told to take it as it is may end
// between two rows, or have none yet: it is not believed.
func TestWrittenWhenAccepted(t *testing.T) {
	for name, first := range map[string]bool{"at the start": true, "by SIGHUP": false} {
		for _, c := range []struct {
			text  string
			age   time.Duration
			looks int // before it is written on
		}{
			{"", 0, 1},
			{entry('V', "10"), 0, 1},
			{"", time.Hour, 1}, // as ext4 has it while it is emptied
			{"", time.Hour, 10},
		} {
			path, want := write(t, entry('R', "11")), "R"
			l := &index.Live{Path: path, Now: clock}
			if first {
				want = "doubt"
			} else {
				l.Reload(false)
			}
			rewrite(t, path, c.text)
			age(t, path, c.age)
			l.Wait = func(time.Duration) {
				if c.looks--; c.looks == 0 {
					rewrite(t, path, c.text+entry('R', "11"))
					age(t, path, 0)
				}
			}
			if r := l.Reload(true); r.Believed {
				t.Errorf("%s: report of %q is %+v", name, c.text, r)
			}
			if c.looks < 0 {
				t.Errorf("%s: looks on at %q when it has changed", name, c.text)
			}
			if got := said(l.Lookup(octets(t, "11"))); !strings.HasPrefix(got, want) {
				t.Errorf("%s: says %q after %q, want %s", name, got, c.text, want)
			}
			if r := l.Reload(true); !r.Believed {
				t.Errorf("%s: report of what is whole is %+v", name, r)
			}
		}
	}
}

// What another file takes the place of meanwhile, as openssl ca has it, is whole.
func TestReplacedWhenAccepted(t *testing.T) {
	path := write(t, entry('R', "11"))
	age(t, path, 0)
	l := &index.Live{Path: path, Now: clock, Wait: func(time.Duration) {
		other := write(t, entry('R', "11")+entry('V', "12"))
		age(t, other, 0)
		if err := os.Rename(other, path); err != nil {
			t.Fatal(err)
		}
	}}
	if r := l.Reload(false); !r.Believed || r.Rows != 1 {
		t.Errorf("report is %+v", r)
	}
	l.Wait = func(time.Duration) {}
	if r := l.Reload(false); !r.Believed || r.Rows != 2 {
		t.Errorf("report of the other is %+v", r)
	}
}

// What only a file has had that was not believed cannot be told once it is not
// there: the file may be about to be written again.
func TestIssuedMeanwhile(t *testing.T) {
	other := entry('V', "AA")
	path := write(t, other+entry('V', "11"))
	l := live(t, path)
	for _, step := range []struct{ name, text, want string }{
		{"issued, another one forgotten", other + entry('V', "10"), "V"},
		{"empty", "", "doubt"},
		{"empty but for a line", "#\n", "doubt"},
		{"written again", other + entry('V', "10"), "V"},
		{"revoked", other + entry('R', "10"), "R"},
		{"cut off between rows", other, "R"},
		{"as it was at first", other + entry('V', "11") + entry('R', "10"), "R"},
	} {
		replace(t, path, step.text)
		l.Reload(false)
		if got := said(l.Lookup(octets(t, "10"))); !strings.HasPrefix(got, step.want) {
			t.Errorf("%s: says %q, want %s", step.name, got, step.want)
		}
		if got := said(l.Lookup(octets(t, "12"))); got != "not found" {
			t.Errorf("%s: says %q of what nobody has seen", step.name, got)
		}
	}
}
