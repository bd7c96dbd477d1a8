package index

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
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

// A row is in the page that a hash of its serial picks: more of the hash, and where the
// row begins.
const (
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
	f, err := sealer(p.Secret).open(openNoLink(p.Path))
	if err != nil {
		return finding{}, false
	}
	defer f.file.Close()
	number, mark := f.place(serial, f.count)
	var page [pageSize]byte
	if f.of != s.stamp || f.read(number, page[:]) != nil {
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
	err := sealer(p.Secret).write(p.Path, of, len(pages), func(i int) []byte { return pages[i][:] })
	if err != nil {
		err = fmt.Errorf("places of the index: %w", err)
	}
	return err
}
