package index

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestAhead sees each new revocation of a file answered before it is read, and
// nothing else of it.
func TestAhead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index.txt")
	row := func(kind string, serial int) string {
		if kind != "V" {
			return fmt.Sprintf("%s\t491119120000Z\t261119120000Z,superseded\t%04X\tunknown\t/CN=a\n", kind, serial)
		}
		return fmt.Sprintf("V\t491119120000Z\t\t%04X\tunknown\t/CN=a\n", serial)
	}
	put := func(text string) *source {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := open(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.file.Close() })
		return s
	}
	var before, after bytes.Buffer
	for i := range 40_000 { // blocks of the scan
		before.WriteString(row("V", 0x1000+i))
		kind := "V"
		switch {
		case i == 0, i == 39_999, i%1000 == 7:
			kind = "R"
		case i%1000 == 8:
			kind = "r"
		}
		after.WriteString(row(kind, 0x1000+i))
	}
	put(before.String())
	l := &Live{Path: path}
	if report := l.Reload(true); !report.Believed {
		t.Fatal(report.Err)
	}
	epoch := l.Epoch(l.now())
	whole := after.String()
	s := put(whole + row("V", 0xf000) + row("R", 0xf001) + "R\t491119120000Z\t261119120000Z\tF002\tunk")
	l.ahead(s, false)
	for i := range 40_000 {
		want := Valid
		if i == 0 || i == 39_999 || i%1000 == 7 || i%1000 == 8 {
			want = Revoked
		}
		if e, err := l.Lookup([]byte{0, byte((0x1000 + i) >> 8), byte(0x1000 + i)}); err != nil || e.Status != want {
			t.Fatalf("%X is %v (%v), want %v", 0x1000+i, e, err, want)
		}
	}
	for serial, want := range map[int]string{0xf000: "doubt", 0xf001: "R", 0xf002: "R", 0xf003: "doubt"} {
		e, err := l.Lookup([]byte{0, byte(serial >> 8), byte(serial)})
		if got := string(rune(e.Status)); err == nil && got != want || err != nil && (errors.Is(err, ErrNotFound) || want != "doubt") {
			t.Errorf("%X: %v, %v; want %s", serial, e, err, want)
		}
	}
	if l.Epoch(l.now()) == epoch {
		t.Error("kept answers do not notice")
	}
	put(whole)
	if report := l.Reload(false); report.Believed {
		t.Error("a file is believed that has forgotten revocations seen ahead")
	}
	if report := l.Reload(true); !report.Believed {
		t.Error(report.Err)
	}
}

// What is revoked in a file that moves while it is looked through may be half of one
// row and half of another, and may be revoked for good: it is in doubt, until the file
// stands still or is the one that was read.
func TestAheadOfWhatMoves(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index.txt")
	put := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const valid = "V\t491119120000Z\t\t10\tunknown\t/CN=a\n"
	put(valid)
	l := &Live{Path: path}
	l.Reload(true)
	revoke := func() {
		t.Helper()
		put("R\t491119120000Z\t261119120000Z\t10\tunknown\t/CN=a\n")
		s, err := open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer s.file.Close()
		if err := os.Chtimes(path, time.Time{}, time.Unix(0, 0)); err != nil {
			t.Fatal(err)
		}
		if l.ahead(s, false) {
			t.Error("all is foreseen")
		}
	}
	is := func(when string, want Status) {
		t.Helper()
		e, err := l.Lookup([]byte{0x10})
		var doubt *DoubtError
		if e.Status != want || (err != nil) != (want == 0) || err != nil && !errors.As(err, &doubt) {
			t.Errorf("%s: %v, %v", when, e, err)
		}
	}
	revoke()
	is("written meanwhile", 0)
	put(valid)
	l.Reload(false)
	is("valid again", Valid)
	revoke()
	is("written once more", 0)
	put(valid + "V\t491119120000Z\t\t11\tunknown\t/CN=a\n")
	l.Foresee()
	is("valid again, and foreseen", Valid)
	between, old := l.state.Load().believed, l.state.Load()
	revoke()
	if report := l.judge(reading{table: between, still: true}, old, false, l.now()); !report.Believed {
		t.Errorf("%+v", report)
	}
	is("written while the file from before was judged", 0)
	l.Foresee()
	is("still", Revoked)
}

// What a file does not have that has been replaced cannot be said to be missing, until
// the new one is read or the old one is back.
func TestForeseenChange(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index.txt")
	put := func(name, serial string) {
		t.Helper()
		if err := os.WriteFile(name, []byte("V\t491119120000Z\t\t"+serial+"\tunknown\t/CN=a\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put(path+".1", "10")
	put(path+".2", "11")
	lead := func(to string) { // which leaves both files as they are
		t.Helper()
		if err := errors.Join(os.RemoveAll(path), os.Symlink(path+to, path)); err != nil {
			t.Fatal(err)
		}
	}
	lead(".1")
	l := &Live{Path: path}
	l.Reload(true)
	l.Foresee()
	is := func(when string, doubtful bool) {
		t.Helper()
		if e, err := l.Lookup([]byte{0x10}); err != nil || e.Status != Valid {
			t.Errorf("%s: what is valid is %v, %v", when, e, err)
		}
		var d *DoubtError
		if _, err := l.Lookup([]byte{0x11}); errors.As(err, &d) != doubtful || errors.Is(err, ErrNotFound) == doubtful {
			t.Errorf("%s: what is not there: %v", when, err)
		}
	}
	is("read", false)
	lead(".2")
	l.Foresee()
	is("replaced", true)
	lead(".1")
	l.Foresee()
	is("back, but nobody has read it", true)
	l.Reload(false)
	is("back", false)
	lead(".2")
	l.Progress = func(int64, int64) { is("being read", true) }
	l.Foresee()
	l.Reload(false)
	if e, err := l.Lookup([]byte{0x11}); err != nil || e.Status != Valid {
		t.Errorf("read: %v, %v", e, err)
	}
	var d *DoubtError
	if _, err := l.Lookup([]byte{0x12}); errors.As(err, &d) {
		t.Errorf("read: %v", err)
	}
}

// A revocation is foreseen while a file from before it is being read, and stands when
// that has been believed.
func TestForesee(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index.txt")
	put := func(text string) {
		t.Helper()
		if err := errors.Join(os.WriteFile(path+".new", []byte(text), 0o600), os.Rename(path+".new", path)); err != nil {
			t.Fatal(err)
		}
	}
	row := func(kind, date, serial string) string {
		return kind + "\t491119120000Z\t" + date + "\t" + serial + "\tunknown\t/CN=a\n"
	}
	const date = "261119120000Z"
	l := &Live{Path: path}
	revoked := func(when string, serials ...byte) {
		t.Helper()
		for _, serial := range serials {
			if e, err := l.Lookup([]byte{serial}); err != nil || e.Status != Revoked {
				t.Errorf("%s: %X is %v, %v", when, serial, e, err)
			}
		}
	}
	put(row("V", "", "10") + row("V", "", "11") + row("V", "", "12"))
	l.Foresee() // there is nothing to be stricter than
	l.Reload(true)
	put(row("R", date, "10") + row("V", "", "11") + row("V", "", "12"))
	l.Progress = func(int64, int64) {
		l.Progress = nil
		put(row("R", date, "10") + row("R", date, "11") + row("V", "", "12"))
		l.Foresee()
		revoked("while another file is read", 0x11)
	}
	l.Reload(false)
	revoked("when that was read", 0x10, 0x11)
	if report := l.Reload(false); !report.Believed || l.state.Load().standing != nil {
		t.Errorf("%+v", report)
	}
	revoked("when all was read", 0x10, 0x11)

	// As if it were replaced when it has been read, but was not judged yet.
	old := l.state.Load()
	put(row("R", date, "10") + row("R", date, "11") + row("R", date, "12"))
	l.Foresee()
	l.judge(reading{table: old.believed, still: true}, old, true, l.now())
	revoked("believed since", 0x10, 0x11, 0x12)
	epoch := l.Epoch(l.now())
	if l.Foresee(); l.Epoch(l.now()) != epoch {
		t.Error("foreseen twice")
	}
}

// A hold that a file had, and has again by now, stands when one has been believed that
// was without it in between: whether the one that had it was believed, or foreseen.
func TestForeseeHoldAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index.txt")
	put := func(text string) {
		t.Helper()
		if err := errors.Join(os.WriteFile(path+".new", []byte(text), 0o600), os.Rename(path+".new", path)); err != nil {
			t.Fatal(err)
		}
	}
	const (
		free = "V\t491119120000Z\t\t10\tunknown\t/CN=a\n"
		held = "R\t491119120000Z\t261119120000Z,certificateHold\t10\tunknown\t/CN=a\n"
	)
	for name, first := range map[string]string{"believed": held, "foreseen": free} {
		put(free)
		between, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		put(first)
		l := &Live{Path: path}
		l.Reload(true)
		put(held)
		l.Foresee()
		// As if it were replaced when the one in between has been read, but was not judged yet.
		old := l.state.Load()
		put(held)
		l.Foresee()
		if report := l.judge(reading{table: between, still: true}, old, false, l.now()); !report.Believed {
			t.Errorf("%s: %+v", name, report)
		}
		if e, err := l.Lookup([]byte{0x10}); err != nil || e.Status != Revoked {
			t.Errorf("%s: %v, %v", name, e, err)
		}
	}
}

// Somebody has an index accepted that revokes 10 no more, and another one takes its place
// meanwhile that does: whoever is foreseen in that one is revoked.
func TestForeseeWhileAccepting(t *testing.T) {
	dir := t.TempDir()
	const (
		other   = "V\t491119120000Z\t\t20\tunknown\t/CN=other\n"
		free    = "V\t491119120000Z\t\t10\tunknown\t/CN=a\n"
		revoked = "R\t491119120000Z\t261120120000Z,keyCompromise\t10\tunknown\t/CN=a\n"
	)
	for name, text := range map[string]string{"revoked": revoked + other, "free": free + other, "freed": "# again\n" + free + other, "other": free + strings.Replace(revoked, "\t10\t", "\t20\t", 1)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name         string
		before, then []string // what is foreseen before the file is accepted, and meanwhile
		want         []Status // of both
	}{
		{"nothing", nil, nil, []Status{Valid, Valid}},
		{"it is revoked before", []string{"revoked"}, nil, []Status{Valid, Valid}},
		{"it is revoked", nil, []string{"revoked"}, []Status{Revoked, Valid}},
		{"it is revoked before and meanwhile", []string{"revoked"}, []string{"revoked"}, []Status{Revoked, Valid}},
		{"it is revoked, and freed again", nil, []string{"revoked", "freed"}, []Status{Revoked, Valid}},
		{"the other is revoked before", []string{"other"}, nil, []Status{Valid, Valid}},
		{"the other is revoked before, and it meanwhile", []string{"other"}, []string{"revoked"}, []Status{Revoked, Valid}},
		{"both are", nil, []string{"revoked", "other"}, []Status{Revoked, Revoked}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "index.txt")
			l := &Live{Path: path, Wait: func(time.Duration) {}}
			put := func(name string) { // by links, so that a file can be there again
				t.Helper()
				if err := errors.Join(os.Symlink(filepath.Join(dir, name), path+".new"), os.Rename(path+".new", path)); err != nil {
					t.Fatal(err)
				}
			}
			foresee := func(names []string) {
				for _, name := range names {
					if put(name); !l.Foresee() {
						t.Error("not foreseen")
					}
				}
			}
			put("revoked")
			l.Reload(true)
			foresee(c.before)
			put("free")
			l.Wait = func(time.Duration) { foresee(c.then) } // it is young
			if report := l.Reload(true); !report.Believed {
				t.Fatalf("%+v", report)
			}
			for i, want := range c.want {
				if e, err := l.Lookup([]byte{byte(0x10 + 0x10*i)}); err != nil || e.Status != want {
					t.Errorf("%x: %v, %v", 0x10+0x10*i, e, err)
				}
			}
		})
	}
}
