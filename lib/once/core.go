package once

import "syscall"

// NoCore has the kernel keep no image of the memory of this process when it dies,
// for keys and pass phrases are in that. A limit of one byte is below any image,
// and the one that Linux does not pipe to a program either (core(5) has it that
// limits do not hold there). Where the limit cannot be asked it stays.
func NoCore() {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_CORE, &limit) != nil {
		return
	}
	limit.Cur = min(limit.Max, 1)
	limit.Max = limit.Cur
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &limit) // lowering it is allowed to all
}
