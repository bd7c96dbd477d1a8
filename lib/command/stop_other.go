//go:build !linux

package command

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// terminate tells a process to end, if it is an ocspcgi, and waits until it has.
func terminate(pid int, patience time.Duration) error {
	out, err := exec.Command("ps", "-o", "comm=", "-p", strconv.Itoa(pid)).Output()
	program := strings.TrimSpace(string(out))
	switch {
	case program == "":
		return fmt.Errorf("process %d: %w", pid, errors.Join(errEnded, err))
	case filepath.Base(program) != "ocspcgi":
		return fmt.Errorf("process %d is %s, no ocspcgi; it is left alone", pid, program)
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		return fmt.Errorf("process %d: %w", pid, err)
	}
	const pause = 20 * time.Millisecond
	for waited := time.Duration(0); waited <= patience; waited += pause {
		if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			return nil
		}
		time.Sleep(pause)
	}
	return fmt.Errorf("process %d was told to end, and has not after %v", pid, patience)
}

func onPort(uint16) (int, error)   { return 0, errUnseen }
func onSocket(string) (int, error) { return 0, errUnseen }

var errUnseen = errors.New("who listens cannot be seen on this system; name the -pid-file")
