package index_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ocspcgi/lib/index"
)

// Every line that has a row is shown as it stands, and no other.
func TestEveryRow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index.txt")
	text := "\ufeff# by hand\n" +
		"V\t300101000000Z\t\t01\tunknown\t/CN=a\n\n" +
		"R\t500101000000Z\t260101000000Z,superseded\t02\tunknown\t/CN=b\r\n" +
		"V\t300101000000Z\t\tzz\tunknown\t/CN=c\n" +
		strings.Repeat("x", 200_000) + "\n" +
		"E\t20600101000000Z\t\t03"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var got []string
	read := func(r *index.Row) bool {
		got = append(got, fmt.Sprintf("%d %d %v %q %q %x %c %d", r.Line, r.Columns, r.CR, r.Expiry, r.Date, r.Serial, max(r.Status, ' '), r.Expires.Year()))
		return r.Line < 99
	}
	if err := index.Rows(path, read); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`2 6 false "300101000000Z" "" 01 V 2030`,
		`4 6 true "500101000000Z" "260101000000Z,superseded" 02 R 1950`,
		`5 6 false "" ""    1`,
		`6 1 false "" ""    1`,
		`7 4 false "20600101000000Z" "" 03 E 2060`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	got = nil
	if err := index.Rows(path, func(*index.Row) bool { got = append(got, ""); return false }); err != nil || len(got) != 1 {
		t.Errorf("after no: %d rows, %v", len(got), err)
	}
	if err := index.Rows(path+"x", read); !os.IsNotExist(err) {
		t.Error(err)
	}
}

// FuzzRows: every row that is shown as one is found by its number.
func FuzzRows(f *testing.F) {
	for _, text := range seeds {
		f.Add([]byte(text))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(dir, fmt.Sprintf("rows.%d", os.Getpid()))
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		table, err := index.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		lines := 0
		err = index.Rows(path, func(r *index.Row) bool {
			if r.Line <= lines {
				t.Errorf("line %d after %d", r.Line, lines)
			}
			lines = r.Line
			if r.Serial == nil || r.Status == 0 {
				return true
			}
			entry, err := table.Lookup(r.Serial)
			if errors.Is(err, index.ErrNotFound) {
				t.Errorf("line %d, serial %x: not found in %q", r.Line, r.Serial, text)
			}
			if r.Status == index.Revoked && err == nil && entry.Status != index.Revoked {
				t.Errorf("line %d, serial %x: %c in %q", r.Line, r.Serial, entry.Status, text)
			}
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
