package index

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// inHugePages asks the kernel for huge pages below the slots of a large table,
// before they are touched: a look-up goes anywhere in them, and a third of its
// time is spent on where ordinary pages are. It is a wish, and may fail.
func inHugePages(slots []uint64) {
	const page = 2 << 20
	if len(slots) < 4*page/8 {
		return
	}
	start := unsafe.Pointer(unsafe.SliceData(slots))
	all := unsafe.Slice((*byte)(start), len(slots)*8)
	all = all[(page-uintptr(start)%page)%page:]
	_ = unix.Madvise(all[:len(all)/page*page], unix.MADV_HUGEPAGE)
}
