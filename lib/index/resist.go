package index

// resist is the state after a file was read that is not believed, for the
// reason given: what is stricter in it counts.
func (s *state) resist(r reading, why *DoubtError) *state {
	next := &state{believed: s.believed, standing: s.standing, newer: r.table}
	if s.believed == nil {
		next.limits = limits{whole: why}
	} else {
		next.newer = s.sift(r.table)
		next.blind = first(r.table.whole, r.table.blind, s.believed.blind)
	}
	if r.still {
		var all pile
		all.revoked(s.standing)
		all.revoked(next.newer)
		next.standing, _ = build(all, fewer())
	}
	return next
}

// sift keeps the rows of a newer table that are stricter than those believed, which
// a revocation is that is no hold any more. A row that only a file in doubt has is
// doubtful: it may be half of one row and half of another.
func (s *state) sift(t *Table) *Table {
	var kept pile
	c := cursor{table: t}
	for r, ok := c.next(); ok; r, ok = c.next() {
		if old, _, ok := s.believed.row(r.key()); ok && r.rank() <= old.rank() && (old.final() || !r.final()) {
			continue
		}
		f := r.finding()
		if t.whole != nil && f.rank() == 1 {
			f = finding{doubt: t.whole}
		}
		kept.add(r.key(), f)
	}
	sifted, _ := build(kept, fewer())
	return sifted
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

// revoked adds all rows that are revoked.
func (p *pile) revoked(t *Table) {
	c := cursor{table: t}
	for r, ok := c.next(); ok; r, ok = c.next() {
		if f := r.finding(); f.entry.Status == Revoked {
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
