package index

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"math/bits"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Places remembers where the rows of an index stand, for processes that come
// and go: a look-up then reads a page of this file and the row, not the whole
// index. It is made of an index that is sound from its first row to its last,
// and holds for that very state of the index alone. It is believed only where
// it is sealed with the secret: whoever knows that could sign answers.
type Places struct {
	Path   string // of the file, which Make writes
	Secret [sha256.Size]byte
}

// The file is a sealed head and sealed pages of one size. A row is in the page
// that a hash of its serial picks: more of the hash, and where the row begins.
const (
	headSize  = 64
	sealSize  = 16 // octets of an HMAC-SHA-256
	pageSize  = 1 << 10
	perPage   = (pageSize - sealSize) / 8
	expected  = perPage / 2 // rows of a page when the hash is fair
	offsetLen = 40          // bits
)

// worthwhile is the size of the smallest index that has its places kept: a
// smaller one is read as fast.
const worthwhile = 16 << 10

// errUneven says that too many rows came into one page.
var errUneven = errors.New("index: the rows cannot be placed evenly")

// find looks a serial up in the index that s has opened. It is not ok when the
// places are of another state of the index, or not to be believed.
func (p *Places) find(s *source, serial []byte) (found finding, ok bool) {
	f, err := os.OpenFile(p.Path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return finding{}, false
	}
	defer f.Close()
	var head [headSize]byte
	if _, err := f.ReadAt(head[:], 0); err != nil {
		return finding{}, false
	}
	k := sealer(p.Secret)
	pages := binary.BigEndian.Uint32(head[40:])
	if pages == 0 || !hmac.Equal(head[:], k.head(s.stamp, pages)) {
		return finding{}, false
	}
	number, mark := k.place(serial, pages)
	var page [pageSize]byte
	if _, err := f.ReadAt(page[:], headSize+int64(number)*pageSize); err != nil || !hmac.Equal(page[:sealSize], k.seal(head[:], number, page[sealSize:])) {
		return finding{}, false
	}
	first := int64(0) // where the row begins that found is from
	for slots := page[sealSize:]; len(slots) > 0; slots = slots[8:] {
		slot := binary.BigEndian.Uint64(slots)
		if slot == 0 {
			break
		}
		if slot>>offsetLen != mark {
			continue
		}
		var r row
		at := int64(slot&(1<<offsetLen-1)) - 1
		if !s.rowAt(at, &r) {
			return finding{}, false
		}
		if !bytes.Equal(r.key, serial) {
			continue
		}
		// Rows are in no order, for several have put them here.
		if f := r.finding(s.path, 0, nil); f.rank() > found.rank() || f.rank() == found.rank() && at < first {
			found, first = f, at
		}
	}
	return found, found.doubt == nil && s.still()
}

// rowAt reads the row that begins there, which has to be a sound one.
func (s *source) rowAt(offset int64, r *row) bool {
	for size := 512; ; size *= 8 {
		line := make([]byte, size)
		n, err := s.file.ReadAt(line, offset)
		if err != nil && !errors.Is(err, io.EOF) {
			return false
		}
		if end := bytes.IndexByte(line[:n], '\n'); end >= 0 {
			r.cut(bytes.TrimSuffix(line[:end], []byte{'\r'}), true)
			return r.key != nil && r.flaw == sound
		}
		if n < size || size > maxLine {
			return false
		}
	}
}

// sealer seals a file of pages, and spreads serials over them.
type sealer [sha256.Size]byte

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

// Make writes the places of the index at path if that is sound, has rested for
// a while, and is large enough, and if nobody else does it at that moment.
func (p *Places) Make(path string, now time.Time) error {
	s, err := open(path)
	if err != nil {
		return err
	}
	defer s.file.Close()
	if s.stamp.size < worthwhile || s.stamp.size >= 1<<offsetLen || !s.stamp.rested(now) {
		return nil
	}
	unlock, err := lock(p.Path)
	if err != nil || unlock == nil {
		return err
	}
	defer unlock()
	pages, err := p.collect(s)
	if err != nil || pages == nil {
		return err
	}
	return p.write(s.stamp, pages)
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

// collect puts each row into its page. It returns nil where a row is in doubt,
// or the file changed meanwhile.
func (p *Places) collect(s *source) ([][pageSize]byte, error) {
	rows, err := s.count()
	if err != nil {
		return nil, err
	}
	pages := make([][pageSize]byte, rows/expected+1)
	filled := make([]uint8, len(pages))
	var mu sync.Mutex
	uneven, doubtful := false, false
	err = s.scan(func(b *block) (enough bool) {
		at, all := b.at, len(b.text)
		var r row
		mu.Lock()
		defer mu.Unlock()
		doubtful = doubtful || b.torn
		for {
			offset := at + int64(all-len(b.text))
			if !b.next(&r) {
				break
			}
			if r.flaw != sound {
				doubtful = true
				break
			}
			if r.key == nil {
				continue
			}
			if _, flaw := r.entry(nil); flaw != sound {
				doubtful = true
				break
			}
			number, mark := sealer(p.Secret).place(r.key, uint32(len(pages)))
			n := int(filled[number])
			if n == perPage {
				uneven = true
				break
			}
			binary.BigEndian.PutUint64(pages[number][sealSize+8*n:], mark<<offsetLen|uint64(offset+1))
			filled[number]++
		}
		return uneven || doubtful
	})
	switch {
	case err != nil:
		return nil, err
	case uneven:
		return nil, errUneven
	case doubtful || !s.still():
		return nil, nil
	}
	return pages, nil
}

// count counts the lines.
func (s *source) count() (int64, error) {
	var lines atomic.Int64
	err := s.scan(func(b *block) bool {
		lines.Add(int64(bytes.Count(b.text, []byte{'\n'})))
		return false
	})
	return lines.Load(), err
}

// write puts the file in its place, whole.
func (p *Places) write(of stamp, pages [][pageSize]byte) error {
	k := sealer(p.Secret)
	head := k.head(of, uint32(len(pages)))
	err := replace(p.Path, func(w io.Writer) {
		w.Write(head)
		for i := range pages {
			slots := pages[i][sealSize:]
			w.Write(k.seal(head, uint32(i), slots))
			w.Write(slots)
		}
	})
	if err != nil {
		err = fmt.Errorf("places of the index: %w", err)
	}
	return err
}

// replace puts a file in its place, whole, for whoever has its lock. What w writes to
// keeps the first error.
func replace(path string, write func(w io.Writer)) error {
	name := path + ".new" // left over from one that was killed
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, blockSize)
	write(w)
	if err = errors.Join(w.Flush(), f.Close()); err == nil {
		err = os.Rename(name, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}
