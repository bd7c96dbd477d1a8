package index_test

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"ocspcgi/lib/index"
)

// entry makes a row. Its type is V, R, E, H (on hold) or any other letter; past
// rows have expired.
func entry(kind byte, serial string) string {
	expiry, revoked := "271119120000Z", ""
	switch kind {
	case 'R':
		revoked = "261119120000Z"
	case 'H':
		kind, revoked = 'R', "261119120000Z,certificateHold"
	case 'E':
		expiry = "251119120000Z"
	}
	return fmt.Sprintf("%c\t%s\t%s\t%s\tunknown\t/CN=a\n", kind, expiry, revoked, serial)
}

// replace writes a file as `openssl ca` does.
func replace(t testing.TB, path, text string) {
	t.Helper()
	rewrite(t, path+".new", text)
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// replaced are files that take the place of one that is believed.
var replaced = []struct {
	name, old, newer string
	believed         bool
	want             string // first letters of what is said of 10
}{
	{"the same", entry('V', "10"), entry('V', "10"), true, "V"},
	{"issued", "", entry('V', "10"), true, "V"},
	{"revoked", entry('V', "10"), entry('R', "10"), true, "R"},
	{"on hold", entry('V', "10"), entry('H', "10"), true, "R"},
	{"off hold", entry('H', "10"), entry('V', "10"), true, "V"},
	{"expired", entry('V', "10"), entry('E', "10"), true, "E"},
	{"expired and gone", entry('E', "10"), "", true, "not found"},
	{"past its date and gone", "V\t251119120000Z\t\t10\tunknown\t/CN=a\n", "", true, "not found"},
	{"revoked, expired and gone", "R\t251119120000Z\t241119120000Z\t10\tunknown\t/CN=a\n", "", true, "not found"},
	{"written in another way", entry('V', "10"), entry('v', "0010"), true, "V"},
	{"in another order", entry('V', "10") + entry('V', "11") + entry('R', "12"), entry('R', "12") + entry('V', "11") + entry('V', "10"), true, "V"},
	{"a row before", entry('R', "10") + entry('R', "11"), entry('V', "12") + entry('R', "10") + entry('R', "11"), true, "R"},
	{"twice, one of them gone", entry('V', "10") + entry('R', "10"), entry('R', "10"), true, "R"},
	{"twice now, one of them revoked", entry('R', "10"), entry('V', "10") + entry('R', "10"), true, "R"},
	{"on hold in front of its revocation", entry('R', "10"), entry('H', "10") + entry('R', "10"), true, "R"},
	{"doubtful now", entry('V', "10"), entry('S', "10"), true, "doubt"},
	{"doubtful no more", entry('S', "10"), entry('V', "10"), true, "V"},
	{"another row unreadable", entry('V', "10"), entry('V', "10") + "V\n", true, "V"},
	{"another row unreadable, not found", "", "V\n", true, "doubt"},

	{"gone", entry('V', "10"), "", false, "V"},
	{"gone with a revocation", entry('R', "10"), "", false, "R"},
	{"gone on hold", entry('H', "10"), "", false, "R"},
	{"gone with an unreadable expiry", "V\tx\t\t10\tunknown\t/CN=a\n", "", false, "V"},
	{"doubtful and gone", entry('S', "10"), "", false, "doubt"},
	{"gone, of two rows the first past its date", "V\t251119120000Z\t\t10\tunknown\t/CN=a\n" + entry('V', "10"), "", false, "V"},
	{"gone, of two rows the second past its date", entry('V', "10") + "V\t251119120000Z\t\t10\tunknown\t/CN=a\n", "", false, "V"},
	{"valid again, on hold and revoked", entry('H', "10") + entry('R', "10"), entry('V', "10"), false, "R"},
	{"valid again, revoked and on hold", entry('R', "10") + entry('H', "10"), entry('V', "10"), false, "R"},
	{"valid again", entry('R', "10"), entry('V', "10"), false, "R"},
	{"on hold instead of revoked", entry('R', "10"), entry('H', "10"), false, "R"},
	{"expired instead of revoked", entry('R', "10"), entry('E', "10"), false, "R"},
	{"doubtful instead of revoked", entry('R', "10"), entry('S', "10"), false, "R"},
	{"another one gone", entry('V', "10") + entry('V', "11"), entry('V', "10"), false, "V"},
	{"another one gone, revoked", entry('V', "10") + entry('V', "11"), entry('R', "10"), false, "R"},
	{"another one gone, on hold", entry('V', "10") + entry('V', "11"), entry('H', "10"), false, "R"},
	{"another one gone, off hold", entry('H', "10") + entry('V', "11"), entry('V', "10"), false, "R"},
	{"another one gone, issued", entry('V', "11"), entry('V', "10"), false, "V"},
	{"another one gone, issued and revoked", entry('V', "11"), entry('R', "10"), false, "R"},
	{"another one gone, doubtful", entry('V', "10") + entry('V', "11"), entry('S', "10"), false, "doubt"},
	{"another one gone, not found", entry('V', "11"), "", false, "not found"},
	{"another one gone, a row unreadable", entry('V', "11"), "V\n", false, "doubt"},
	{"another one gone, a row unreadable, valid", entry('V', "10") + entry('V', "11"), entry('V', "10") + "V\n", false, "V"},
	{"another one valid again, issued", entry('R', "11"), entry('V', "11") + entry('V', "10"), false, "V"},

	{"torn, the same", entry('V', "10"), entry('V', "10") + "V\t27", false, "V"},
	{"torn, revoked", entry('V', "10"), entry('R', "10") + "V\t27", false, "R"},
	{"torn within the row that revokes", entry('V', "10"), strings.TrimSuffix(entry('R', "10"), "own\t/CN=a\n"), false, "R"},
	{"torn within its serial", entry('V', "100"), "R\t271119120000Z\t261119120000Z\t10", false, "doubt"},
	{"torn, gone", entry('V', "10"), "V\t27", false, "V"},
	{"torn, valid again", entry('R', "10"), entry('V', "10") + "V\t27", false, "R"},
	{"torn, issued", "", entry('V', "10") + "V\t27", false, "doubt"},
	{"torn, issued and revoked", "", entry('R', "10") + "V\t27", false, "R"},
	{"torn, not found", "", "V\t27", false, "doubt"},
}

// other is a row that was there all the time.
const other = "V\t271119120000Z\t\tAA\tunknown\t/CN=other\n"

// TestBelief replaces a file that is believed by another one.
func TestBelief(t *testing.T) {
	for _, c := range replaced {
		t.Run(c.name, func(t *testing.T) {
			path := write(t, other+c.old)
			l := live(t, path)
			replace(t, path, other+c.newer)
			r := l.Reload(false)
			if r.Believed != c.believed || !r.Changed || (r.Err == nil) != c.believed {
				t.Errorf("report is %+v", r)
			}
			if got := said(l.Lookup(octets(t, "10"))); !strings.HasPrefix(got, c.want) {
				t.Errorf("says %q, want %q", got, c.want)
			}
			if got := said(l.Lookup(octets(t, "AA"))); got != isValid {
				t.Errorf("says %q of a row that was there all the time", got)
			}
			if r := l.Reload(false); r.Changed || r.Believed != c.believed {
				t.Errorf("second report is %+v", r)
			}

			// With SIGHUP, a whole file is believed as it is.
			torn := strings.HasPrefix(c.name, "torn")
			if r := l.Reload(true); r.Believed == torn {
				t.Errorf("report of SIGHUP is %+v", r)
			}
			if !torn {
				want := said(file(path).Lookup(octets(t, "10")))
				if got := said(l.Lookup(octets(t, "10"))); got != want {
					t.Errorf("after SIGHUP says %q, want %q", got, want)
				}
			}
		})
	}
}

// TestStanding restores an old copy of an index after a revocation that was
// only seen in a file that was not believed.
func TestStanding(t *testing.T) {
	before := entry('V', "10") + entry('V', "11")
	for name, between := range map[string]string{
		"forgetful": entry('R', "10"),
		"torn":      entry('R', "10") + "V\t27",
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, before)
			l := live(t, path)
			is := func(when, want string) {
				t.Helper()
				if got := said(l.Lookup(octets(t, "10"))); !strings.HasPrefix(got, want) {
					t.Errorf("%s: says %q, want %q", when, got, want)
				}
			}
			replace(t, path, between)
			l.Reload(false)
			is("revoked", "R")
			replace(t, path, before)
			if r := l.Reload(false); r.Believed {
				t.Errorf("report is %+v", r)
			}
			is("restored", "R")
			replace(t, path, before+"V\t27")
			l.Reload(false)
			is("restored and torn", "R")
			replace(t, path, before+entry('V', "12"))
			l.Reload(false)
			is("restored, another issued", "R")
			l.Reload(true)
			is("accepted", "V")
		})
	}
}

// TestHoldMadeFinal restores an old copy of an index after a certificate on hold was
// revoked for good, as far as anybody could see: only a hold may be released.
func TestHoldMadeFinal(t *testing.T) {
	hold, final, free, other := entry('H', "10"), entry('R', "10"), entry('V', "10"), entry('V', "11")
	for name, texts := range map[string][]string{
		"forgetful":                {hold + other, final},
		"torn":                     {hold + other, final + "V\t27"},
		"forgetful twice":          {free + other, hold, final},
		"twice, then on hold only": {free + other, final, hold},
		"two rows":                 {hold + final + other},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, texts[0])
			l := live(t, path)
			for _, text := range texts[1:] {
				replace(t, path, text)
				l.Reload(false)
			}
			replace(t, path, free+other)
			r := l.Reload(false)
			if got := said(l.Lookup(octets(t, "10"))); r.Believed || !strings.HasPrefix(got, "R") {
				t.Errorf("believed: %v; says %q", r.Believed, got)
			}
		})
	}
}

// TestConcurrent replaces the index under look-ups: of a revoked serial nothing
// else is ever said.
func TestConcurrent(t *testing.T) {
	path := write(t, entry('R', "10")+entry('V', "11"))
	l := live(t, path)
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if e, err := l.Lookup([]byte{0x10}); err != nil || e.Status != index.Revoked {
					t.Error(said(e, err))
					return
				}
				if e, err := l.Lookup([]byte{0x11}); err != nil || e.Status != index.Valid {
					t.Error(said(e, err))
					return
				}
			}
		})
	}
	wg.Go(func() {
		for range 200 {
			l.Reload(false)
		}
	})
	for i := range 200 {
		text := entry('R', "10") + entry('V', "11")
		switch i % 4 {
		case 1:
			text = entry('V', "10")
		case 2:
			text = text[:len(text)-i%20]
		case 3:
			text += strings.Repeat(entry('V', fmt.Sprintf("%X", 0x1000+i)), 100)
		}
		replace(t, path, text)
		l.Reload(false)
	}
	close(done)
	wg.Wait()
}

func TestAllocations(t *testing.T) {
	l := live(t, write(t, valid+good+entry('S', "20")+"R\tx\tx,holdInstruction,1.2.3\t21\tunknown\t/CN=a\n"))
	for _, serial := range []string{"1000", "AAAA", "1001", "20", "21"} {
		key := octets(t, serial)
		if n := testing.AllocsPerRun(100, func() { _, _ = l.Lookup(key) }); n != 0 {
			t.Errorf("look-up of %s allocates %v times", serial, n)
		}
	}
}

// An epoch lasts as long as what is answered does.
func TestEpoch(t *testing.T) {
	l := &index.Live{Path: write(t, entry('V', "10"))}
	if g := l.Epoch(time.Time{}); g != 0 {
		t.Errorf("%d before anything was read", g)
	}
	last := uint64(0)
	for _, step := range []struct {
		name, text string
		accept     bool
	}{
		{"read", "", false},
		{"revoked", entry('R', "10"), false},
		{"not believed: forgotten", entry('V', "11"), false},
		{"not believed: torn", entry('V', "11") + "V\t2711", false},
		{"accepted", entry('V', "11"), true},
	} {
		if step.text != "" {
			replace(t, l.Path, step.text)
		}
		l.Reload(step.accept)
		if g := l.Epoch(time.Time{}); g <= last {
			t.Errorf("%s: %d, before %d", step.name, g, last)
		} else {
			last = g
		}
	}
	if l.Reload(false); l.Epoch(time.Time{}) != last {
		t.Error("another epoch without a change")
	}
}
