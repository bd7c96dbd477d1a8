package watch

import "golang.org/x/sys/unix"

// stamp tells one state of a file from another without reading it. The zero
// stamp is that of no file.
type stamp struct {
	id
	size         int64
	mtime, ctime int64 // nanoseconds
	err          error // a syscall.Errno: why there is nothing to see
}

// id tells one file or directory from another that took its name.
type id struct{ dev, ino uint64 }

func stampOf(path string) stamp {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return stamp{err: err}
	}
	return stamp{
		id:    id{uint64(st.Dev), st.Ino},
		size:  st.Size,
		mtime: st.Mtim.Nano(),
		ctime: st.Ctim.Nano(),
	}
}
