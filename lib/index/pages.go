package index

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash/fnv"
	"io"
	"io/fs"
	"math/bits"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// sealer seals files about an index, with a sealed head and sealed pages of one size, and
// spreads serials over the pages.
type sealer [sha256.Size]byte

const (
	headSize = 64
	sealSize = 16 // octets of an HMAC-SHA-256 in front of each page
)

// pageFile is such a file, open.
type pageFile struct {
	sealer
	file  *os.File
	head  [headSize]byte
	of    stamp // the state of the index that it is about
	count uint32
}

// errDamaged says that a file is not as it was written.
var errDamaged = errors.New("is damaged")

// open takes a file whose head is sealed, from openNoLink or openOwn.
func (k sealer) open(f *os.File, err error) (*pageFile, error) {
	if err != nil {
		return nil, err
	}
	p := &pageFile{sealer: k, file: f}
	_, err = f.ReadAt(p.head[:], 0)
	n := func(i int) uint64 { return binary.BigEndian.Uint64(p.head[8*i:]) }
	p.of = stamp{n(0), n(1), int64(n(2)), int64(n(3)), int64(n(4))}
	p.count = binary.BigEndian.Uint32(p.head[40:])
	if errors.Is(err, io.EOF) || err == nil && (p.count == 0 || !hmac.Equal(p.head[:], k.head(p.of, p.count))) {
		err = errDamaged
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return p, nil
}

// openNoLink opens a file for reading, and waits for nobody to write it.
func openNoLink(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
}

// read reads a page, with its seal.
func (p *pageFile) read(number uint32, page []byte) error {
	_, err := p.file.ReadAt(page, headSize+int64(number)*int64(len(page)))
	if errors.Is(err, io.EOF) || err == nil && !hmac.Equal(page[:sealSize], p.seal(p.head[:], number, page[sealSize:])) {
		return errDamaged
	}
	return err
}

// write puts a file in its place, whole, for whoever has its lock. Each page has room for
// its seal in front.
func (k sealer) write(path string, of stamp, count int, page func(i int) []byte) error {
	name := path + ".new" // left over from one that was killed
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	head := k.head(of, uint32(count))
	w := bufio.NewWriterSize(f, blockSize)
	w.Write(head) // Flush has the first error
	for i := range count {
		text := page(i)[sealSize:]
		w.Write(k.seal(head, uint32(i), text))
		w.Write(text)
	}
	// On the disk before it has its name: what a power cut leaves is whole, too.
	if err = errors.Join(w.Flush(), f.Sync(), f.Close()); err == nil {
		err = os.Rename(name, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}

// head is the head of a file about an index in that state.
func (k sealer) head(s stamp, pages uint32) []byte {
	head := make([]byte, 0, headSize)
	for _, n := range []uint64{s.dev, s.ino, uint64(s.size), uint64(s.mtime), uint64(s.ctime)} {
		head = binary.BigEndian.AppendUint64(head, n)
	}
	head = binary.BigEndian.AppendUint32(head, pages)
	return append(head, k.digest('h', head)[:headSize-len(head)]...)
}

// seal is the seal of a page behind that head.
func (k sealer) seal(head []byte, number uint32, slots []byte) []byte {
	return k.digest('p', head, binary.BigEndian.AppendUint32(nil, number), slots)[:sealSize]
}

func (k sealer) digest(purpose byte, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, k[:])
	h.Write([]byte{purpose})
	for _, part := range parts {
		h.Write(part)
	}
	return h.Sum(nil)
}

// place says which page a serial belongs to, and how it is marked there.
func (k sealer) place(serial []byte, pages uint32) (number uint32, mark uint64) {
	h := fnv.New64a()
	h.Write(k[:8])
	h.Write(serial)
	sum := h.Sum64() * 0x9e3779b97f4a7c15 // the low bits of FNV are better than the high ones
	hi, _ := bits.Mul64(sum, uint64(pages))
	return uint32(hi), sum & (1<<(64-offsetLen) - 1)
}

// lock keeps others from writing the file at the same time. Nil: they do it already.
func lock(path string) (unlock func() error, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, err
	}
	if err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err == nil {
		return f.Close, nil
	}
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = nil
	}
	return nil, errors.Join(err, f.Close())
}
