//go:build !linux

package index

// giveWay has work done: only Linux knows priorities of threads.
func giveWay(work func()) { work() }
