//go:build linux || freebsd

package command

import "syscall"

// endTogether has a process end when the one that started it is killed.
func endTogether() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} }
