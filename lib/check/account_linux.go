package check

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// become gives the thread the user's groups and ids. The ids for files take the
// capabilities with them that let root open everything (capabilities(7)).
func (a *account) become() error {
	groups := make([]int, len(a.groups))
	for i, id := range a.groups {
		groups[i] = int(id)
	}
	if err := unix.Setgroups(groups); err != nil {
		return fmt.Errorf("setgroups: %w", err)
	}
	// These return what was there before, and never an error.
	const none = -1
	for _, set := range []struct {
		to  uint32
		ids func(int) (int, error)
	}{{a.gid, unix.SetfsgidRetGid}, {a.uid, unix.SetfsuidRetUid}} {
		if _, err := set.ids(int(set.to)); err != nil {
			return err
		}
		if now, err := set.ids(none); err != nil || uint32(now) != set.to {
			return fmt.Errorf("acting for %s: %w", a.name, errors.Join(err, unix.EPERM))
		}
	}
	return nil
}

// access is access(2) with the thread's ids for files. A kernel older than 5.8
// does not have it, and what unix.Faccessat does then looks at the process.
func access(path string, bits uint32) error {
	name, err := unix.BytePtrFromString(path)
	if err != nil {
		return err
	}
	at := unix.AT_FDCWD
	_, _, errno := unix.Syscall6(unix.SYS_FACCESSAT2, uintptr(at), uintptr(unsafe.Pointer(name)), uintptr(bits), unix.AT_EACCESS, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
