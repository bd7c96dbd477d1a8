package index_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"ocspcgi/lib/index"
)

// believing is a File that remembers what is at path now.
func believing(t testing.TB, path string) *index.File {
	t.Helper()
	f := file(path)
	f.Believed = &index.Believed{Dir: filepath.Join(t.TempDir(), "not", "there", "yet"), CA: [32]byte{7}}
	remember(t, f, true)
	return f
}

// remember looks into the index and has the file remember it, as each process of CGI
// does, and is told of what has been forgotten where something has.
func remember(t testing.TB, f *index.File, believed bool) {
	t.Helper()
	f = &index.File{Path: f.Path, Now: f.Now, Wait: f.Wait, Believed: f.Believed}
	said(f.Lookup([]byte{1}))
	var doubt *index.DoubtError
	switch err := f.Remember(); {
	case believed && err != nil:
		t.Errorf("Remember: %v", err)
	case !believed && (!errors.As(err, &doubt) || !strings.Contains(err.Error(), "remove "+f.Believed.File(f.Path))):
		t.Errorf("Remember says %v of what has been forgotten", err)
	}
}

// TestBelieved replaces an index as [TestBelief] does: who comes and goes says the same
// as who stays, but for what is valid in a file that is cut off, and for what is valid no
// more in any: it may have been revoked in one that nobody has seen.
func TestBelieved(t *testing.T) {
	for _, c := range replaced {
		t.Run(c.name, func(t *testing.T) {
			path := write(t, other+c.old)
			f := believing(t, path)
			replace(t, path, other+c.newer)
			torn := strings.HasPrefix(c.name, "torn")
			want, always := c.want, isValid
			if want == "V" && said(file(path).Lookup(octets(t, "10"))) == "not found" {
				want = "doubt"
			}
			if torn {
				always = "doubt"
				if want == "V" {
					want = "doubt"
				}
			}
			is := func(when string) {
				t.Helper()
				if got := said(f.Lookup(octets(t, "10"))); !strings.HasPrefix(got, want) {
					t.Errorf("%s: says %q, want %q", when, got, want)
				}
				if got := said(f.Lookup(octets(t, "AA"))); got != always {
					t.Errorf("%s: says %q of a row that was there all the time", when, got)
				}
			}
			is("at once")
			remember(t, f, c.believed || torn)
			is("once it is remembered")
			remember(t, f, true)
			is("when nothing new is to be remembered")

			if err := os.Remove(f.Believed.File(path)); err != nil {
				t.Fatal(err)
			}
			want = said(file(path).Lookup(octets(t, "10")))
			is("accepted")
		})
	}
}

// What was revoked in an index that has forgotten others is remembered too, and all of
// it when the first index comes back.
func TestBelievedStands(t *testing.T) {
	before := entry('V', "10") + entry('V', "11") + entry('H', "12")
	path := write(t, before)
	f := believing(t, path)
	is := func(want ...string) {
		t.Helper()
		for i, want := range want {
			if got := said(f.Lookup([]byte{byte(0x10 + i)})); !strings.HasPrefix(got, want) {
				t.Errorf("says %q of %x, want %q", got, 0x10+i, want)
			}
		}
	}
	is("V", "V", "R")
	replace(t, path, entry('R', "10")+entry('V', "12"))
	is("R", "doubt", "R") // no release is believed of a file that has forgotten 11
	remember(t, f, false)
	is("R", "doubt", "R")
	replace(t, path, before)
	is("R", "V", "R")
	remember(t, f, false)
	is("R", "V", "R")
	replace(t, path, entry('R', "10")+entry('V', "11")+entry('V', "12"))
	is("R", "V", "V")
	remember(t, f, true)
	is("R", "V", "V")
}

// TestBelievedOfMany remembers more rows than a page has, of all kinds, and loses all.
func TestBelievedOfMany(t *testing.T) {
	const n = 5000
	path := write(t, string(everyKind(n)))
	f := believing(t, path)
	all := write(t, string(everyKind(n)))
	for _, text := range []string{string(everyKind(n)), other} {
		replace(t, path, text)
		vanished := text == other
		for i := 0x0ff0; i < 0x1000+n+20; i += 7 {
			serial := []byte{byte(i >> 8), byte(i)}
			want := said(file(all).Lookup(serial))
			if vanished && want != "not found" && want[0] != 'R' {
				want = "doubt"
			}
			if got := said(f.Lookup(serial)); got != want {
				t.Fatalf("of %X it says %q, want %q", serial, got, want)
			}
		}
	}
}

// TestBelievedDamaged damages what is remembered: then nobody can tell what was believed,
// and what is left is not lost, until somebody removes it.
func TestBelievedDamaged(t *testing.T) {
	path := write(t, entry('R', "10"))
	f := believing(t, path)
	kept := f.Believed.File(path)
	whole, err := os.ReadFile(kept)
	if err != nil {
		t.Fatal(err)
	}
	replace(t, path, entry('V', "10")+entry('R', "11"))
	ask := func(what, want string) {
		t.Helper()
		if got := said(f.Lookup(octets(t, "10"))); !strings.HasPrefix(got, want) {
			t.Errorf("%s: says %q, want %q", what, got, want)
		}
		if got := said(f.Lookup(octets(t, "11"))); !strings.HasPrefix(got, "R") {
			t.Errorf("%s: says %q of what the index revokes", what, got)
		}
	}
	ask("whole", "R")
	for i := 0; i < len(whole); i += 1 + i/64*30 {
		broken := bytes.Clone(whole)
		broken[i] ^= 0x10
		for what, data := range map[string][]byte{"changed": broken, "cut": whole[:i]} {
			rewrite(t, kept, string(data))
			ask(fmt.Sprintf("%s at %d", what, i), "doubt")
			var why *index.DoubtError
			if _, err := f.Lookup(octets(t, "10")); !errors.As(err, &why) || why.Path != kept || !strings.HasSuffix(why.Reason, "remove this file") {
				t.Errorf("%s at %d: says %v", what, i, err)
			}
			if err := f.Believed.Renew(path, clock()); !errors.As(err, &why) {
				t.Errorf("%s at %d: renewed, %v", what, i, err)
			}
		}
	}
	rewrite(t, kept, string(whole))
	ask("whole again", "R")
	if err := os.Remove(kept); err != nil {
		t.Fatal(err)
	}
	ask("removed", "V")
}

// What is not this user's, or of another CA or index, is nothing that was believed.
func TestBelievedAlone(t *testing.T) {
	path := write(t, entry('R', "10"))
	f := believing(t, path)
	kept := f.Believed.File(path)
	replace(t, path, entry('V', "10"))
	ask := func(what, want string) {
		t.Helper()
		if got := said(f.Lookup(octets(t, "10"))); !strings.HasPrefix(got, want) {
			t.Errorf("%s: says %q, want %q", what, got, want)
		}
	}
	ask("mine", "R")
	f.Believed.CA[0]++
	ask("of another CA", "V")
	f.Believed.CA[0]--
	if os.Geteuid() == 0 {
		if err := os.Chown(kept, 1, 1); err != nil {
			t.Fatal(err)
		}
		ask("of another user", "V")
		if err := os.Chown(kept, 0, 0); err != nil {
			t.Fatal(err)
		}
	}
	aside := kept + ".aside"
	for what, put := range map[string]func() error{
		"a link":      func() error { return os.Symlink(aside, kept) },
		"a directory": func() error { return os.Mkdir(kept, 0o700) },
		"a FIFO":      func() error { return syscall.Mkfifo(kept, 0o600) },
	} {
		if err := errors.Join(os.Rename(kept, aside), put()); err != nil {
			t.Fatal(err)
		}
		ask(what, "V")
		if err := errors.Join(os.Remove(kept), os.Rename(aside, kept)); err != nil {
			t.Fatal(err)
		}
	}
	other := write(t, entry('V', "10"))
	if err := os.Rename(kept, f.Believed.File(other)); err != nil {
		t.Fatal(err)
	}
	f.Path = other
	ask("of another index", "doubt")
}

// Where nobody can tell whether there is something that was believed, only what the index
// revokes is told; there is nothing in a directory that is none.
func TestBelievedUnreadable(t *testing.T) {
	if os.Geteuid() == 0 { // who may read whatever it is
		if err := syscall.Setreuid(-1, 65534); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := syscall.Setreuid(-1, 0); err != nil {
				t.Error(err)
			}
		})
	}
	path := write(t, entry('V', "10")+entry('R', "11"))
	f := believing(t, path)
	replace(t, path, entry('V', "10")+entry('V', "11")+entry('R', "12"))
	is := func(what string, want ...string) {
		t.Helper()
		for i, want := range want {
			if got := said(f.Lookup([]byte{byte(0x10 + i)})); !strings.HasPrefix(got, want) {
				t.Errorf("%s: says %q of %x, want %q", what, got, 0x10+i, want)
			}
		}
	}
	chmod := func(path string, mode os.FileMode) {
		t.Helper()
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	kept := f.Believed.File(path)
	is("at first", "V", "R", "R")
	chmod(kept, 0)
	is("not to be read", "doubt", "doubt", "R")
	if err := f.Remember(); err == nil || !strings.Contains(err.Error(), kept) {
		t.Errorf("renewed what cannot be read: %v", err)
	}
	chmod(kept, 0o600)
	is("again", "V", "R", "R")
	chmod(f.Believed.Dir, 0)
	is("not to be looked into", "V", "V", "R")
	chmod(f.Believed.Dir, 0o700)
	f.Believed.Dir = os.DevNull
	is("no directory", "V", "V", "R")
}

// What was revoked for good and is on hold in a later file stays revoked for good: it
// cannot be released.
func TestRevokedThenHold(t *testing.T) {
	path := write(t, entry('R', "10"))
	l, f := live(t, path), believing(t, path)
	want := said(l.Lookup(octets(t, "10")))
	for _, text := range []string{entry('H', "10"), entry('V', "10"), entry('H', "10")} {
		replace(t, path, text)
		if r := l.Reload(false); r.Believed {
			t.Errorf("%q is believed", text)
		}
		for when := range 2 {
			for name, lookup := range map[string]lookup{"Live": l.Lookup, "File": f.Lookup} {
				if got := said(lookup(octets(t, "10"))); got != want {
					t.Errorf("%s: says %q, want %q", name, got, want)
				}
			}
			if when == 0 {
				remember(t, f, false)
			}
		}
	}
}

// Of an index that cannot be opened, what was revoked is known.
func TestBelievedOfNone(t *testing.T) {
	path := write(t, entry('V', "10")+entry('R', "11")+entry('H', "12"))
	f := believing(t, path)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	for serial, want := range map[string]string{"10": "doubt", "11": "R", "12": "doubt", "13": "doubt"} {
		if got := said(f.Lookup(octets(t, serial))); !strings.HasPrefix(got, want) {
			t.Errorf("says %q of %s, want %q", got, serial, want)
		}
	}
	if err := f.Remember(); err != nil {
		t.Error(err)
	}
}

// What has expired and is gone is not remembered for ever.
func TestBelievedLetsGo(t *testing.T) {
	past := ""
	for i := range 500 {
		past += fmt.Sprintf("V\t251119120000Z\t\t%04X\tunknown\t/CN=a\n", 0x1000+i)
	}
	path := write(t, past+other)
	f := believing(t, path)
	size := func() int64 {
		t.Helper()
		info, err := os.Stat(f.Believed.File(path))
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	before := size()
	replace(t, path, other)
	remember(t, f, true)
	if after := size(); after >= before {
		t.Errorf("%d bytes of 501 rows, %d of one", before, after)
	}
}

// An index that somebody may still be writing is not remembered, nor one that is cut off
// or empty.
func TestNotBelieved(t *testing.T) {
	for name, put := range map[string]func(path string){
		"young": func(path string) { age(t, path, 0) },
		"torn":  func(path string) { rewrite(t, path, "V\t27") },
		"empty": func(path string) { rewrite(t, path, "") },
	} {
		path := write(t, entry('V', "10"))
		f := believing(t, path)
		replace(t, path, entry('R', "10"))
		put(path)
		remember(t, f, true)
		replace(t, path, entry('V', "10"))
		if got := said(f.Lookup(octets(t, "10"))); got != isValid {
			t.Errorf("%s: remembered as %q", name, got)
		}
	}
}

// FuzzBelieved: whatever the file holds, a look-up says what the index says, which is what
// was remembered of it, or that nobody can tell.
func FuzzBelieved(f *testing.F) {
	path := write(f, string(everyKind(60)))
	looker := believing(f, path)
	whole, err := os.ReadFile(looker.Believed.File(path))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole, []byte{0x10, 1})
	for i := range 16 {
		flipped := bytes.Clone(whole)
		flipped[i*len(whole)/16] ^= 1 << (i % 8)
		f.Add(flipped, []byte{0x10, byte(i)})
		f.Add(whole[:i*len(whole)/16], []byte{0x11, byte(i)})
	}
	scan := file(path)
	f.Fuzz(func(t *testing.T, data, serial []byte) {
		if len(serial) == 0 {
			return
		}
		if err := os.WriteFile(looker.Believed.File(path), data, 0o600); err != nil {
			t.Fatal(err)
		}
		got, want := said(looker.Lookup(serial)), said(scan.Lookup(serial))
		if doubtful := strings.HasPrefix(got, "doubt") && !strings.HasPrefix(want, "R"); got != want && (!doubtful || bytes.Equal(data, whole)) {
			t.Fatalf("%X: %s, want %s", serial, got, want)
		}
	})
}
