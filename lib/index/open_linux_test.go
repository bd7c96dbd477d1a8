package index_test

import (
	"testing"

	"golang.org/x/sys/unix"
)

// An index that has not changed is opened all the same: an NFS client that is only
// asked for its stat says how it was a minute ago.
func TestReloadOpens(t *testing.T) {
	path := write(t, entry('V', "10"))
	l := live(t, path)
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if _, err := unix.InotifyAddWatch(fd, path, unix.IN_OPEN); err != nil {
		t.Fatal(err)
	}
	if r := l.Reload(false); r.Changed || !r.Believed {
		t.Errorf("report is %+v", r)
	}
	if n, err := unix.Read(fd, make([]byte, 4096)); n <= 0 {
		t.Errorf("it was not opened: %v", err)
	}
}
