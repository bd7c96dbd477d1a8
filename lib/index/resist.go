package index

import (
	"slices"
	"time"
)

// resist is the state after a file was read that is not believed, for the
// reason given: what is stricter in it counts.
func (s *state) resist(r reading, why *DoubtError) *state {
	next := &state{believed: s.believed, standing: s.standing, newer: s.sift(r, why)}
	if s.believed == nil {
		next.limits = limits{whole: why}
	} else {
		next.blind = first(r.table.whole, r.table.blind, s.believed.blind)
	}
	if r.still {
		next.stand(r.crew, r.table)
	}
	return next
}

// issue keeps in mind what was issued although the file believed does not have it: by
// files before this one, and by this one where it is whole, but not believed. What is
// revoked stands.
func (s *state) issue(r reading, before *Table, why *DoubtError, now time.Time) {
	var all pile
	add := func(t *Table, row record) {
		f := t.lasting(row)
		if _, _, ok := s.believed.row(row.key()); !ok && row.rank() < held && !f.past(now) {
			all.add(row.key(), finding{entry: Entry{Status: Valid, Expires: f.entry.Expires}})
		}
	}
	before.serials(func(row record) { add(before, row) })
	if r.still && r.table.whole == nil {
		s.newer.serials(func(row record) {
			if _, _, ok := r.table.row(row.key()); ok { // it is no older one
				add(s.newer, row)
			}
		})
	}
	if len(all) > 0 {
		s.issued, _ = build(all, r.crew)
		s.issued.whole = why
	}
}

// sift keeps the rows of a newer table that are stricter than those believed. A row
// that only a file in doubt has is doubtful: it may be half of one row and half of
// another, as may be one that revokes in a file that was written meanwhile. So is one
// that only a file before this one has had: it may be about to be written again.
func (s *state) sift(r reading, why *DoubtError) *Table {
	var kept pile
	c := cursor{table: r.table}
	for row, ok := c.next(); ok; row, ok = c.next() {
		if s.believed.asStrict(row) {
			continue
		}
		f := row.finding()
		if r.table.whole != nil && f.rank() == listed || f.rank() >= held && !r.revokes(row.key()) {
			f = finding{doubt: r.table.whole}
		}
		kept.add(row.key(), f)
	}
	c = cursor{table: s.newer}
	for row, ok := c.next(); ok; row, ok = c.next() {
		if s.believed.find(row.key()).rank() == missing && r.table.find(row.key()).rank() == missing {
			kept.add(row.key(), finding{doubt: why})
		}
	}
	sifted, _ := build(kept, r.crew)
	return sifted
}

// since is the state, which was made of an old one, with what was foreseen of later
// files since the one that was read was opened.
func (s *state) since(old, now *state) *state {
	if now.changed != old.changed {
		s.changed = now.changed
	}
	if now.suspects != old.suspects {
		s.suspects = now.suspects
	}
	if now.standing != old.standing {
		s.stand(everybody(), now.standing, old.standing)
	}
	s.stand(everybody(), now.ahead) // what the old one has too, and this one may be without
	return s
}

// stand has the revocations of a table stand, but for those that do already and
// those that other tables have.
func (s *state) stand(c crew, t *Table, others ...*Table) {
	var all pile
	all.revoked(t, append(others, s.believed, s.standing)...)
	if len(all) > 0 {
		all.revoked(s.standing)
		s.standing, _ = build(all, c)
	}
}

// asStrict tells whether a table has a row as strict as that one.
func (t *Table) asStrict(r record) bool {
	old, _, ok := t.row(r.key())
	return ok && r.rank() <= old.rank()
}

// keeps tells whether a table has a finding as strict as that one of a serial, for as long.
func (t *Table) keeps(key []byte, f finding) bool {
	old, _, ok := t.row(key)
	return ok && f.rank() <= old.rank() && f.end() <= t.lasting(old).end()
}

// pile is chunks in the making, whose rows are on no line.
type pile []chunk

func (p *pile) add(key []byte, f finding) {
	n := len(*p)
	if n == 0 || len((*p)[n-1].records) >= blockSize {
		*p = append(*p, chunk{before: nowhere})
		n++
	}
	(*p)[n-1].add(key, f)
}

// revoked adds all rows that are revoked, but for those that other tables keep.
func (p *pile) revoked(t *Table, others ...*Table) {
	c := cursor{table: t}
	for r, ok := c.next(); ok; r, ok = c.next() {
		if r.rank() < held {
			continue
		}
		f := t.lasting(r)
		has := func(other *Table) bool { return other.keeps(r.key(), f) }
		if !slices.ContainsFunc(others, has) {
			p.add(r.key(), f)
		}
	}
}

// first is the first doubt that there is.
func first(doubts ...*DoubtError) *DoubtError {
	for _, d := range doubts {
		if d != nil {
			return d
		}
	}
	return nil
}
