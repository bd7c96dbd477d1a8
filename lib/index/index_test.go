package index_test

import (
	"encoding/hex"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ocspcgi/lib/index"
)

// now is the clock of the tests: files are written an hour before.
var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return now }

// write makes an index that was written an hour ago.
func write(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "index.txt")
	rewrite(t, path, text)
	return path
}

func rewrite(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	age(t, path, time.Hour)
}

// age makes a file as old as that for the clock of the tests.
func age(t testing.TB, path string, d time.Duration) {
	t.Helper()
	if err := os.Chtimes(path, now.Add(-d), now.Add(-d)); err != nil {
		t.Fatal(err)
	}
}

// octets are those of a serial as a look-up has it.
func octets(t testing.TB, text string) []byte {
	t.Helper()
	n, ok := new(big.Int).SetString(text, 16)
	if !ok {
		t.Fatalf("%q is no number", text)
	}
	if n.Sign() >= 0 {
		return n.FillBytes(make([]byte, n.BitLen()/8+1))
	}
	size := uint(new(big.Int).Not(n).BitLen()/8 + 1)
	return n.Add(n, new(big.Int).Lsh(big.NewInt(1), 8*size)).FillBytes(make([]byte, size))
}

// file looks up with a clock and without waiting.
func file(path string) *index.File {
	return &index.File{Path: path, Now: clock, Wait: func(time.Duration) {}}
}

// live is a Live that has read the file once, and does not wait either.
func live(t testing.TB, path string) *index.Live {
	t.Helper()
	l := &index.Live{Path: path, Now: clock, Wait: func(time.Duration) {}}
	l.Reload(false)
	return l
}

type lookup func(serial []byte) (index.Entry, error)

// ways are all the ways to look a serial up in a file.
func ways(t testing.TB, path string) map[string]lookup {
	t.Helper()
	table, err := index.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]lookup{"File": file(path).Lookup, "Table": table.Lookup, "Live": live(t, path).Lookup}
}

// said is what a look-up returned, in words.
func said(e index.Entry, err error) string {
	if d := (*index.DoubtError)(nil); errors.As(err, &d) {
		return "doubt"
	}
	if err != nil {
		if e != (index.Entry{}) {
			return "an entry with an error"
		}
		return map[bool]string{true: "not found"}[errors.Is(err, index.ErrNotFound)]
	}
	words := []string{string(rune(e.Status))}
	if !e.Expires.IsZero() {
		words = append(words, "to "+e.Expires.Format(time.RFC3339))
	}
	if !e.Revoked.IsZero() {
		words = append(words, "on "+e.Revoked.Format(time.RFC3339))
	}
	if e.Reason >= 0 {
		words = append(words, "for "+big.NewInt(int64(e.Reason)).String())
	}
	if e.Hold != "" {
		words = append(words, "hold "+e.Hold)
	}
	if !e.Invalid.IsZero() {
		words = append(words, "since "+e.Invalid.Format(time.RFC3339))
	}
	return strings.Join(words, " ")
}

func TestOctets(t *testing.T) {
	for text, want := range map[string]string{
		"0": "00", "7f": "7f", "80": "0080", "9f": "009f", "1000": "1000", "ffff": "00ffff",
		"-1": "ff", "-5": "fb", "-80": "80", "-81": "ff7f",
	} {
		if got := hex.EncodeToString(octets(t, text)); got != want {
			t.Errorf("octets of %s are %s, want %s", text, got, want)
		}
	}
}
