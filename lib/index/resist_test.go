package index

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

// Revocations that stand are kept once, however often a file is not believed.
func TestStandingDoesNotGrow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index.txt")
	put := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	row := func(revoked string, serial int) string {
		if revoked != "" {
			return fmt.Sprintf("R\t491119120000Z\t%s\t%02X\tunknown\t/CN=a\n", revoked, serial)
		}
		return fmt.Sprintf("V\t491119120000Z\t\t%02X\tunknown\t/CN=a\n", serial)
	}
	const hold, final = "261119120000Z,certificateHold", "261119120000Z"
	for name, first := range map[string]string{"believed": row("", 1) + row("", 2) + row("", 3), "nothing believed": "V"} {
		put(first)
		l := &Live{Path: path}
		l.Reload(false)
		rows := row(hold, 2) + row(hold, 3) + row(final, 3) // 1 is forgotten
		for i := range 20 {
			if i == 5 {
				rows = row(final, 2) + rows
			}
			put(rows + fmt.Sprintf("# %d\nV", i))
			if report := l.Reload(false); report.Believed {
				t.Fatal("believed")
			}
		}
		if n := l.state.Load().standing.rows(); n > 6 {
			t.Errorf("%s: %d rows stand for two serials", name, n)
		}
	}
}

// Two indexes that are read at once leave the number of processors as it is.
func TestProcessorsStay(t *testing.T) {
	processors := runtime.GOMAXPROCS(0)
	var both sync.WaitGroup
	for range 2 {
		path := filepath.Join(t.TempDir(), "index.txt")
		both.Go(func() {
			var text bytes.Buffer
			for i := range 25_000 {
				fmt.Fprintf(&text, "R\t491119120000Z\t261119120000Z\t%06X\tunknown\t/CN=a\n", i)
			}
			text.WriteString("V") // torn
			for range 20 {
				if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
					t.Error(err)
				}
				(&Live{Path: path}).Reload(false)
			}
		})
	}
	both.Wait()
	if n := runtime.GOMAXPROCS(0); n != processors {
		runtime.GOMAXPROCS(processors)
		t.Errorf("%d processors, there were %d", n, processors)
	}
}
