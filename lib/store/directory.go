package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Directory keeps values in files, for processes that come and go. What it
// gives is what somebody has put there: a file may be torn, old or from
// somebody else, and whoever asks checks it. It is safe for concurrent use, by
// several processes too.
type Directory struct {
	Path string        // made where it is not there, for this user alone
	Keep time.Duration // how long a file is left that nobody writes again; 0: for ever
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// maxValue bounds what is read from a file.
const maxValue = 1 << 20

// Get returns the value kept under name, which is hexadecimal. The error is
// fs.ErrNotExist where there is none.
func (d *Directory) Get(name string) ([]byte, error) {
	f, err := os.OpenFile(d.File(name), os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxValue {
		return nil, fmt.Errorf("%s: not a file that was put there by ocspcgi; remove it", f.Name())
	}
	return io.ReadAll(io.LimitReader(f, maxValue))
}

// Put keeps value under name, whole or not at all.
func (d *Directory) Put(name string, value []byte) error {
	folder := filepath.Dir(d.File(name))
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	if info, err := os.Lstat(folder); err != nil || !info.IsDir() {
		return errors.Join(err, fmt.Errorf("%s: not a directory that was put there by ocspcgi; remove it", folder))
	}
	f, err := os.CreateTemp(folder, "new-")
	if err != nil {
		return err
	}
	_, err = f.Write(value)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), d.File(name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	const rarely = 100
	if d.Keep > 0 && rand.IntN(rarely) == 0 {
		return d.Sweep(folder)
	}
	return nil
}

// File returns where name is kept, for who keeps it by itself. It spreads names over folders, so that none grows long.
func (d *Directory) File(name string) string {
	const folder = 2
	return filepath.Join(d.Path, name[:folder], name)
}

// Sweep removes the files in one folder that nobody has written for Keep, and what
// was not finished. What has no name that is given here stays. Put does it now and
// then.
func (d *Directory) Sweep(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	now := time.Now
	if d.Now != nil {
		now = d.Now
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || now().Sub(info.ModTime()) < d.Keep || !own(folder, entry) {
			continue // gone already, or young, or somebody else's
		}
		if err := os.Remove(filepath.Join(folder, entry.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// own tells whether an entry of a folder may have been put there by this package.
func own(folder string, entry fs.DirEntry) bool {
	name := entry.Name()
	hexadecimal, _, _ := strings.Cut(name, ".") // what is kept for others has .lock and .new
	return entry.Type().IsRegular() && (strings.HasPrefix(name, "new-") ||
		strings.HasPrefix(name, filepath.Base(folder)) && strings.Trim(hexadecimal, "0123456789abcdef") == "")
}
