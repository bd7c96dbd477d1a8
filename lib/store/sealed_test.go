package store_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"ocspcgi/lib/store"
)

func TestSealed(t *testing.T) {
	dir := &store.Directory{Path: t.TempDir()}
	mine := &store.Sealed{Directory: dir, Secret: [32]byte{1}}
	for _, name := range []string{"a", "b"} {
		if err := mine.Put([]byte(name), []byte("value of "+name)); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := mine.Get([]byte("a")); err != nil || string(got) != "value of a" {
		t.Fatalf("%q, %v", got, err)
	}
	other := &store.Sealed{Directory: dir, Secret: [32]byte{2}}
	if got, err := other.Get([]byte("a")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("another secret reads %q, %v", got, err)
	}
	files, err := filepath.Glob(filepath.Join(dir.Path, "*", "*"))
	if err != nil || len(files) != 2 {
		t.Fatal(files, err)
	}
	// Names are digests: swap what both files hold, then cut them.
	for _, change := range []func(a, b []byte) ([]byte, []byte){
		func(a, b []byte) ([]byte, []byte) { return b, a },
		func(a, b []byte) ([]byte, []byte) { return a[:len(a)-1], b[:5] },
		func(a, b []byte) ([]byte, []byte) { return append(a, 'x'), nil },
	} {
		var data [2][]byte
		for i, file := range files {
			if data[i], err = os.ReadFile(file); err != nil {
				t.Fatal(err)
			}
		}
		a, b := change(data[0], data[1])
		for i, text := range [][]byte{a, b} {
			if err := os.WriteFile(files[i], text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"a", "b"} {
			if got, err := mine.Get([]byte(name)); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("believed: %q, %v", got, err)
			}
		}
		for i, file := range files {
			if err := os.WriteFile(file, data[i], 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}
