package index

import (
	"cmp"
	"slices"
	"sync/atomic"
	"time"
)

// maxFaults is how many faults a report has.
const maxFaults = 20

// faults are the first faults of an index, with the number of all.
type faults struct {
	first []Fault
	count int
}

// note adds what flaw.fault makes of its arguments.
func (f *faults) note(kind flaw, line int, column []byte) {
	if len(f.first) < maxFaults {
		f.first = append(f.first, kind.fault(line, column))
	}
	f.count++
}

// append adds the faults of a later stretch.
func (f *faults) append(more faults) {
	n := min(len(more.first), maxFaults-len(f.first))
	f.first = append(f.first, more.first[:n]...)
	f.count += more.count
}

// stretch is a chunk in the making.
type stretch struct {
	chunk
	faults
	lines int
	blind *DoubtError
	torn  bool
}

// reading is what came of reading a whole file.
type reading struct {
	table *Table
	faults
	crew   crew   // who has read it
	still  bool   // the file did not change meanwhile
	mixed  bool   // it was written meanwhile: its revocations count if the one before has them
	before *Table // the revocations of the reading before, for a mixed one; nil: there was none
	failed error  // it did not, and could not be read all the same
}

// load reads all rows. A revocation after now is a fault of a clock.
func (s *source) load(now time.Time) reading {
	parts := make([]stretch, s.blocks())
	var done atomic.Int64
	room := newArena(s.stamp.size)
	err := s.scan(func(b *block) bool {
		parts[b.number].read(s.path, b, now, room)
		if n := done.Add(1); s.progress != nil {
			s.progress(min(n*blockSize, s.stamp.size), s.stamp.size)
		}
		return false
	})
	r := reading{crew: s.crew}
	var limits limits
	chunks := make([]chunk, len(parts))
	before := 0
	for i := range parts {
		p := &parts[i]
		p.place(before)
		before += p.lines
		if limits.blind == nil {
			limits.blind = p.blind
		}
		if p.torn {
			limits.whole = doubt(s.path, reasonTorn)
		}
		r.append(p.faults)
		chunks[i] = p.chunk
	}
	if r.still = s.still(); r.still {
		r.failed = err
	}
	switch {
	case err != nil:
		limits.whole = doubt(s.path, reasonOf(err))
	case !r.still:
		limits.whole = doubt(s.path, reasonMoved)
	}
	var twice []record
	r.mixed = !r.still && s.written()
	r.table, twice = build(chunks, s.crew)
	r.table.limits = limits
	r.append(duplicates(twice))
	return r
}

// loadAgain reads all rows once more where the file was written meanwhile.
func (s *source) loadAgain(r reading, now time.Time) reading {
	if !r.mixed || s.check() != nil {
		return r
	}
	var revoked pile
	revoked.revoked(r.table)
	before, _ := build(revoked, s.crew)
	r = s.load(now)
	r.before = before
	return r
}

// revokes tells whether a revocation of the table is one that was in the file: not
// half of one row and half of another.
func (r *reading) revokes(key []byte) bool {
	return !r.mixed || r.before.find(key).rank() >= held
}

// duplicates notes second rows for a serial, by their lines.
func duplicates(twice []record) (f faults) {
	slices.SortFunc(twice, func(a, b record) int {
		return cmp.Or(cmp.Compare(a.chunk.before, b.chunk.before), cmp.Compare(a.at, b.at))
	})
	for i, r := range twice {
		line := 0
		if i < maxFaults {
			line = r.line()
		}
		f.note(duplicate, line, nil)
	}
	return f
}

// read reads the rows of a block, and keeps their records in room. Lines are
// counted from the start of the block until place is called.
func (p *stretch) read(path string, b *block, now time.Time, room *arena) {
	p.torn = b.torn
	p.records = b.spare[:0]
	note := func(f flaw, column []byte) { p.note(f, b.line, column) }
	var r row
	for b.next(&r) {
		if r.flaw != sound {
			note(r.flaw, r.serial)
			if p.blind == nil {
				p.blind = r.flaw.doubt(path, b.line)
			}
		}
		if r.key == nil {
			p.skipped = append(p.skipped, uint32(b.line))
			continue
		}
		f := r.finding(path, b.line, note)
		if f.doubt != nil && r.flaw == sound {
			note(badType, r.kind)
		}
		if !now.IsZero() && f.entry.Revoked.After(now) {
			note(future, r.revoked)
		}
		p.add(r.key, f)
	}
	p.lines = b.line
	b.spare, p.records = p.records, room.keep(p.records)
}

// place tells the stretch how many lines there are before it.
func (p *stretch) place(before int) {
	p.before = before
	for i := range p.first {
		p.first[i].Line += before
	}
	if p.blind != nil {
		p.blind.Line += before
	}
	for i := range p.extras {
		if d := p.extras[i].doubt; d != nil {
			d.Line += before
		}
	}
}
