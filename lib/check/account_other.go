//go:build !linux

package check

import (
	"errors"

	"golang.org/x/sys/unix"
)

// become is for systems where a thread can have the ids of its own for files.
func (a *account) become() error { return errors.ErrUnsupported }

// access is access(2).
func access(path string, bits uint32) error { return unix.Access(path, bits) }
