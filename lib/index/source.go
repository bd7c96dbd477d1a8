package index

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// maxSize is the size in bytes of the largest file that is read: more than a
// hundred million rows.
const maxSize = 16 << 30

// stamp tells one state of a file from another.
type stamp struct {
	dev, ino     uint64
	size         int64
	mtime, ctime int64 // nanoseconds since 1970
}

func newStamp(st *unix.Stat_t) stamp {
	return stamp{uint64(st.Dev), uint64(st.Ino), st.Size, st.Mtim.Nano(), st.Ctim.Nano()}
}

// sameFile tells whether both are states of one file, not of two that had the
// name in turn.
func (s stamp) sameFile(t stamp) bool { return s.dev == t.dev && s.ino == t.ino }

// age is the time since the file was last written. A time in the future is no
// age at all.
func (s stamp) age(now time.Time) time.Duration {
	return now.Sub(time.Unix(0, s.mtime))
}

// grain is how long after a write another one may leave the stamp as it is: a
// tick of the kernel, or where the file system keeps no fractions of seconds,
// as long as the coarsest does.
func (s stamp) grain() time.Duration {
	if s.mtime%int64(time.Second) == 0 {
		return 2 * time.Second
	}
	return 50 * time.Millisecond
}

// rested tells whether the file was written so long ago, by a clock as coarse as its
// time, that nobody is writing it any more.
func (s stamp) rested(now time.Time) bool { return s.age(now) >= young+s.grain() }

// source is an open index file.
type source struct {
	path  string
	file  *os.File
	stamp stamp // when it was opened
	crew  crew  // who reads it

	blockSize int64 // how much is read at a time, in bytes

	progress func(read, size int64) // see Live; nil: nobody is told
}

// open opens a regular file and nothing else: no FIFO holds it up.
func open(path string) (*source, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	s := &source{path: path, file: file, crew: everybody(), blockSize: blockSize}
	if err := s.check(); err != nil {
		file.Close()
		return nil, err
	}
	return s, nil
}

func (s *source) check() error {
	var st unix.Stat_t
	if err := unix.Fstat(int(s.file.Fd()), &st); err != nil {
		return &os.PathError{Op: "fstat", Path: s.path, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return fmt.Errorf("%s: not a regular file", s.path)
	}
	if st.Size > maxSize {
		return fmt.Errorf("%s: larger than %d bytes", s.path, int64(maxSize))
	}
	s.stamp = newStamp(&st)
	return nil
}

// still tells whether the name leads to the same state of the same file as when
// it was opened.
func (s *source) still() bool {
	now, err := stampOf(s.path)
	return err == nil && now == s.stamp
}

// written tells whether the file was written since it was opened, whatever name it has
// now: what was read of it may be half of one row and half of another.
func (s *source) written() bool {
	later := *s
	err := later.check()
	return err != nil || later.stamp.size != s.stamp.size || later.stamp.mtime != s.stamp.mtime
}

func stampOf(path string) (stamp, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return stamp{}, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	return newStamp(&st), nil
}

// doubt is a doubt about the file as a whole.
func doubt(path, reason string) *DoubtError {
	return &DoubtError{Path: path, Reason: reason}
}

// Reasons to doubt a file as a whole.
const (
	reasonTorn   = "does not end in a complete line; it may still be being written"
	reasonEmpty  = "is empty; it may be about to be written anew"
	reasonMoved  = "changed while it was read"
	reasonUnread = "was not read yet"
	reasonNewer  = "has changed, and is not read yet"

	reasonVanished = "the row has vanished before its expiry"
	reasonDoubted  = "a row that could not be understood has vanished"
)
