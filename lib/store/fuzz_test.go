package store_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"ocspcgi/lib/store"
)

// sealedFiles has values kept under name, and returns the one file, what it held
// with each of them, and what may become of that.
func sealedFiles(f *testing.F, s *store.Sealed, name []byte) (path string, whole, broken [][]byte) {
	f.Helper()
	for _, value := range [][]byte{nil, {0x30, 3, 10, 1, 6}, bytes.Repeat([]byte{0x30}, 2000), []byte("value")} {
		if err := s.Put(name, value); err != nil {
			f.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(s.Directory.Path, "*", "*"))
		if err != nil || len(files) != 1 {
			f.Fatal(files, err)
		}
		data, err := os.ReadFile(files[0])
		if err != nil {
			f.Fatal(err)
		}
		flipped, moved := bytes.Clone(data), append(bytes.Clone(data[1:]), data[0])
		flipped[len(data)/2] ^= 1
		path, whole = files[0], append(whole, data)
		broken = append(broken, data[:len(data)-1], data[:16], data[32:], flipped, moved, append(bytes.Clone(data), 0))
	}
	return path, whole, broken
}

// FuzzSealed: what a file holds is believed as it was written, and no other way.
func FuzzSealed(f *testing.F) {
	s := &store.Sealed{Directory: &store.Directory{Path: f.TempDir()}, Secret: [32]byte{1, 2, 3}}
	name := []byte("\x30\x3d\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00")
	path, whole, broken := sealedFiles(f, s, name)
	written := map[string]bool{}
	for _, data := range whole {
		f.Add(data)
		written[string(data)] = true
	}
	for _, data := range broken {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := s.Get(name)
		switch {
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			t.Fatal(err)
		case (err == nil) != written[string(data)]:
			t.Fatalf("%x holds %x, %v", data, got, err)
		}
		if err := s.Put(name, data); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Get(name); err != nil || !bytes.Equal(got, data) {
			t.Fatalf("%x comes back as %x, %v", data, got, err)
		}
	})
}
