package command

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// terminate tells a process to end, if it is an ocspcgi, and waits until it has.
// The descriptor means that very process, whoever gets its number afterwards.
func terminate(pid int, patience time.Duration) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		err = errEnded
	}
	if err != nil {
		return fmt.Errorf("process %d: %w", pid, err)
	}
	defer unix.Close(fd)
	if ours, program := isOurs(pid); !ours {
		return fmt.Errorf("process %d is %s, no ocspcgi; it is left alone", pid, program)
	}
	if err := unix.PidfdSendSignal(fd, unix.SIGTERM, nil, 0); err != nil {
		return fmt.Errorf("process %d: %w", pid, err)
	}
	for deadline := patience.Milliseconds(); ; {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(deadline))
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return fmt.Errorf("process %d: %w", pid, err)
		case n == 0:
			return fmt.Errorf("process %d was told to end, and has not after %v", pid, patience)
		}
		return nil
	}
}

// isOurs says whether a process runs this program, or one of its name, and what
// it runs.
func isOurs(pid int) (ours bool, program string) {
	exe := fmt.Sprintf("/proc/%d/exe", pid)
	program, err := os.Readlink(exe)
	if err != nil {
		return false, "nothing that can be seen (" + err.Error() + ")"
	}
	if strings.TrimSuffix(filepath.Base(program), " (deleted)") == "ocspcgi" {
		return true, program
	}
	self, selfErr := os.Stat("/proc/self/exe")
	other, err := os.Stat(exe)
	return selfErr == nil && err == nil && os.SameFile(self, other), program
}

// onPort finds the ocspcgi that listens on a TCP port.
func onPort(port uint16) (int, error) {
	inodes := map[string]string{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		err := eachRow(table, func(row []string) {
			if len(row) > 9 && row[3] == "0A" && strings.HasSuffix(row[1], fmt.Sprintf(":%04X", port)) {
				inodes[row[9]] = ""
			}
		})
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return 0, err
		}
	}
	return holder(inodes, "", fmt.Sprintf("port %d", port))
}

// onSocket finds the ocspcgi that listens on a unix socket.
func onSocket(path string) (int, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return 0, err
	}
	const accepting = 0x10000
	inodes := map[string]string{}
	err = eachRow("/proc/net/unix", func(row []string) {
		if len(row) < 8 {
			return
		}
		flags, err := strconv.ParseUint(row[3], 16, 64)
		if err == nil && flags&accepting != 0 && (row[7] == path || !filepath.IsAbs(row[7]) && filepath.Base(row[7]) == filepath.Base(path)) {
			inodes[row[6]] = row[7]
		}
	})
	if err != nil {
		return 0, err
	}
	return holder(inodes, path, path)
}

func eachRow(table string, do func(columns []string)) error {
	f, err := os.Open(table)
	if err != nil {
		return err
	}
	defer f.Close()
	rows := bufio.NewScanner(f)
	for rows.Scan() {
		do(strings.Fields(rows.Text()))
	}
	return rows.Err()
}

// holder returns the one ocspcgi that has one of the sockets open. Each inode
// goes with the path that it was bound to, which is held against path.
func holder(inodes map[string]string, path, what string) (int, error) {
	if len(inodes) == 0 {
		return 0, fmt.Errorf("nobody listens on %s", what)
	}
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0, err
	}
	var ours []int
	var others []string
	for _, dir := range dirs {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil || pid == os.Getpid() || !holds(dir, inodes, path) {
			continue
		}
		if mine, program := isOurs(pid); mine {
			ours = append(ours, pid)
		} else {
			others = append(others, fmt.Sprintf("%s (process %d)", program, pid))
		}
	}
	switch {
	case len(ours) == 1:
		return ours[0], nil
	case len(ours) > 1:
		return 0, fmt.Errorf("several listen on %s: %v; name the -pid-file of one", what, ours)
	case len(others) > 0:
		return 0, fmt.Errorf("on %s listens %s, no ocspcgi; it is left alone", what, strings.Join(others, ", "))
	}
	return 0, fmt.Errorf("who listens on %s cannot be seen; ask as its user or as root, or name its -pid-file", what)
}

// holds says whether a process has one of the sockets open. The path of one may
// be relative to the directory of the process.
func holds(dir string, inodes map[string]string, path string) bool {
	links, err := filepath.Glob(dir + "/fd/*")
	if err != nil {
		return false
	}
	return slices.ContainsFunc(links, func(link string) bool {
		target, err := os.Readlink(link)
		inode, isSocket := strings.CutPrefix(target, "socket:[")
		bound, listens := inodes[strings.TrimSuffix(inode, "]")]
		if err != nil || !isSocket || !listens {
			return false
		}
		if cwd, err := os.Readlink(dir + "/cwd"); err == nil && bound != "" && !filepath.IsAbs(bound) {
			bound = filepath.Join(cwd, bound)
		}
		return bound == path
	})
}
