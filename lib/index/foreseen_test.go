package index_test

import (
	"strings"
	"testing"
)

// What is revoked in a file that stands still stands from when it is foreseen, also
// where a file that moved had it before, or where it was on hold.
func TestForeseenStands(t *testing.T) {
	other := entry('V', "AA") + entry('V', "AB")
	for name, before := range map[string]string{"moved": entry('V', "10"), "on hold": entry('H', "10")} {
		t.Run(name, func(t *testing.T) {
			path := write(t, before+other)
			l := live(t, path)
			is := func(when string) {
				t.Helper()
				if got := said(l.Lookup(octets(t, "10"))); !strings.HasPrefix(got, "R") {
					t.Errorf("%s: says %q", when, got)
				}
			}
			if name == "moved" {
				replace(t, path, entry('R', "10")+entry('V', "AA"))
				l.Progress = func(int64, int64) { age(t, path, 0) }
				if r := l.Reload(false); r.Believed {
					t.Fatalf("report is %+v", r)
				}
				is("revoked in a file that moves")
				l.Progress = nil
			}
			replace(t, path, entry('R', "10")+other)
			l.Foresee()
			is("foreseen")
			replace(t, path, entry('V', "10")+other)
			if r := l.Reload(false); r.Believed {
				t.Errorf("report is %+v", r)
			}
			is("valid again, or not written as far")
		})
	}
}
