package index_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ocspcgi/lib/index"
)

// believing is a File that remembers what is at path now.
func believing(t testing.TB, path string) *index.File {
	t.Helper()
	f := file(path)
	f.Believed = &index.Believed{Dir: filepath.Join(t.TempDir(), "not", "there", "yet"), Secret: [32]byte{7}}
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
// as who stays, but for what is valid in a file that is cut off.
func TestBelieved(t *testing.T) {
	for _, c := range replaced {
		t.Run(c.name, func(t *testing.T) {
			path := write(t, other+c.old)
			f := believing(t, path)
			replace(t, path, other+c.newer)
			torn := strings.HasPrefix(c.name, "torn")
			want, always := c.want, isValid
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
	is("R", "V", "R") // no release is believed of a file that has forgotten 11
	remember(t, f, false)
	is("R", "V", "R")
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
		for i := 0x0ff0; i < 0x1000+n+20; i += 7 {
			serial := []byte{byte(i >> 8), byte(i)}
			want := said(file(all).Lookup(serial))
			if got := said(f.Lookup(serial)); got != want {
				t.Fatalf("of %X it says %q, want %q", serial, got, want)
			}
		}
	}
}

// TestBelievedAlone damages what is remembered: then the index alone is asked, and it is
// remembered anew.
func TestBelievedAlone(t *testing.T) {
	path := write(t, entry('R', "10"))
	f := believing(t, path)
	whole, err := os.ReadFile(f.Believed.File(path))
	if err != nil {
		t.Fatal(err)
	}
	replace(t, path, entry('V', "10"))
	ask := func(what, want string) {
		t.Helper()
		if got := said(f.Lookup(octets(t, "10"))); !strings.HasPrefix(got, want) {
			t.Errorf("%s: says %q, want %q", what, got, want)
		}
	}
	ask("whole", "R")
	put := func(data []byte) {
		t.Helper()
		if err := os.WriteFile(f.Believed.File(path), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for i := 0; i < len(whole); i += 1 + i/64*30 {
		broken := bytes.Clone(whole)
		broken[i] ^= 0x10
		put(broken)
		ask(fmt.Sprintf("byte %d changed", i), "V")
		put(whole[:i])
		ask(fmt.Sprintf("cut at %d", i), "V")
	}
	broken := bytes.Clone(whole)
	broken[len(broken)-1] ^= 1
	put(broken)
	remember(t, f, true)
	replace(t, path, other)
	ask("damaged and remembered anew", "V")

	replace(t, path, entry('V', "10"))
	put(whole)
	f.Believed.Secret[0]++
	ask("of another secret", "V")
	remember(t, f, true)
	ask("remembered anew", "V")
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

// What nobody has renewed for months is removed once something else is remembered; what
// is not of this kind stays, and so does what is a week old, which is renewed.
func TestBelievedSweeps(t *testing.T) {
	path := write(t, entry('V', "10"))
	f := believing(t, path)
	mine, dir := f.Believed.File(path), f.Believed.Dir
	const day = 24 * time.Hour
	for name, old := range map[string]time.Duration{"believed-old": 100 * day, "believed-old.lock": 100 * day, "believed-new": 80 * day, "else": 100 * day} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		age(t, filepath.Join(dir, name), old)
	}
	age(t, mine, 8*day)
	remember(t, f, true)
	if info, err := os.Stat(mine); err != nil || now.Sub(info.ModTime()) > day {
		t.Errorf("not renewed: %v, %v", info.ModTime(), err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if want := []string{filepath.Join(dir, "believed-new"), mine, mine + ".lock", filepath.Join(dir, "else")}; err != nil || len(left) != len(want) {
		t.Errorf("there are %s, want %s", left, want)
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

// FuzzBelieved: whatever the file holds, a look-up says what the index says, or what
// was remembered of it.
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
		if got, want := said(looker.Lookup(serial)), said(scan.Lookup(serial)); got != want {
			t.Fatalf("%X: %s, want %s", serial, got, want)
		}
	})
}
