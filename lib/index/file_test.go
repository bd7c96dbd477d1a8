package index_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"ocspcgi/lib/index"
)

const (
	valid   = "V\t271119120000Z\t\t1000\tunknown\t/CN=a\n"
	revoked = "R\t271119120000Z\t261119120000Z\t1000\tunknown\t/CN=a\n"
	isValid = "V to 2027-11-19T12:00:00Z"
	isOff   = "R to 2027-11-19T12:00:00Z on 2026-11-19T12:00:00Z"
)

// waits is a File whose waits do something: the n-th one what steps[n] says.
func waits(path string, steps ...func()) (*index.File, *[]time.Duration) {
	var waited []time.Duration
	return &index.File{Path: path, Now: clock, Wait: func(d time.Duration) {
		if n := len(waited); n < len(steps) {
			steps[n]()
		}
		waited = append(waited, d)
	}}, &waited
}

// TestTorn cuts an index off behind each of its bytes: a revocation that is
// complete up to its serial holds, and nothing is told from the rest. An empty one
// is whole to those who know what was in it before.
func TestTorn(t *testing.T) {
	const text = "V\t271119120000Z\t\t1000\tunknown\t/CN=a\nR\t271119120000Z\t261119120000Z,superseded\t2000\tunknown\t/CN=b\nV\t271119120000Z\t\t3000\tunknown\t/CN=c\n"
	told := strings.Index(text, "\t2000\t") + len("\t2000\t")
	path := write(t, "")
	for n := range len(text) + 1 {
		rewrite(t, path, text[:n])
		whole := n == 0 || text[n-1] == '\n'
		want := map[string]string{"1000": "doubt", "2000": "doubt", "3000": "doubt", "4000": "doubt"}
		if whole {
			want = map[string]string{"1000": "not found", "2000": "not found", "3000": "not found", "4000": "not found"}
			if n > 0 {
				want["1000"] = isValid
			}
			if n == len(text) {
				want["3000"] = isValid
			}
		}
		if n >= told {
			want["2000"] = isOff + " for 4"
		}
		for serial, want := range want {
			for name, look := range ways(t, path) {
				want := want
				if n == 0 && name == "File" {
					want = "doubt" // nobody remembers whether there were rows
				}
				if got := said(look(octets(t, serial))); got != want {
					t.Errorf("%d bytes: %s says %q of %s, want %q", n, name, got, serial, want)
				}
			}
		}
	}
}

func TestYoung(t *testing.T) {
	for _, c := range []struct {
		name   string
		text   string
		age    time.Duration
		change func(t *testing.T, path string)
		want   string
		waits  int
	}{
		{"old", valid, 1050 * time.Millisecond, nil, isValid, 0},
		{"young and still", valid, 999 * time.Millisecond, nil, isValid, 1},
		{"from the future", valid, -time.Hour, nil, isValid, 1},
		{"young by a clock of whole seconds", valid, 2 * time.Second, nil, isValid, 1},
		{"old by a clock of whole seconds", valid, 3 * time.Second, nil, isValid, 0},
		{"written in place on and on, by a clock of whole seconds", good, 2 * time.Second, func(t *testing.T, path string) {
			rewrite(t, path, good+valid)
			age(t, path, 2*time.Second)
		}, "doubt", 1},
		{"young, not found", good, 0, nil, "not found", 1},
		{"young, revoked", revoked, 0, nil, isOff, 0},
		{"old and torn", valid[:30], time.Hour, nil, "doubt", 1},
		{"old, torn and revoked", revoked[:45], time.Hour, nil, isOff, 0},
		{"TIM-12 replaced by rename", valid, 0, func(t *testing.T, path string) {
			rewrite(t, path+".new", revoked)
			rename(t, path+".new", path)
		}, isOff, 1},
		{"replaced by a rename that says good", good, 0, func(t *testing.T, path string) {
			rewrite(t, path+".new", valid)
			rename(t, path+".new", path)
		}, isValid, 1},
		{"written in place to the end", valid[:30], 0, func(t *testing.T, path string) {
			rewrite(t, path, valid)
		}, "doubt", 1},
		{"written in place on and on", good, 0, func(t *testing.T, path string) {
			rewrite(t, path, good+valid)
		}, "doubt", 1},
		{"revoked in place, the size and time as before", valid, 0, func(t *testing.T, path string) {
			rewrite(t, path, revoked[:len(revoked)-1]+"\n")
			age(t, path, 0)
		}, isOff, 1},
		{"cut off in place", valid + good, 0, func(t *testing.T, path string) {
			rewrite(t, path, good)
			age(t, path, 0)
		}, "doubt", 1},
		{"emptied to be written anew, under the old time", "", time.Hour, func(t *testing.T, path string) {
			rewrite(t, path, valid)
		}, "doubt", 1},
		{"empty for long", "", time.Hour, nil, "doubt", 1},
		{"replaced by an empty file", good, 0, func(t *testing.T, path string) {
			rewrite(t, path+".new", "")
			rename(t, path+".new", path)
		}, "doubt", 2},
		{"gone for good", valid, 0, func(t *testing.T, path string) { remove(t, path) }, "doubt", 11},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := write(t, c.text)
			age(t, path, c.age)
			change := func() {
				if c.change != nil {
					c.change(t, path)
				}
			}
			f, waited := waits(path, change)
			if got := said(f.Lookup(octets(t, "1000"))); got != c.want {
				t.Errorf("says %q, want %q", got, c.want)
			}
			if len(*waited) != c.waits {
				t.Errorf("waited %v, want %d times", *waited, c.waits)
			}
		})
	}
}

// TestYoungForSeveral looks for one serial after the other, as for a request about many:
// a file that has stood still for the first one is not waited for again, unless it is
// written to.
func TestYoungForSeveral(t *testing.T) {
	path := write(t, good+valid)
	age(t, path, 0)
	f, waited := waits(path, func() {}, func() { rewrite(t, path, good) })
	for serial, want := range map[string]string{"1000": isValid, "AAAA": isValid, "1001": "not found"} {
		if got := said(f.Lookup(octets(t, serial))); got != want {
			t.Errorf("says %q of %s, want %q", got, serial, want)
		}
	}
	if len(*waited) != 1 {
		t.Errorf("waited %d times, want once", len(*waited))
	}
	rewrite(t, path, good+valid+good)
	age(t, path, 0)
	if got := said(f.Lookup(octets(t, "1001"))); got != "doubt" || len(*waited) != 2 {
		t.Errorf("written to, it says %q after %d waits, want doubt after 2", got, len(*waited))
	}
}

// TestNewFileInTheMaking looks into a file that takes the place of a young one, and is
// written on: it has been there for one look alone, as the first one had.
func TestNewFileInTheMaking(t *testing.T) {
	path := write(t, good+valid)
	age(t, path, 0)
	begun := func() {
		rename(t, path, path+".old")
		rewrite(t, path, good)
		age(t, path, 0)
	}
	f, waited := waits(path, begun, func() { rewrite(t, path, good+valid) })
	if got := said(f.Lookup(octets(t, "1000"))); got != "doubt" || len(*waited) != 2 {
		t.Errorf("says %q after %d waits, want doubt after 2", got, len(*waited))
	}
	// One that stays as it is is believed.
	rewrite(t, path, good+valid)
	age(t, path, 0)
	f, waited = waits(path, begun)
	if got := said(f.Lookup(octets(t, "1000"))); got != "not found" || len(*waited) != 2 {
		t.Errorf("says %q after %d waits, want not found after 2", got, len(*waited))
	}
	// Where each look finds another one, as while a CA is at work, the last one counts.
	rewrite(t, path, good)
	age(t, path, 0)
	f, waited = waits(path, begun, func() {
		rewrite(t, path+".new", good+valid)
		age(t, path+".new", 0)
		rename(t, path+".new", path)
	})
	if got := said(f.Lookup(octets(t, "1000"))); got != isValid || len(*waited) != 2 {
		t.Errorf("says %q after %d waits, want %s after 2", got, len(*waited), isValid)
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// TestRenames looks between the two renames of `openssl ca`.
func TestRenames(t *testing.T) {
	path := write(t, valid)
	rewrite(t, path+".new", revoked)
	rename(t, path, path+".old")
	f, waited := waits(path, func() {}, func() {}, func() { rename(t, path+".new", path) })
	if got := said(f.Lookup(octets(t, "1000"))); got != isOff {
		t.Errorf("says %q, want %q", got, isOff)
	}
	total := time.Duration(0)
	for _, d := range *waited {
		total += d
	}
	if len(*waited) != 3 || total > 100*time.Millisecond {
		t.Errorf("waited %v", *waited)
	}
	remove(t, path)
	f, waited = waits(path)
	if got := said(f.Lookup(octets(t, "1000"))); got != "doubt" {
		t.Errorf("absent: says %q", got)
	}
	total = 0
	for _, d := range *waited {
		total += d
	}
	if total != 100*time.Millisecond {
		t.Errorf("absent: waited %v in all", total)
	}
}

// TestNoFile takes what is no regular file for no index, and does not hang.
func TestNoFile(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	vast := filepath.Join(dir, "vast")
	if err := os.WriteFile(vast, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(vast, 1<<40); err != nil {
		t.Fatal(err)
	}
	loop := filepath.Join(dir, "loop")
	if err := os.Symlink(loop, loop); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, fifo, vast, loop, "/dev/zero", filepath.Join(dir, "absent"), filepath.Join(dir, "a", "b"), ""} {
		for name, look := range map[string]lookup{"File": file(path).Lookup, "Live": live(t, path).Lookup} {
			if got := said(look(octets(t, "1000"))); got != "doubt" {
				t.Errorf("%s says %q of %q", name, got, path)
			}
		}
		if _, err := index.Load(path); !errors.As(err, new(*index.DoubtError)) {
			t.Errorf("Load of %q: %v", path, err)
		}
	}
}

// TestBlocks puts rows of every kind over the borders of what is read at a time.
func TestBlocks(t *testing.T) {
	const look, block = 256 << 10, 1 << 20
	for shift := -3; shift <= 3; shift++ {
		for _, size := range []int{look, 2 * look, block, 2 * block} {
			pad := size - len(valid) + shift
			filler := strings.Repeat("#"+strings.Repeat("x", 998)+"\n", pad/1000)
			filler += strings.Repeat("\n", pad-len(filler))
			long := strings.Repeat("y", 60<<10)
			check(t, filler+valid+good, "1000", isValid)
			check(t, filler+valid+good, "AAAA", "V to 2027-11-19T12:00:00Z")
			check(t, filler+valid+good, "1001", "not found")
			check(t, filler+valid[:len(valid)-1]+long+"\n"+revoked, "1000", isOff)
			check(t, filler+valid[:len(valid)-1], "1000", "doubt")
			check(t, filler+revoked[:len(revoked)-1], "1000", isOff)
		}
	}
	endless := strings.Repeat("z", 2*block+500)
	check(t, valid+endless, "1000", "doubt")
	check(t, valid+endless+"\n", "1000", isValid)
	check(t, valid+endless+"\n", "1001", "doubt")
	check(t, endless+"\n"+revoked, "1000", isOff)
}

// TestDoubtLine counts lines over the borders of what is read at a time.
func TestDoubtLine(t *testing.T) {
	lines := 60_000
	filler := strings.Repeat("V\t271119120000Z\t\t2000\tunknown\t/CN=filler\n", lines)
	for _, c := range []struct {
		text, serial string
		line         int
	}{
		{filler + "S\t271119120000Z\t\t1000\tunknown\t/CN=a\n", "1000", lines + 1},
		{filler + "\n#\nX\n" + valid, "1001", lines + 3},
		{filler + "X\n" + filler + "X\n", "1001", lines + 1},
		{filler + valid[:30], "1001", 0},
	} {
		for name, look := range ways(t, write(t, c.text)) {
			_, err := look(octets(t, c.serial))
			var d *index.DoubtError
			if !errors.As(err, &d) || d.Line != c.line {
				t.Errorf("%s: %v, want line %d", name, err, c.line)
			}
		}
	}
	var rows strings.Builder
	for i := range lines {
		fmt.Fprintf(&rows, "V\t271119120000Z\t\t%08X\tunknown\t/CN=filler\n", 0x10000+i)
	}
	l := &index.Live{Path: write(t, rows.String()+"\nX\n"+strings.Repeat("#\n", lines)+valid+valid), Now: clock}
	var faulty []int
	for _, f := range l.Reload(false).Faults {
		faulty = append(faulty, f.Line)
	}
	if !slices.Equal(faulty, []int{lines + 2, 2*lines + 4}) {
		t.Errorf("faults are on lines %v", faulty)
	}
}
