package index_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"ocspcgi/lib/index"
)

func TestReports(t *testing.T) {
	path := write(t, entry('V', "10")+"R\tx\tyesterday,aliens\t11\tunknown\t/CN=b\n\x1b[31mX\n"+entry('V', "10"))
	l := &index.Live{Path: path, Now: clock}
	if _, err := l.Lookup([]byte{0x10}); !errors.As(err, new(*index.DoubtError)) {
		t.Errorf("before Reload: %v", err)
	}
	r := l.Reload(false)
	if !r.Believed || !r.Changed || r.Err != nil || r.Rows != 3 || r.Path != path {
		t.Errorf("report is %+v", r)
	}
	var got []string
	for _, f := range r.Faults {
		got = append(got, fmt.Sprintf("%d %s", f.Line, f.Text))
		if f.Remedy == "" {
			t.Errorf("no remedy for %v", f)
		}
	}
	want := []string{
		`2 expiry cannot be read: "x"; answered without it`,
		`2 revocation date cannot be read: "yesterday"; revoked since 1970`,
		`2 revocation reason is not known: "aliens"; revoked without reason`,
		`3 fewer than 4 columns divided by TAB; no serial can be said to be missing`,
		`4 serial is in the index twice; revoked if either row is`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") || r.Count != len(want) {
		t.Errorf("faults are\n%s", strings.Join(got, "\n"))
	}

	// What was forgotten comes first, with lines.
	replace(t, path, "\n"+entry('V', "AA")+entry('V', "11"))
	r = l.Reload(false)
	got = nil
	for _, f := range r.Faults {
		got = append(got, fmt.Sprintf("%d %s", f.Line, f.Text))
	}
	want = []string{
		"0 serial 10, believed from line 1, has vanished; its old status stays",
		"3 serial 11, believed from line 2, is no longer revoked; it stays revoked",
		"0 serial 10, believed from line 4, has vanished; its old status stays",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("faults are\n%s", strings.Join(got, "\n"))
	}

	// An absent file is reported once; what was believed stays.
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	if r = l.Reload(false); !r.Changed || r.Believed || r.Err == nil {
		t.Errorf("report of an absent file is %+v", r)
	}
	if r = l.Reload(false); r.Changed || r.Err == nil {
		t.Errorf("second report of an absent file is %+v", r)
	}
	if got := said(l.Lookup(octets(t, "10"))); got != isValid {
		t.Errorf("absent: says %q", got)
	}
	if err := os.Rename(path+".old", path); err != nil {
		t.Fatal(err)
	}
	if r = l.Reload(false); !r.Changed || r.Believed {
		t.Errorf("report of a file that is back is %+v", r)
	}
}

// TestFaultsAreBounded also looks for what does not belong in a log.
func TestFaultsAreBounded(t *testing.T) {
	path := write(t, strings.Repeat("V\t\x1b[31m\x07"+strings.Repeat("ü", 1000)+"\t\t10\tunknown\t/CN=a\n", 1000))
	r := (&index.Live{Path: path, Now: clock}).Reload(false)
	if len(r.Faults) == 0 || len(r.Faults) > 100 || r.Count != 1999 {
		t.Errorf("%d faults of %d", len(r.Faults), r.Count)
	}
	for _, f := range r.Faults {
		if s := f.String(); len(s) > 500 || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("fault is %q", s)
		}
	}
}

// TestStamp tells when a file is read again.
func TestStamp(t *testing.T) {
	path := write(t, strings.Repeat("#", len(valid)-1)+"\n")
	at := now
	l := &index.Live{Path: path, Now: func() time.Time { return at }}
	read := func(when string, want bool) {
		t.Helper()
		if r := l.Reload(false); r.Changed != want {
			t.Errorf("%s: read again is %v", when, r.Changed)
		}
	}
	read("first", true)
	read("unchanged", false)
	replace(t, path, valid)
	read("replaced, size and time the same", true)

	// A file of whole seconds may have changed within its second.
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
	read("written now", true)
	at = at.Add(time.Second)
	read("a second later", false)
	at = at.Add(time.Second)
	read("two seconds later", true)
	read("settled", false)
	at = at.Add(time.Hour)
	read("an hour later", false)

	// One from the future is read once more, not for an hour.
	if err := os.Chtimes(path, at.Add(time.Hour), at.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	read("written in the future", true)
	at = at.Add(2 * time.Second)
	read("two seconds later", true)
	at = at.Add(2 * time.Second)
	read("four seconds later", false)
}

// TestDuplicates has every row twice: they are reported by their lines.
func TestDuplicates(t *testing.T) {
	const lines = 60_000
	var rows strings.Builder
	for i := range lines {
		fmt.Fprintf(&rows, "V\t271119120000Z\t\t%08X\tunknown\t/CN=filler\n", 7919*i)
	}
	r := live(t, write(t, rows.String()+rows.String())).Reload(false)
	if r.Rows != 2*lines || r.Count != lines {
		t.Errorf("%d rows, %d faults", r.Rows, r.Count)
	}
	for i, f := range r.Faults {
		if f.Line != lines+1+i {
			t.Errorf("fault %d is on line %d", i, f.Line)
		}
	}
}

// A revocation in the future is revoked now, and somebody's clock is wrong.
func TestFutureRevocation(t *testing.T) {
	later := clock().Add(48 * time.Hour).UTC().Format("060102150405Z")
	path := write(t, "R\t460101000000Z\t"+later+"\t10\tunknown\t/CN=a\n")
	l := &index.Live{Path: path, Now: clock}
	r := l.Reload(false)
	if !r.Believed || r.Count != 1 || !strings.Contains(r.Faults[0].Text, "lies in the future: \""+later) || r.Faults[0].Line != 1 {
		t.Errorf("RSP-25: report is %+v", r)
	}
	if e, err := l.Lookup([]byte{0x10}); err != nil || e.Status != index.Revoked {
		t.Errorf("RSP-25: %+v, %v", e, err)
	}
}
