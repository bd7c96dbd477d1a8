package index

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Believed remembers what the last index said that was whole, for processes that come
// and go: what only memory can tell is told by it, as [Live] tells it. A row that has
// vanished before its expiry keeps its status, and so does a revocation other than a
// hold that was taken back. To have an index accepted as it is, the file is removed.
//
// It is believed only where it is sealed with the secret: whoever knows that could
// sign answers.
type Believed struct {
	Dir    string // where the files are, which Renew writes, one of each index and secret
	Secret [sha256.Size]byte
}

const prefix = "believed-"

// File is where it is remembered what an index says.
func (b *Believed) File(path string) string {
	name := sealer(b.Secret).digest('n', []byte(path))
	return filepath.Join(b.Dir, prefix+hex.EncodeToString(name))
}

// The file is a sealed head and sealed pages of one size, as that of [Places]; a page
// has the records of those serials whose hash picks it.
const (
	memoryPage = 2 << 10
	usedSize   = 2 // octets that say how many of a page are used
	pageRoom   = memoryPage - sealSize - usedSize
)

// memorable is the size in bytes of the largest index that is remembered: all of it
// is in memory for that, twice.
const memorable = huge

// A file is written again once it is as old as renewed, though the index is as it was,
// and one as old as abandoned is removed: nobody needs it any more.
const (
	renewed   = 7 * 24 * time.Hour
	abandoned = 90 * 24 * time.Hour
)

// memory is the file of an index, open.
type memory struct{ *pageFile }

// open opens the file of an index where it is to be believed.
func (b *Believed) open(path string) (m memory, ok bool) {
	m.pageFile, ok = sealer(b.Secret).open(b.File(path))
	return m, ok
}

// page reads one page; nil: it is damaged.
func (m memory) page(number uint32) *chunk {
	var page [memoryPage]byte
	if !m.read(number, page[:]) {
		return nil
	}
	rest := page[sealSize:]
	used := binary.BigEndian.Uint16(rest)
	return &chunk{before: nowhere, records: rest[usedSize : usedSize+used]}
}

// find looks a serial up.
func (m memory) find(serial []byte) (record, bool) {
	number, _ := m.place(serial, m.count)
	page := m.page(number)
	if page == nil {
		return record{}, false
	}
	c := cursor{table: &Table{chunks: []chunk{*page}}}
	for r, ok := c.next(); ok; r, ok = c.next() {
		if bytes.Equal(r.key(), serial) {
			return r, true
		}
	}
	return record{}, false
}

// table is all that is remembered; nil: some of it is damaged.
func (m memory) table(c crew) *Table {
	chunks := make([]chunk, m.count)
	for i := range chunks {
		page := m.page(uint32(i))
		if page == nil {
			return nil
		}
		for r := (record{page, 0}); int(r.at) < len(page.records); r.at = r.next() {
			page.rows++
		}
		chunks[i] = *page
	}
	t, _ := build(chunks, c)
	return t
}

// holds is what is to be said of a serial where the index, in that state, says that,
// and whether what is remembered is to be renewed.
func (b *Believed) holds(path string, says finding, serial []byte, of stamp, now time.Time) (_ finding, renew bool) {
	m, ok := b.open(path)
	if !ok {
		return says, true
	}
	defer m.file.Close()
	info, err := m.file.Stat()
	renew = m.of != of || err != nil || now.Sub(info.ModTime()) > renewed
	if says.entry.Status == Revoked {
		return says, renew
	}
	if r, ok := m.find(serial); ok && (says.rank() > 0 || !past(r, now)) {
		was := r.finding()
		if r.rank() == 2 {
			was.doubt = doubt(path, reasonVanished)
		}
		switch {
		case m.of == of: // the state was judged when it was remembered
			says = stricter(says, was)
		case says.rank() == 0 || r.final():
			says = was
		case says.rank() == 1 && r.rank() == 3:
			says = m.released(path, says, was, now)
		}
	}
	return says, renew
}

// released is what is to be said of who was on hold, where the index says that he is so
// no longer: it is believed if it has not forgotten others.
func (m memory) released(path string, says, was finding, now time.Time) finding {
	s, err := open(path)
	if err != nil {
		return finding{doubt: doubt(path, reasonOf(err))}
	}
	defer s.file.Close()
	if s.stamp.size > memorable {
		return says
	}
	r := s.load(now)
	if r.table.whole != nil {
		return finding{doubt: r.table.whole}
	}
	var found faults
	if found.forgets(m.table(s.crew), r.table, now); found.count > 0 {
		return was
	}
	return says
}

// Renew remembers what the index at path says, if that is whole and has rested for a
// while, and if nobody else does it at that moment. The error is a [*DoubtError] where
// the index has forgotten something, which stays remembered.
func (b *Believed) Renew(path string, now time.Time) error {
	s, err := open(path)
	if err != nil {
		return err
	}
	defer s.file.Close()
	if s.stamp.size == 0 || s.stamp.size > memorable || !s.stamp.rested(now) {
		return nil
	}
	file := b.File(path)
	unlock, err := lock(file)
	if err != nil || unlock == nil {
		return err
	}
	defer unlock()
	r := s.load(now)
	if r.failed != nil || r.table.whole != nil {
		return r.failed
	}
	old := b.read(path, s.crew)
	var found faults
	found.forgets(old, r.table, now)
	err = b.write(file, s.stamp, merge(old, r.table, found.count > 0, now))
	if err = errors.Join(err, b.sweep(file, now)); err != nil || found.count == 0 {
		return err
	}
	return &DoubtError{Path: path, Line: found.first[0].Line, Reason: fmt.Sprintf(
		"has forgotten %d rows or revocations; the first: %s; if this is meant, remove %s", found.count, found.first[0].Text, file)}
}

// read is all that is remembered; nil: nothing is that is to be believed.
func (b *Believed) read(path string, c crew) *Table {
	m, ok := b.open(path)
	if !ok {
		return nil
	}
	defer m.file.Close()
	return m.table(c)
}

// merge is the rows of a newer table, those that are forgotten as they were, and what
// was on hold too where there are such.
func merge(old, newer *Table, forgetful bool, now time.Time) (rows []record) {
	c := cursor{table: newer}
	for r, ok := c.next(); ok; r, ok = c.next() {
		if chosen, _, _ := newer.row(r.key()); chosen != r {
			continue // a second row of its serial
		}
		if was, _, ok := old.row(r.key()); ok && forgetful && was.rank() == 3 && r.rank() < 3 {
			r = was
		}
		rows = append(rows, r)
	}
	c = cursor{table: old}
	for was, ok := c.next(); ok; was, ok = c.next() {
		if _, _, found := newer.row(was.key()); !found && !past(was, now) {
			rows = append(rows, was)
		}
	}
	return rows
}

// write puts the file in its place, whole.
func (b *Believed) write(file string, of stamp, rows []record) error {
	size := 0
	for _, r := range rows {
		size += int(r.next() - r.at)
	}
	for pages := size/(pageRoom/2) + 1; ; pages *= 2 {
		all, ok := b.lay(rows, pages)
		if !ok {
			continue
		}
		return sealer(b.Secret).write(file, of, pages, func(i int) []byte { return all[i][:] })
	}
}

// lay puts each row into its page; not ok: they do not fit.
func (b *Believed) lay(rows []record, pages int) (all [][memoryPage]byte, ok bool) {
	all = make([][memoryPage]byte, pages)
	for _, r := range rows {
		f := r.finding()
		f.entry.Hold, f.entry.Invalid, f.doubt = "", time.Time{}, nil // few have those
		var one chunk
		one.add(r.key(), f)
		number, _ := sealer(b.Secret).place(r.key(), uint32(pages))
		page := all[number][sealSize:]
		used := int(binary.BigEndian.Uint16(page))
		if used+len(one.records) > pageRoom {
			return nil, false
		}
		copy(page[usedSize+used:], one.records)
		binary.BigEndian.PutUint16(page, uint16(used+len(one.records)))
	}
	return all, true
}

// sweep removes what was believed of indexes and with keys that there are no more; not
// what belongs to file, whose lock is held.
func (b *Believed) sweep(file string, now time.Time) error {
	entries, err := os.ReadDir(b.Dir)
	for _, entry := range entries {
		info, gone := entry.Info()
		if gone != nil || !info.Mode().IsRegular() || !strings.HasPrefix(entry.Name(), prefix) ||
			strings.HasPrefix(entry.Name(), filepath.Base(file)) || now.Sub(info.ModTime()) < abandoned {
			continue
		}
		if fault := os.Remove(filepath.Join(b.Dir, entry.Name())); !errors.Is(fault, fs.ErrNotExist) {
			err = errors.Join(err, fault)
		}
	}
	return err
}
