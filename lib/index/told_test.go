package index_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

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

// A file that is torn is told of once, though it is read twice while it is young.
func TestTornIsToldOnce(t *testing.T) {
	at := time.Now()
	live := &index.Live{Path: filepath.Join(t.TempDir(), "index.txt"), Now: func() time.Time { return at }}
	replace(t, live.Path, entry('V', "10"))
	live.Reload(false)
	torn := entry('V', "10") + "R\t"
	if err := os.WriteFile(live.Path, []byte(torn), 0o644); err != nil {
		t.Fatal(err)
	}
	for i, changed := range []bool{true, false, false} {
		if r := live.Reload(false); r.Believed || r.Changed != changed {
			t.Errorf("look %d: %+v", i, r)
		}
		at = at.Add(3 * time.Second) // a young file is read again once its stamp tells the next change
	}
	if err := os.WriteFile(live.Path, []byte(torn+"x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if r := live.Reload(false); r.Believed || !r.Changed {
		t.Errorf("torn elsewhere: %+v", r)
	}
}
