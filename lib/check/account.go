package check

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// account is a user with the groups that files may be open to.
type account struct {
	name   string
	uid    uint32
	gid    uint32
	groups []uint32

	// asks says that the kernel is asked, which knows access control lists and
	// all else that decides. Otherwise it is the permission bits that are read.
	asks bool
}

// lookUpAccount finds a user. Only root can ask the kernel on behalf of others.
func lookUpAccount(name string) (*account, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return nil, fmt.Errorf("-as: %w", err)
	}
	ids, err := u.GroupIds()
	if err != nil {
		return nil, err
	}
	a := &account{name: name}
	for i, text := range append([]string{u.Uid, u.Gid}, ids...) {
		id, err := strconv.ParseUint(text, 10, 32)
		switch {
		case err != nil:
			return nil, err
		case i == 0:
			a.uid = uint32(id)
		case i == 1:
			a.gid = uint32(id)
		default:
			a.groups = append(a.groups, uint32(id))
		}
	}
	a.asks = true
	_, err = a.may("/", maySeek) // whether the kernel can be asked at all
	a.asks = err == nil
	return a, nil
}

// Permission bits, as those for others and as access(2) has them.
const (
	mayRead  = 4
	mayWrite = 2
	maySeek  = 1 // look up a name in a directory
)

// may tells whether the user may do what bits say.
func (a *account) may(path string, bits fs.FileMode) (bool, error) {
	if !a.asks {
		info, err := os.Stat(path)
		return err == nil && a.reads(info, bits), err
	}
	var err error
	ask := func() { err = access(path, uint32(bits)) }
	if int(a.uid) == os.Geteuid() {
		ask()
	} else if failed := a.act(ask); failed != nil {
		return false, failed
	}
	if errors.Is(err, unix.EACCES) || errors.Is(err, unix.EROFS) {
		return false, nil
	}
	return err == nil, err
}

// reads tells whether the permission bits allow it, as the kernel reads them: of
// owner, group and others the first that fits decides. Access control lists are
// not looked at.
func (a *account) reads(info fs.FileInfo, bits fs.FileMode) bool {
	owner := info.Sys().(*syscall.Stat_t)
	switch {
	case a.uid == 0:
		return true
	case owner.Uid == a.uid:
		bits <<= 6
	case a.gid == owner.Gid || slices.Contains(a.groups, owner.Gid):
		bits <<= 3
	}
	return info.Mode().Perm()&bits == bits
}

// act runs f with the rights that the user has to files. They are those of one
// thread, which ends with it.
func (a *account) act(f func()) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // for good
		err := a.become()
		if err == nil {
			f()
		}
		done <- err
	}()
	return <-done
}

// obstacle returns what keeps the user from a file or a directory: the first
// directory above it that he may not pass, or itself; "" when nothing does.
func (a *account) obstacle(path string, bits fs.FileMode) (string, fs.FileMode, error) {
	path, err := filepath.EvalSymlinks(path)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return "", 0, err
	}
	way := []string{path}
	for at := path; at != filepath.Dir(at); {
		at = filepath.Dir(at)
		way = append(way, at)
	}
	for i, at := range slices.Backward(way) {
		need := fs.FileMode(maySeek)
		if i == 0 {
			need = bits
		}
		if ok, err := a.may(at, need); err != nil {
			return "", 0, err
		} else if !ok {
			info, err := os.Stat(at)
			if err != nil {
				return "", 0, err
			}
			return at, info.Mode().Perm(), nil
		}
	}
	return "", 0, nil
}
