package index_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"ocspcgi/lib/index"
)

func TestRevoked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index.txt")
	live := &index.Live{Path: path}
	live.Revoked(func([]byte, int, index.Entry) bool {
		t.Error("a row of an index that was not read")
		return true
	})
	rows := "V\t460101000000Z\t\t1000\tunknown\t/CN=a\n" +
		"R\t460101000000Z\t260301120000Z,superseded\t1001\tunknown\t/CN=b\n" +
		"E\t260101000000Z\t\t1002\tunknown\t/CN=c\n" +
		"R\t460101000000Z\t260301120000Z\t1003\tunknown\t/CN=d\n"
	if err := os.WriteFile(path, []byte(rows), 0o600); err != nil {
		t.Fatal(err)
	}
	if report := live.Reload(true); report.Err != nil {
		t.Fatal(report.Err)
	}
	var got []string
	live.Revoked(func(serial []byte, line int, e index.Entry) bool {
		got = append(got, fmt.Sprintf("%x %d %d", serial, line, e.Reason))
		return true
	})
	if want := []string{"1001 2 4", "1003 4 -1"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	count := 0
	live.Revoked(func([]byte, int, index.Entry) bool {
		count++
		return false
	})
	if count != 1 {
		t.Errorf("%d rows after the first said no", count)
	}
}
