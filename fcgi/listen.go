package fcgi

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// DefaultMode is the mode of a unix socket for which none is given.
const DefaultMode fs.FileMode = 0o660

// Listen listens on "unix:PATH" or "tcp:HOST:PORT". A unix socket has the mode
// (0 means DefaultMode) from its first moment on, which takes the umask of the
// whole process for that moment, and belongs to the group of that name or
// number (empty: the process's own): until it does, nobody can connect but who
// may do all. A socket that is left over at PATH is
// replaced if it is ours and nobody listens on it; anything else there is an
// error and stays. Several processes may try at once: one has it. Closing the
// listener removes the socket, but not another one that has taken its place.
func Listen(address string, mode fs.FileMode, group string) (net.Listener, error) {
	network, rest, _ := strings.Cut(address, ":")
	switch {
	case rest == "":
	case network == "tcp":
		return net.Listen("tcp", rest)
	case network == "unix":
		return listenUnix(rest, mode, group)
	}
	return nil, fmt.Errorf("listen %q: want unix:PATH or tcp:HOST:PORT", address)
}

func listenUnix(path string, mode fs.FileMode, group string) (net.Listener, error) {
	if mode == 0 {
		mode = DefaultMode
	}
	gid, err := groupID(group)
	if err != nil {
		return nil, fmt.Errorf("listen unix:%s: %w", path, err)
	}
	l, err := bind(path, mode, gid)
	if err != nil {
		return nil, fmt.Errorf("listen unix:%s: %w", path, err)
	}
	return l, nil
}

// bind makes the socket, while no other process of ours does in that directory:
// one that is bound and does not listen yet looks like one that is left over.
func bind(path string, mode fs.FileMode, gid int) (net.Listener, error) {
	defer lock(filepath.Dir(path))()
	if err := removeStale(path); err != nil {
		return nil, err
	}
	first := mode
	if gid >= 0 {
		first = 0 // the process's own group is not to come in
	}
	old := syscall.Umask(int(^first & fs.ModePerm))
	l, err := net.Listen("unix", path)
	syscall.Umask(old)
	if err != nil {
		return nil, err
	}
	if gid >= 0 {
		err = os.Lchown(path, -1, gid)
		if err == nil {
			err = os.Chmod(path, mode)
		}
	}
	info, statErr := os.Lstat(path)
	if err = errors.Join(err, statErr); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	own := &ownSocket{UnixListener: l.(*net.UnixListener), path: path, info: info}
	own.SetUnlinkOnClose(false)
	return own, nil
}

// lock keeps others out who want to lock a directory, and waits for them for a
// second. Whoever has it for longer is none of ours: anybody who may read the
// directory can lock it, and is not to keep us from starting by that. One that cannot
// be read, or whose file system has no locks, is not locked.
func lock(dir string) (unlock func()) {
	f, err := os.Open(dir)
	if err != nil {
		return func() {} // binding says what is wrong with it
	}
	for range 100 {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	return func() { f.Close() }
}

// ownSocket removes its socket when it is closed, if it is still there.
type ownSocket struct {
	*net.UnixListener
	path string
	info fs.FileInfo
}

func (l *ownSocket) Close() error {
	if info, err := os.Lstat(l.path); err == nil && os.SameFile(info, l.info) {
		os.Remove(l.path) // one that stays is left over, and is replaced
	}
	return l.UnixListener.Close()
}

// groupID returns the number of a group, -1 for none.
func groupID(group string) (int, error) {
	if group == "" {
		return -1, nil
	}
	if id, err := strconv.ParseUint(group, 10, 31); err == nil {
		return int(id), nil
	}
	g, err := user.LookupGroup(group)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(g.Gid)
}

// removeStale removes the socket that an earlier process of ours has left.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return errors.New("there is something else than a socket: remove it or choose another path")
	}
	c, err := net.Dial("unix", path)
	switch {
	case err == nil:
		return errors.Join(syscall.EADDRINUSE, c.Close())
	case errors.Is(err, syscall.EAGAIN):
		return syscall.EADDRINUSE // its backlog is full
	case !errors.Is(err, syscall.ECONNREFUSED):
		return err
	}
	if owner := info.Sys().(*syscall.Stat_t).Uid; int(owner) != os.Geteuid() {
		return fmt.Errorf("the socket there is left over from user %d: remove it", owner)
	}
	return os.Remove(path)
}

// Inherited returns the listener that fd 0 is, and whether it is one: so
// mod_fcgid, spawn-fcgi and lighttpd start a FastCGI program (§2.2). A
// connected socket is not one: mod_cgid gives that to a CGI program.
func Inherited() (l net.Listener, ok bool, err error) {
	if !listening(0) {
		return nil, false, nil
	}
	l, err = net.FileListener(os.Stdin)
	return l, err == nil, err
}

// Systemd returns the listeners that systemd passed to the process with the
// number pid (sd_listen_fds(3)), none if LISTEN_PID is not that. The caller
// unsets LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES afterwards, and must not
// call Systemd again: the descriptors are taken.
func Systemd(getenv func(string) string, pid int) ([]net.Listener, error) {
	const first = 3
	if getenv("LISTEN_PID") != strconv.Itoa(pid) {
		return nil, nil
	}
	count, err := strconv.ParseUint(getenv("LISTEN_FDS"), 10, 16)
	if err != nil {
		return nil, fmt.Errorf("LISTEN_FDS: %w", err)
	}
	var all []net.Listener
	for fd := first; fd < first+int(count); fd++ {
		l, err := passed(fd)
		if err != nil {
			for _, l := range all {
				err = errors.Join(err, l.Close())
			}
			return nil, err
		}
		all = append(all, l)
	}
	return all, nil
}

// passed makes a listener of fd, which it closes.
func passed(fd int) (net.Listener, error) {
	if !listening(fd) {
		return nil, fmt.Errorf("LISTEN_FDS: descriptor %d is not a listening socket", fd)
	}
	file := os.NewFile(uintptr(fd), "LISTEN_FDS")
	l, err := net.FileListener(file) // a copy, closed on exec
	return l, errors.Join(err, file.Close())
}

// listening tells whether fd is a socket that listens.
func listening(fd int) bool {
	value, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_ACCEPTCONN)
	if errors.Is(err, syscall.ENOPROTOOPT) {
		return unconnected(fd) // a kernel that does not tell
	}
	return err == nil && value != 0
}

// unconnected tells whether fd is a socket that nobody is at the other end of,
// which is how FastCGI 1.0 (§2.2) knows one that listens.
func unconnected(fd int) bool {
	_, err := syscall.Getpeername(fd)
	return errors.Is(err, syscall.ENOTCONN)
}
