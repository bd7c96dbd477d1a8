package index

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// inHugePages asks the kernel for huge pages below the slots or the records of a
// large table, before they are touched: a look-up goes anywhere in them, and a third
// of its time is spent on where ordinary pages are. It is a wish, and may fail.
func inHugePages[T byte | uint64](room []T) {
	const page = 2 << 20
	size := len(room) * int(unsafe.Sizeof(*new(T)))
	if size < 4*page {
		return
	}
	start := unsafe.Pointer(unsafe.SliceData(room))
	all := unsafe.Slice((*byte)(start), size)
	all = all[(page-uintptr(start)%page)%page:]
	_ = unix.Madvise(all[:len(all)/page*page], unix.MADV_HUGEPAGE)
}
