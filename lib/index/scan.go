package index

import (
	"bytes"
	"errors"
	"io"
	"sync/atomic"
)

const (
	blockSize = 1 << 20   // how much of a file is read at a time to keep what is in it, in bytes
	lookSize  = 256 << 10 // the same to look for one row: new memory costs more than reads, and a core's cache holds this much
	tail      = 4 << 10   // how much more, to find the end of the last line
)

// block is a stretch of the file: all lines that begin in it.
type block struct {
	number int
	line   int    // how many of its lines have been cut off
	text   []byte // the rest
	at     int64  // where in the file it began
	odd    bool   // there is a NUL or CR in the text
	torn   bool   // the file ends in it, and not in a newline, or not where it should
	end    bool   // it was read to the end of the file
	room   []byte
	spare  []byte // room for who visits the block
}

// next cuts the next line off into r, which has a key or a flaw if the line has
// a row.
func (b *block) next(r *row) bool {
	if len(b.text) == 0 {
		return false
	}
	b.line++
	line := b.text
	i := bytes.IndexByte(line, '\n')
	whole := i >= 0
	if whole {
		line, b.text = line[:i], line[i+1:]
	} else {
		b.text = nil
	}
	if b.odd {
		line = bytes.TrimSuffix(line, []byte{'\r'})
		if bytes.IndexByte(line, 0) >= 0 || bytes.IndexByte(line, '\r') >= 0 {
			r.serial, r.key, r.flaw = nil, nil, notText
			return true
		}
	}
	r.cut(line, whole)
	return true
}

// fill reads block number n.
func (b *block) fill(s *source, n int) error {
	if b.room == nil {
		b.room = make([]byte, min(s.stamp.size, 1+s.blockSize+maxLine+tail))
	}
	*b = block{number: n, room: b.room, spare: b.spare}
	// One byte more in front tells whether a line begins with the block.
	from, skip := int64(n)*s.blockSize-1, 1
	if n == 0 {
		from, skip = 0, 0
	}
	text, err := b.read(s, from, 0, skip+int(s.blockSize))
	if err != nil {
		return err
	}
	b.torn = b.torn || b.end && !bytes.HasSuffix(text, []byte{'\n'})
	if n > 0 {
		i := bytes.IndexByte(text, '\n')
		if i < 0 || i+1 == len(text) {
			return nil
		}
		skip = i + 1
	}
	if text, err = b.complete(s, from, text); err != nil {
		return err
	}
	b.text = text[skip:]
	if n == 0 {
		b.text = bytes.TrimPrefix(b.text, []byte("\xef\xbb\xbf"))
	}
	b.at = from + int64(len(text)-len(b.text))
	b.odd = bytes.IndexByte(b.text, 0) >= 0 || bytes.IndexByte(b.text, '\r') >= 0
	return nil
}

// complete reads on to the end of the last line, or until that is too long.
func (b *block) complete(s *source, from int64, text []byte) ([]byte, error) {
	last := bytes.LastIndexByte(text, '\n') + 1
	for last < len(text) && !b.end && len(text)-last <= maxLine {
		have := len(text)
		more, err := b.read(s, from, have, have+tail)
		if err != nil {
			return nil, err
		}
		text = more
		if i := bytes.IndexByte(text[have:], '\n'); i >= 0 {
			return text[:have+i+1], nil
		}
	}
	return text, nil
}

// read reads the file into room[have:want], which begins at from, and returns
// what is there. What was written behind the size that the file had when it
// was opened is left alone.
func (b *block) read(s *source, from int64, have, want int) ([]byte, error) {
	want = int(min(int64(want), s.stamp.size-from))
	n, err := s.file.ReadAt(b.room[have:want], from+int64(have))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	b.torn = b.torn || have+n < want
	b.end = err != nil || from+int64(want) == s.stamp.size
	return b.room[:have+n], nil
}

// blocks is how many blocks the file has.
func (s *source) blocks() int {
	return int((s.stamp.size + s.blockSize - 1) / s.blockSize)
}

// scan visits the blocks of the file, several at a time. They are taken in
// order: when visit returns true, all blocks before have been or are being
// visited, and no further ones are.
func (s *source) scan(visit func(*block) (enough bool)) error {
	var taken atomic.Int64
	var stop atomic.Bool
	blocks := s.blocks()
	work := func() error {
		var b block
		for !stop.Load() {
			n := int(taken.Add(1) - 1)
			if n >= blocks {
				return nil
			}
			if err := b.fill(s, n); err != nil {
				stop.Store(true)
				return err
			}
			if visit(&b) {
				stop.Store(true)
			}
		}
		return nil
	}
	errs := make([]error, min(s.crew.size, blocks))
	s.crew.each(len(errs), func(i int) { errs[i] = work() })
	return errors.Join(errs...)
}
