package index_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"ocspcgi/lib/index"
)

// Progress ends with all of the file, and tells of no more than that.
func TestProgress(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index.txt")
	row := "V\t460101000000Z\t\t1000\tunknown\t/CN=" + strings.Repeat("x", 1000) + "\n"
	if err := os.WriteFile(path, []byte(strings.Repeat(row, 5000)), 0o644); err != nil {
		t.Fatal(err)
	}
	size := int64(len(row) * 5000)
	var mu sync.Mutex
	var most int64
	calls := 0
	live := &index.Live{Path: path, Progress: func(read, of int64) {
		mu.Lock()
		defer mu.Unlock()
		if calls++; of != size || read > of || read <= 0 {
			t.Errorf("%d of %d, not of %d", read, of, size)
		}
		most = max(most, read)
	}}
	if report := live.Reload(false); report.Rows == 0 || report.Took <= 0 {
		t.Errorf("%+v", report)
	}
	if most != size || calls < 5 {
		t.Errorf("told %d times, up to %d of %d", calls, most, size)
	}
}
