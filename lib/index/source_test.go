package index

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestStill changes a file between its opening and the end of its scan.
func TestStill(t *testing.T) {
	const row = "V\t271119120000Z\t\t10\tunknown\t/CN=a\n"
	for name, change := range map[string]func(path string) error{
		"untouched": func(string) error { return nil },
		"written":   func(path string) error { return os.WriteFile(path, []byte(row+row), 0o600) },
		"touched":   func(path string) error { return os.Chtimes(path, time.Unix(1, 0), time.Unix(1, 0)) },
		"cut":       func(path string) error { return os.Truncate(path, 3) },
		"emptied":   func(path string) error { return os.Truncate(path, 0) },
		"gone":      os.Remove,
		"replaced": func(path string) error {
			if err := os.WriteFile(path+".new", []byte(row), 0o600); err != nil {
				return err
			}
			return os.Rename(path+".new", path)
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "index.txt")
			if err := os.WriteFile(path, []byte(row), 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer s.file.Close()
			if err := change(path); err != nil {
				t.Fatal(err)
			}
			want := name == "untouched"
			if r := s.load(time.Time{}); r.still != want || (r.table.whole == nil) != want {
				t.Errorf("still is %v, doubt is %v", r.still, r.table.whole)
			}
			if found, whole := s.find([]byte{0x10}); (found.doubt == nil) != want || (whole == nil) != want {
				t.Errorf("found %+v, doubt is %v", found, whole)
			}
		})
	}
}

// TestShort reads a file that ends before it should, behind each of its rows: whoever
// reads sees that by itself, for a file system over a network may tell of the size that
// there was for seconds.
func TestShort(t *testing.T) {
	const line, rows = "V\t271119120000Z\t\t10\tunknown\t/CN=a\n", 10
	for _, size := range []int64{16, int64(len(line)), 50, 100, blockSize} {
		for n := range rows + 1 {
			path := filepath.Join(t.TempDir(), "index.txt")
			if err := os.WriteFile(path, []byte(strings.Repeat(line, rows)), 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer s.file.Close()
			s.crew.size, s.blockSize = 1, size
			if err := os.Truncate(path, int64(n*len(line))); err != nil {
				t.Fatal(err)
			}
			torn, found := false, 0
			err = s.scan(func(b *block) bool {
				torn = torn || b.torn
				for r := (row{}); b.next(&r); found++ {
				}
				return false
			})
			if err != nil || torn != (n < rows) || found != n {
				t.Errorf("%d rows of %d, %d bytes at a time: torn is %v, %d rows are found, %v", n, rows, size, torn, found, err)
			}
		}
	}
}
