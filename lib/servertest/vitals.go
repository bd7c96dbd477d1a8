package servertest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Resident returns how much memory a process has, in KiB.
func Resident(t testing.TB, pid int) (kib int) {
	t.Helper()
	_, rest, _ := strings.Cut(ReadFile(t, fmt.Sprintf("/proc/%d/status", pid)), "VmRSS:")
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		t.Fatal(err)
	}
	return kib
}

// Files returns how many descriptors a process has open, and how many of these
// are sockets.
func Files(t testing.TB, pid int) (all, sockets int) {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	open, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range open {
		// One that is closed meanwhile is none.
		if to, err := os.Readlink(filepath.Join(dir, file.Name())); err == nil {
			all++
			if strings.HasPrefix(to, "socket:") {
				sockets++
			}
		}
	}
	return all, sockets
}
