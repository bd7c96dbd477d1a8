package reload

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"ocspcgi/lib/index"
)

// What panics while somebody waits for a look is a panic of his, not of the process.
func TestLookThatPanics(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index.txt")
	put := func() {
		t.Helper()
		if err := os.WriteFile(path+".new", nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	f := &fresh{Live: &index.Live{Path: path}, read: func() { panic("in reading") }}
	put()
	f.lookFor(time.Minute)
	aside, err := os.Open(path) // so that its place is another file's
	if err != nil {
		t.Fatal(err)
	}
	defer aside.Close()
	put()
	defer func() {
		if p := recover(); p != "in reading" {
			t.Errorf("panics with %v", p)
		}
	}()
	f.lookFor(time.Minute)
}
