package conformance_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ocspcgi/lib/servertest"
	"ocspcgi/lib/wire"
)

// fuse is a file system of one file that does not change, which lies over the one that was
// there. It hangs while it is locked, whatever is asked of it: stat, open, read. Only other
// processes may use the file: who hangs in a file system of his own cannot even be killed.
type fuse struct {
	sync.Mutex
	device *os.File
	data   []byte
	since  time.Time // when the file was written
}

// mountFUSE puts one over a file until the end of the test.
func mountFUSE(t *testing.T, path string) *fuse {
	t.Helper()
	d := &fuse{data: []byte(servertest.ReadFile(t, path)), since: time.Now().Add(-time.Hour)}
	fd, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skip("there is no FUSE: ", err)
	}
	d.device = os.NewFile(uintptr(fd), "fuse")
	if err := unix.Mount("ocspcgi", path, "fuse", 0, fmt.Sprintf("fd=%d,rootmode=100000,user_id=0,group_id=0", fd)); err != nil {
		d.device.Close()
		t.Skip("only root can have a file of a file system of its own: ", err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		request := make([]byte, 1<<20)
		for {
			n, err := d.device.Read(request)
			if err != nil {
				return
			}
			d.serve(request[:n])
		}
	})
	t.Cleanup(func() {
		if err := unix.Unmount(path, unix.MNT_FORCE|unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
		serving.Wait()
		d.device.Close()
	})
	return d
}

// serve answers a request of the kernel (linux/fuse.h).
func (d *fuse) serve(request []byte) {
	d.Lock()
	defer d.Unlock()
	var in struct {
		Len, Opcode    uint32
		Unique, Node   uint64
		UID, GID, PID  uint32
		_              uint32
		Handle, Offset uint64 // of FUSE_READ, as what follows
		Size           uint32
	}
	if _, err := binary.Decode(append(bytes.Clone(request), make([]byte, 20)...), binary.NativeEndian, &in); err != nil {
		panic(err)
	}
	var out any
	var errno unix.Errno
	switch in.Opcode {
	case 2, 36: // FUSE_FORGET, FUSE_INTERRUPT: without an answer
		return
	case 3: // FUSE_GETATTR: to be asked for each time
		at := uint64(d.since.Unix())
		out = struct {
			Valid               uint64
			_                   [2]uint32
			Ino, Size, Blocks   uint64
			Atime, Mtime, Ctime uint64
			_                   [3]uint32 // of nanoseconds
			Mode, Links         uint32
			_                   [3]uint32 // of UID, GID, device
			BlockSize, _        uint32
		}{Ino: 1, Size: uint64(len(d.data)), Atime: at, Mtime: at, Ctime: at, Mode: unix.S_IFREG | 0o644, Links: 1, BlockSize: 4096}
	case 14: // FUSE_OPEN: with FOPEN_DIRECT_IO
		out = [2]uint64{0, 1}
	case 15: // FUSE_READ
		rest := d.data[min(in.Offset, uint64(len(d.data))):]
		out = rest[:min(int(in.Size), len(rest))]
	case 18, 25: // FUSE_RELEASE, FUSE_FLUSH
		out = []byte{}
	case 26: // FUSE_INIT: version 7.31
		out = [16]uint32{0: 7, 1: 31, 5: 1 << 16}
	default:
		errno, out = unix.ENOSYS, []byte{}
	}
	answer := struct {
		Len    uint32
		Error  int32
		Unique uint64
	}{uint32(16 + binary.Size(out)), -int32(errno), in.Unique}
	var b bytes.Buffer
	if err := errors.Join(binary.Write(&b, binary.NativeEndian, answer), binary.Write(&b, binary.NativeEndian, out)); err != nil {
		panic(err)
	}
	_, _ = d.device.Write(b.Bytes()) // nobody may wait for it any more
}

// A disk may hang where somebody asks how the index is. Who asks for an answer, kept or
// signed, does not wait until it goes on; while it hangs only what is revoked is told.
func TestLookThatHangs(t *testing.T) {
	k := newKit(t)
	k.rested(t)
	disk := mountFUSE(t, k.Index)
	s := start(t, k.settings(k.Signer))
	der, _, good := k.question()
	id := k.ca.id(k.revoked...)
	revoked := k.said(wire.Revoked, id, nil)
	ask := func(when string, goodOr ...want) {
		t.Helper()
		for range 3 { // from all processors
			r := s.fastCGI(t, der)
			if !slices.ContainsFunc(goodOr, func(w want) bool { return w.check(r, false) == nil }) {
				t.Errorf("%s: %d %q", when, r.status, r.body)
			}
			if err := revoked.check(s.fastCGI(t, request(list(id))), false); err != nil {
				t.Errorf("%s: of what is revoked: %v", when, err)
			}
		}
	}
	ask("at first", good)
	disk.Lock()
	goOn := sync.OnceFunc(disk.Unlock)
	defer goOn()
	ask("when it begins to hang", good, later)
	s.logs(t, "its disk hangs")
	ask("while it hangs", later)
	for n := range 2 { // SIGHUP does not wait for it either
		if err := s.Process.Signal(unix.SIGHUP); err != nil {
			t.Fatal(err)
		}
		wait(t, "SIGHUP is not acted on", func() error {
			if said := strings.Count(servertest.ReadFile(t, s.log), "told to read everything again"); said <= n {
				return fmt.Errorf("%d times", said)
			}
			return nil
		})
	}
	goOn()
	wait(t, "it does not go on", func() error { return good.check(s.fastCGI(t, der), false) })
}
