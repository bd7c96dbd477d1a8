//go:build !linux && !freebsd

package command

import "syscall"

// endTogether does nothing where a process is not told of its parent's end.
func endTogether() *syscall.SysProcAttr { return nil }
