package index_test

import (
	"os"
	"path/filepath"
	"testing"

	"ocspcgi/lib/index"
)

// What came of the last look at the file is told without another one.
func TestReportOfTheLastReload(t *testing.T) {
	live := &index.Live{Path: filepath.Join(t.TempDir(), "index.txt")}
	tell := func(does string, believed bool, rows int, generation uint64) {
		t.Helper()
		r := live.Report()
		if r.Path != live.Path || r.Believed != believed || r.Rows != rows || r.Generation != generation || (r.Err == nil) != believed && does != "nothing" {
			t.Errorf("%s: %+v", does, r)
		}
	}
	tell("nothing", false, 0, 0)
	replace(t, live.Path, entry('V', "10"))
	live.Reload(false)
	tell("a file", true, 1, 1)
	stat, err := os.Stat(live.Path)
	if err != nil {
		t.Fatal(err)
	}
	if r := live.Report(); !r.Modified.Equal(stat.ModTime()) {
		t.Errorf("written at %v, told as %v", stat.ModTime(), r.Modified)
	}
	live.Reload(false)
	replace(t, live.Path, entry('V', "10")+entry('R', "11"))
	live.Reload(false)
	tell("one more row", true, 2, 2)
	replace(t, live.Path, entry('V', "10"))
	live.Reload(false)
	tell("a row forgotten", false, 1, 2)
	live.Reload(true)
	tell("and accepted", true, 1, 3)
	if err := os.Remove(live.Path); err != nil {
		t.Fatal(err)
	}
	live.Reload(false)
	tell("no file", false, 1, 3)
}
