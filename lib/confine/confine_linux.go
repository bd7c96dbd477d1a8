package confine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// takes is what each version of Landlock's ABI takes away, besides those before.
var takes = [...]string{1: "files", 4: "TCP", 5: "devices", 6: "signals"}

// newest is the newest ABI that is asked for: no later one could be tested.
const newest = 7

func (n *Needs) enforce(read, clear []string) (by string, err error) {
	if err := ll.AllThreadsPrctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return "", fmt.Errorf("no new privileges: %w", err)
	}
	abi := min(version(), newest)
	if abi == 0 {
		return "", fmt.Errorf("%w: its kernel has no Landlock, or was told to leave it out", ErrUnsupported)
	}
	config := landlock.V7.BestEffort()
	if n.Abstract {
		config.Scoped &^= ll.ScopeAbstractUnixSocket
	}
	err = config.Restrict(
		landlock.PathAccess(ll.AccessFSReadFile|ll.AccessFSReadDir, read...),
		landlock.PathAccess(ll.AccessFSRemoveFile, clear...))
	if err != nil {
		return "", err
	}
	var taken []string
	for _, what := range takes[:min(abi+1, len(takes))] {
		if what != "" {
			taken = append(taken, what)
		}
	}
	return fmt.Sprintf("Landlock ABI %d: %s", abi, strings.Join(taken, ", ")), nil
}

// version is that of Landlock's ABI, 0 for none, without scopes where those
// would keep the threads of a process from each other (as go-landlock has it).
func version() int {
	abi, err := ll.LandlockGetABIVersion()
	if err != nil {
		return 0
	}
	const scopesMended = 1 << 1
	if errata, err := ll.LandlockGetErrata(); abi >= 6 && (err != nil || errata&scopesMended == 0) {
		return 5
	}
	return abi
}

// Refused reports whether a file cannot be opened for nothing but the bounds of
// this process: its mode would let it.
func Refused(path string) bool {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0) // no FIFO holds it up
	if err == nil {
		f.Close()
		return false
	}
	return errors.Is(err, fs.ErrPermission) && unix.Faccessat(unix.AT_FDCWD, path, unix.R_OK, unix.AT_EACCESS) == nil
}
