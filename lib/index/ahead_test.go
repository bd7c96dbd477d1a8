package index

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// TestAhead sees each new revocation of a file answered before it is read, and
// nothing else of it.
func TestAhead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index.txt")
	row := func(kind string, serial int) string {
		if kind != "V" {
			return fmt.Sprintf("%s\t491119120000Z\t261119120000Z,superseded\t%04X\tunknown\t/CN=a\n", kind, serial)
		}
		return fmt.Sprintf("V\t491119120000Z\t\t%04X\tunknown\t/CN=a\n", serial)
	}
	put := func(text string) *source {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := open(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.file.Close() })
		return s
	}
	var before, after bytes.Buffer
	for i := range 40_000 { // blocks of the scan
		before.WriteString(row("V", 0x1000+i))
		kind := "V"
		switch {
		case i == 0, i == 39_999, i%1000 == 7:
			kind = "R"
		case i%1000 == 8:
			kind = "r"
		}
		after.WriteString(row(kind, 0x1000+i))
	}
	put(before.String())
	l := &Live{Path: path}
	if report := l.Reload(true); !report.Believed {
		t.Fatal(report.Err)
	}
	epoch := l.Epoch(l.now())
	whole := after.String()
	s := put(whole + row("V", 0xf000) + row("R", 0xf001) + "R\t491119120000Z\t261119120000Z\tF002\tunk")
	l.ahead(s)
	for i := range 40_000 {
		want := Valid
		if i == 0 || i == 39_999 || i%1000 == 7 || i%1000 == 8 {
			want = Revoked
		}
		if e, err := l.Lookup([]byte{0, byte((0x1000 + i) >> 8), byte(0x1000 + i)}); err != nil || e.Status != want {
			t.Fatalf("%X is %v (%v), want %v", 0x1000+i, e, err, want)
		}
	}
	for serial, want := range map[int]string{0xf000: "not found", 0xf001: "R", 0xf002: "R", 0xf003: "not found"} {
		e, err := l.Lookup([]byte{0, byte(serial >> 8), byte(serial)})
		if got := string(rune(e.Status)); err == nil && got != want || err != nil && (err != ErrNotFound || want != "not found") {
			t.Errorf("%X: %v, %v; want %s", serial, e, err, want)
		}
	}
	if l.Epoch(l.now()) == epoch {
		t.Error("kept answers do not notice")
	}
	put(whole)
	if report := l.Reload(false); report.Believed {
		t.Error("a file is believed that has forgotten revocations seen ahead")
	}
	if report := l.Reload(true); !report.Believed {
		t.Error(report.Err)
	}
}
