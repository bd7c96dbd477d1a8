package index

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Believed remembers what the last index said that was whole, for processes that come
// and go: what only memory can tell is told by it, as [Live] tells it. Who was revoked
// stays so where his row has vanished before its expiry, or where that was taken back and
// was no hold. Other rows that have vanished are in doubt: there may have been indexes
// that nobody has seen. To have an index accepted as it is, the file is removed.
//
// Each user has a memory of his own, for what others put there is not believed. While it
// cannot be read, or is damaged, only what the index revokes is told.
type Believed struct {
	Dir string // where the files are, which Renew writes, one of each index and CA
	// CA is a digest of the keys that the index may be kept by: where a CA is made anew at
	// the same path, nothing is known of it.
	CA [sha256.Size]byte
}

// format is in all digests: with another one all of it would be another file.
const format = "ocspcgi believed 1"

// File is where it is remembered what an index says.
func (b *Believed) File(path string) string {
	const enough = 16
	name := b.sealer(path).digest('n')[:enough]
	return filepath.Join(b.Dir, fmt.Sprintf("believed-%d-%x", os.Geteuid(), name))
}

// sealer seals the file of an index. It has no secret: it is for damage, and against
// the files of others in the same place; whose a file is its owner tells.
func (b *Believed) sealer(path string) sealer {
	if whole, err := filepath.Abs(path); err == nil {
		path = whole
	}
	return sealer(sha256.Sum256(slices.Concat([]byte(format), b.CA[:], []byte(path))))
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

// memory is the file of an index, open.
type memory struct{ *pageFile }

// open opens the file of an index; nil: there is none. The error says why nobody can tell
// what was believed.
func (b *Believed) open(path string) (*memory, *DoubtError) {
	p, err := b.sealer(path).open(openOwn(b.File(path)))
	switch {
	case errors.Is(err, errNone):
		return nil, nil
	case err != nil:
		return nil, b.doubt(path, err)
	}
	return &memory{p}, nil
}

// errNone says that there is no such file of this user's.
var errNone = errors.New("index: nothing is remembered")

// openOwn opens a file that is this user's. One of somebody else is none, and so is any
// in a directory that this user may not look into.
func openOwn(path string) (*os.File, error) {
	f, err := openNoLink(path)
	if err != nil {
		info, fault := os.Lstat(path)
		unreachable := slices.ContainsFunc([]error{unix.ENOENT, unix.ENOTDIR, unix.EACCES, unix.ELOOP},
			func(e error) bool { return errors.Is(fault, e) })
		if unreachable || fault == nil && !own(info) {
			err = errNone
		}
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !own(info) {
		err = errNone
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// own tells whether a file is a regular one of this user's.
func own(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && info.Mode().IsRegular() && st.Uid == uint32(os.Geteuid())
}

// doubt says that what was believed of an index cannot be told.
func (b *Believed) doubt(path string, err error) *DoubtError {
	return doubt(b.File(path), fmt.Sprintf("what was believed of %s: %s; if that index is right, remove this file", path, reasonOf(err)))
}

// page reads one page.
func (m *memory) page(number uint32) (*chunk, error) {
	var page [memoryPage]byte
	if err := m.read(number, page[:]); err != nil {
		return nil, err
	}
	rest := page[sealSize:]
	used := binary.BigEndian.Uint16(rest)
	return &chunk{before: nowhere, records: rest[usedSize : usedSize+used]}, nil
}

// find looks a serial of the index at path up. It is over when all of its rows are past.
func (m *memory) find(path string, serial []byte, now time.Time) (found finding, over bool, err error) {
	number, _ := m.place(serial, m.count)
	page, err := m.page(number)
	if err != nil {
		return finding{}, false, err
	}
	over = true
	c := cursor{table: &Table{chunks: []chunk{*page}}}
	for r, ok := c.next(); ok; r, ok = c.next() {
		if !bytes.Equal(r.key(), serial) {
			continue
		}
		f := r.finding()
		if r.rank() == doubtful {
			f.doubt = doubt(path, reasonDoubted)
		}
		found, over = stricter(found, f), over && r.past(now)
	}
	return found, over, nil
}

// table is all that is remembered.
func (m *memory) table(c crew) (*Table, error) {
	chunks := make([]chunk, m.count)
	for i := range chunks {
		page, err := m.page(uint32(i))
		if err != nil {
			return nil, err
		}
		for r := (record{page, 0}); int(r.at) < len(page.records); r.at = r.next() {
			page.rows++
		}
		chunks[i] = *page
	}
	t, _ := build(chunks, c)
	return t, nil
}

// holds is what is to be said of a serial where the index, in that state, says that,
// and whether what is remembered is to be renewed.
func (b *Believed) holds(path string, says finding, serial []byte, of stamp, now time.Time) (_ finding, renew bool) {
	m, why := b.open(path)
	if m == nil {
		return stricter(says, finding{doubt: why}), why == nil
	}
	defer m.file.Close()
	renew = m.of != of
	was, over, err := m.find(path, serial, now)
	switch {
	case err != nil:
		return stricter(says, finding{doubt: b.doubt(path, err)}), false
	case was.rank() == missing || says.rank() == missing && over:
		return says, renew
	case was.rank() == listed && says.rank() == missing: // it may have been revoked when nobody looked
		was = finding{doubt: doubt(path, reasonVanished)}
	}
	switch {
	case m.of == of, was.rank() == final: // the state was judged when it was remembered
		says = stricter(says, was)
	case says.rank() == missing:
		says = was
	case says.rank() == listed && was.rank() == held:
		says = b.released(path, m, says, was, of, now)
	}
	return says, renew
}

// released is what is to be said of who was on hold, where the index says that he is so
// no longer: it is believed if it has not forgotten others.
func (b *Believed) released(path string, m *memory, says, was finding, of stamp, now time.Time) finding {
	s, err := open(path)
	if err != nil {
		return finding{doubt: doubt(path, reasonOf(err))}
	}
	defer s.file.Close()
	if s.stamp.size > memorable {
		return says
	}
	r := s.load(now)
	switch {
	case r.table.whole != nil:
		return finding{doubt: r.table.whole}
	case s.stamp != of:
		return finding{doubt: doubt(path, reasonMoved)}
	}
	old, err := m.table(s.crew)
	if err != nil {
		return finding{doubt: b.doubt(path, err)}
	}
	var found faults
	if found.forgets(old, r.table, now); found.count > 0 {
		return was
	}
	return says
}

// Renew remembers what the index at path says, if that is whole and has rested for a
// while, and if nobody else does it at that moment. The error joins a [*DoubtError] where
// the index has forgotten something, which stays remembered, or where nobody can tell
// whether it has: then nothing is renewed.
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
	old, why := b.read(path, s.crew)
	if why != nil {
		return why
	}
	var found faults
	found.forgets(old, r.table, now)
	err = b.write(path, s.stamp, merge(old, r.table, found.count > 0, now))
	if found.count == 0 {
		return err
	}
	first, _, _ := strings.Cut(found.first[0].Text, ";") // not what Live makes of it
	return errors.Join(&DoubtError{Path: path, Line: found.first[0].Line, Reason: fmt.Sprintf(
		"has forgotten %d rows or revocations; the first: %s; if this is meant, remove %s", found.count, first, file)}, err)
}

// read is all that is remembered; nil: nothing is.
func (b *Believed) read(path string, c crew) (*Table, *DoubtError) {
	m, why := b.open(path)
	if m == nil {
		return nil, why
	}
	defer m.file.Close()
	t, err := m.table(c)
	if err != nil {
		return nil, b.doubt(path, err)
	}
	return t, nil
}

// merge is what is to be remembered of each serial: what a newer table says and, where
// that has forgotten any, what was stricter before, on hold too.
func merge(old, newer *Table, forgetful bool, now time.Time) (all pile) {
	keep := func(r record, f finding) {
		f.entry.Hold, f.entry.Invalid, f.doubt = "", time.Time{}, nil // few have those
		all.add(r.key(), f)
	}
	newer.serials(func(is record) {
		f := newer.lasting(is)
		if was, _, ok := old.row(is.key()); ok && forgetful {
			before := old.lasting(was)
			if was.rank() >= held && was.rank() > is.rank() {
				f, before = before, f
			}
			f = f.until(before)
		}
		keep(is, f)
	})
	old.serials(func(was record) {
		f := old.lasting(was)
		if _, _, found := newer.row(was.key()); !found && !f.past(now) {
			keep(was, f)
		}
	})
	return all
}

// serials calls each with the row that stands of each serial.
func (t *Table) serials(each func(r record)) {
	c := cursor{table: t}
	for r, ok := c.next(); ok; r, ok = c.next() {
		if stands, _, _ := t.row(r.key()); stands == r {
			each(r)
		}
	}
}

// write puts the file of an index in its place, whole.
func (b *Believed) write(path string, of stamp, rows pile) error {
	size := 0
	for _, c := range rows {
		size += len(c.records)
	}
	k := b.sealer(path)
	least := size/(pageRoom/2) + 1
	for pages := least; pages <= mostUneven*least; pages *= 2 {
		if all, ok := k.lay(rows, pages); ok {
			return k.write(b.File(path), of, pages, func(i int) []byte { return all[i][:] })
		}
	}
	return fmt.Errorf("what is believed of %s: %w", path, errUneven)
}

// mostUneven is how many times the pages are tried that would do if serials were
// spread evenly.
const mostUneven = 64

// lay puts each row into its page; not ok: they do not fit.
func (k sealer) lay(rows pile, pages int) (all [][memoryPage]byte, ok bool) {
	all = make([][memoryPage]byte, pages)
	c := cursor{table: &Table{chunks: rows}}
	for r, ok := c.next(); ok; r, ok = c.next() {
		octets := r.chunk.records[r.at:r.next()]
		number, _ := k.place(r.key(), uint32(pages))
		page := all[number][sealSize:]
		used := int(binary.BigEndian.Uint16(page))
		if used+len(octets) > pageRoom {
			return nil, false
		}
		copy(page[usedSize+used:], octets)
		binary.BigEndian.PutUint16(page, uint16(used+len(octets)))
	}
	return all, true
}
