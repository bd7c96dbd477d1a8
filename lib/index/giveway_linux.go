package index

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// giveWay has work done in a thread of its own, which gets a third of the time of
// another that wants the same core, and which ends then: an unprivileged thread
// cannot take that back.
func giveWay(work func()) {
	const third = 5 // nice: each step is worth a quarter more or less
	runtime.LockOSThread()
	if unix.Gettid() != unix.Getpid() {
		_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), third) // on Linux that is one thread
		work()
		return
	}
	// The first thread of a process never ends. While this goroutine holds it, the
	// next one gets another.
	defer runtime.UnlockOSThread()
	done := make(chan struct{})
	go func() {
		defer close(done)
		giveWay(work)
	}()
	<-done
}
