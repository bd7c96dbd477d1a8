package store_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"ocspcgi/lib/store"
)

func TestDirectoryKeeps(t *testing.T) {
	d := &store.Directory{Path: filepath.Join(t.TempDir(), "not", "there", "yet")}
	if _, err := d.Get("abcd"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of what was never put: %v", err)
	}
	for _, value := range []string{"one", "two"} {
		if err := d.Put("abcd", []byte(value)); err != nil {
			t.Fatal(err)
		}
		if got, err := d.Get("abcd"); err != nil || string(got) != value {
			t.Errorf("%q, %v; want %q", got, err, value)
		}
	}
	info, err := os.Stat(d.Path)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("others may look into %s: %v, %v", d.Path, info.Mode(), err)
	}
}

func TestDirectoryTakesFilesOnly(t *testing.T) {
	d := &store.Directory{Path: t.TempDir()}
	folder := filepath.Join(d.Path, "ab")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(t.TempDir(), "secret")
	for _, step := range []error{
		os.WriteFile(secret, []byte("secret"), 0o600),
		os.Symlink(secret, filepath.Join(folder, "ab01")),
		syscall.Mkfifo(filepath.Join(folder, "ab02"), 0o600),
		os.Mkdir(filepath.Join(folder, "ab03"), 0o700),
		os.WriteFile(filepath.Join(folder, "ab04"), make([]byte, 2<<20), 0o600),
	} {
		if step != nil {
			t.Fatal(step)
		}
	}
	for _, name := range []string{"ab01", "ab02", "ab03", "ab04"} {
		if got, err := d.Get(name); err == nil {
			t.Errorf("%s gave %d bytes", name, len(got))
		}
	}
	if err := d.Put("ab01", []byte("mine")); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(secret); err != nil || string(text) != "secret" {
		t.Errorf("a link was written through: %q, %v", text, err)
	}
}

func TestDirectorySweeps(t *testing.T) {
	now := time.Now()
	d := &store.Directory{Path: t.TempDir(), Keep: time.Hour, Now: func() time.Time { return now }}
	for _, name := range []string{"ab01", "ab02"} {
		if err := d.Put(name, []byte(name)); err != nil {
			t.Fatal(err)
		}
	}
	old := filepath.Join(d.Path, "ab", "ab01")
	if err := os.Chtimes(old, now.Add(-2*time.Hour), now.Add(-2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	killed := filepath.Join(d.Path, "ab", "new-123") // of a process that did not finish
	if err := os.WriteFile(killed, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(killed, now.Add(-2*time.Hour), now.Add(-2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := d.Sweep(filepath.Join(d.Path, "ab")); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Get("ab01"); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the old file is there")
	}
	if _, err := os.Lstat(killed); !errors.Is(err, fs.ErrNotExist) {
		t.Error("what a killed process has left is there")
	}
	if _, err := d.Get("ab02"); err != nil {
		t.Error("the young file is gone")
	}
}

func TestDirectoryConcurrent(t *testing.T) {
	d := &store.Directory{Path: t.TempDir()}
	var group sync.WaitGroup
	for g := range 8 {
		group.Go(func() {
			for i := range 100 {
				value := fmt.Appendf(nil, "%d %d", g, i)
				if err := d.Put("abcd", value); err != nil {
					t.Error(err)
				}
				if got, err := d.Get("abcd"); err != nil || len(got) < 3 {
					t.Errorf("%q, %v", got, err)
				}
			}
		})
	}
	group.Wait()
}

func TestDirectoryReadOnly(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	d := &store.Directory{Path: file}
	if err := d.Put("abcd", nil); err == nil {
		t.Error("put into a file")
	}
}

// Who may write to the directory may put a link to another one there: nothing is
// written through it, and nothing of others is swept away.
func TestDirectoryPlanted(t *testing.T) {
	elsewhere := t.TempDir()
	old := time.Now().Add(-48 * time.Hour)
	theirs := filepath.Join(elsewhere, "crontab")
	d := &store.Directory{Path: t.TempDir(), Keep: time.Hour}
	for _, err := range []error{
		os.WriteFile(theirs, []byte("theirs"), 0o600), os.Chtimes(theirs, old, old),
		os.Symlink(elsewhere, filepath.Join(d.Path, "ab")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Put("ab01", []byte("mine")); err == nil {
		t.Error("written through a link")
	}
	if err := d.Sweep(filepath.Join(d.Path, "ab")); err != nil {
		t.Error(err)
	}
	if files, err := os.ReadDir(elsewhere); err != nil || len(files) != 1 {
		t.Errorf("%v, %v", files, err)
	}

	// A hard link to a file of others: what is put replaces it.
	if err := os.Mkdir(filepath.Join(d.Path, "cd"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(theirs, filepath.Join(d.Path, "cd", "cd01")); err != nil {
		t.Fatal(err)
	}
	if err := d.Put("cd01", []byte("mine")); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(theirs); err != nil || string(text) != "theirs" {
		t.Errorf("%q, %v", text, err)
	}
}
