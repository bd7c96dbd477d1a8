package index_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"ocspcgi/lib/index"
)

// TestLasting has indexes follow one another, for who stays and for who comes and goes:
// what one of them has said of a serial counts until the last of its rows is past, and
// what was issued in one is never unknown.
func TestLasting(t *testing.T) {
	const (
		pastRevoked = "R\t251119120000Z\t241120120000Z,keyCompromise\t10\tunknown\t/CN=a\n"
		pastValid   = "V\t251119120000Z\t\t10\tunknown\t/CN=a\n"
		undated     = "V\tx\t\t10\tunknown\t/CN=a\n"
	)
	valid, third := entry('V', "10"), entry('V', "11")
	for _, c := range []struct {
		name  string
		texts []string
		want  []string // first letters of what is said of 10
	}{
		{"revoked and past, and valid; vanishes, and comes back",
			[]string{pastRevoked + valid, "", valid}, []string{"R", "R", "R"}},
		{"the same the other way round",
			[]string{valid + pastRevoked, "", valid}, []string{"R", "R", "R"}},
		{"without a date beside it",
			[]string{pastRevoked + undated, "", valid}, []string{"R", "R", "R"}},
		{"is valid only, vanishes, and comes back",
			[]string{pastRevoked + valid, valid, "", valid}, []string{"R", "R", "R", "R"}},
		{"in an index that has forgotten another one",
			[]string{third, pastRevoked + valid, third, third + valid}, []string{"not found", "R", "R", "R"}},
		{"and in one that has not that row",
			[]string{third + pastRevoked, pastRevoked + valid, third, third + valid}, []string{"R", "R", "R", "R"}},
		{"past in an index that has forgotten another one",
			[]string{third + pastRevoked + valid, pastRevoked, "", valid}, []string{"R", "R", "R", "R"}},
		{"all of it past",
			[]string{pastRevoked, "", valid}, []string{"R", "not found", "V"}},

		{"issued in an index that has forgotten another one",
			[]string{third, valid, third}, []string{"not found", "V", "doubt"}},
		{"issued in one that has freed another one, and then there",
			[]string{entry('R', "11"), third + valid, entry('R', "11"), entry('R', "11") + valid}, []string{"not found", "V", "doubt", "V"}},
		{"issued, and still not there when another one is",
			[]string{third, valid, third, third + entry('V', "12")}, []string{"not found", "V", "doubt", "doubt"}},
		{"issued twice, in two of them",
			[]string{third, valid, entry('V', "12"), third}, []string{"not found", "V", "doubt", "doubt"}},
		{"issued and past in it",
			[]string{third, pastValid, third}, []string{"not found", "V", "not found"}},
		{"issued and past in it, and once more",
			[]string{third, pastValid + valid, third}, []string{"not found", "V", "doubt"}},
		{"issued in one that is cut off",
			[]string{third, valid + "V\t27", third}, []string{"not found", "doubt", "not found"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := write(t, other+c.texts[0])
			l, f := live(t, path), believing(t, path)
			for i, text := range c.texts {
				replace(t, path, other+text)
				l.Reload(false)
				if got := said(l.Lookup(octets(t, "10"))); !strings.HasPrefix(got, c.want[i]) {
					t.Errorf("%d: who stays says %q, want %q", i, got, c.want[i])
				}
				one := &index.File{Path: path, Now: f.Now, Wait: f.Wait, Believed: f.Believed}
				if got := said(one.Lookup(octets(t, "10"))); !strings.HasPrefix(got, c.want[i]) {
					t.Errorf("%d: who comes and goes says %q, want %q", i, got, c.want[i])
				}
				one.Remember() // which says what has been forgotten
			}
		})
	}
}

// What was issued in a file that was not believed is named once that is gone, keeps none
// from being believed, and ends on SIGHUP or when it is past.
func TestIssuedElsewhere(t *testing.T) {
	for _, c := range []struct {
		name string
		ends func(path string, l *index.Live)
	}{
		{"SIGHUP", func(_ string, l *index.Live) { l.Reload(true) }},
		{"the time", func(path string, l *index.Live) {
			l.Now = func() time.Time { return now.AddDate(2, 0, 0) }
			if err := os.Chtimes(path, now, now); err != nil {
				t.Fatal(err)
			}
			l.Reload(false)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := entry('V', "11")
			path := write(t, before)
			l := live(t, path)
			replace(t, path, entry('V', "10"))
			if r := l.Reload(false); r.Believed || r.Count != 1 {
				t.Errorf("report is %+v", r)
			}
			replace(t, path, before)
			const want = "serials in doubt, that only files had which were not believed: 1; one is 10"
			r := l.Reload(false)
			if !r.Believed || r.Err != nil || r.Count != 1 || r.Faults[0].Text != want {
				t.Errorf("report is %+v", r)
			}
			if got := said(l.Lookup(octets(t, "10"))); got != "doubt" {
				t.Errorf("says %q", got)
			}
			c.ends(path, l)
			if got := said(l.Lookup(octets(t, "10"))); got != "not found" {
				t.Errorf("says %q", got)
			}
			if r := l.Report(); !r.Believed || r.Count != 0 {
				t.Errorf("report is %+v", r)
			}
		})
	}
}

// More rows of one serial than a page has are remembered as one.
func TestBelievedOfOne(t *testing.T) {
	path := write(t, other+strings.Repeat(entry('R', "10"), 1000)+strings.Repeat(entry('V', "10"), 1000))
	f := believing(t, path)
	replace(t, path, other+entry('V', "10"))
	if got := said(f.Lookup(octets(t, "10"))); !strings.HasPrefix(got, "R") {
		t.Errorf("says %q", got)
	}
	if info, err := os.Stat(f.Believed.File(path)); err != nil || info.Size() > 1<<13 {
		t.Errorf("%v, %v", info, err)
	}
}
