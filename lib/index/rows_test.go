package index_test

import (
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
	text := "# by hand\n" +
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
