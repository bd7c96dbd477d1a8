package index

import (
	"hash/maphash"
	"maps"
)

// build makes a table of chunks, with the rows whose serials an earlier row has,
// in no order. Of two such rows the stricter stands, the first where they are
// equally strict.
func build(chunks []chunk, c crew) (t *Table, twice []record) {
	t = &Table{chunks: chunks, seed: maphash.MakeSeed()}
	rows := t.rows()
	if rows == 0 {
		return t, nil
	}
	t.slots = make([]uint64, rows+2*rows/3+1)
	inHugePages(t.slots)
	const few = 10_000 // are not worth the start of another goroutine
	if rows < few {
		c = crew{size: 1}
	}
	parts := make([]builder, min(c.size, 1+rows/few))
	c.each(len(parts), func(i int) {
		p := &parts[i]
		p.table = t
		p.from, p.to = i*len(t.slots)/len(parts), (i+1)*len(t.slots)/len(parts)
		p.build()
	})
	for i := range parts {
		p := &parts[i]
		for _, row := range p.left {
			p.put(t.search(row.home, row.tag, row.key()), row)
		}
		t.len += p.len
		if t.last == nil {
			t.last = p.last
		}
		maps.Copy(t.last, p.last)
		twice = append(twice, p.twice...)
	}
	return t, twice
}

// builder gives slots to the rows whose home is in one part of a table.
type builder struct {
	table    *Table
	from, to int
	len      int
	twice    []record
	last     map[string]record
	left     []placed // found no slot before the end of the part
	touched  uint64   // keeps the compiler from leaving out a load
}

// placed is a row with where its search for a slot begins.
type placed struct {
	record
	chunk int
	home  int
	tag   uint64
}

// build inserts its rows by strides: their slots are brought into the cache
// all at once, which takes little longer than one.
func (b *builder) build() {
	var stride [32]placed
	c := cursor{table: b.table}
	for more := true; more; {
		n := 0
		for n < len(stride) {
			var row placed
			if row.record, more = c.next(); !more {
				break
			}
			row.chunk = c.chunk
			row.home, row.tag = b.table.home(row.key())
			if row.home < b.from || row.home >= b.to {
				continue
			}
			b.touched |= b.table.slots[row.home]
			stride[n] = row
			n++
		}
		for _, row := range stride[:n] {
			if i := b.table.probe(row.home, b.to, row.tag, row.key()); i < b.to {
				b.put(i, row)
			} else {
				b.left = append(b.left, row)
			}
		}
	}
}

// put gives a slot to a row, unless a row with its serial has it that stands.
func (b *builder) put(i int, row placed) {
	slot := &b.table.slots[i]
	if *slot == 0 {
		b.len++
		*slot = row.slot()
		return
	}
	b.twice = append(b.twice, row.record)
	stands := b.table.record(*slot)
	last, ok := b.last[string(row.key())]
	if !ok {
		last = stands
	}
	if row.end() > last.end() {
		last = row.record
	}
	if row.rank() > stands.rank() {
		stands, *slot = row.record, row.slot()
	}
	if last.end() > stands.end() {
		if b.last == nil {
			b.last = make(map[string]record)
		}
		b.last[string(row.key())] = last
	}
}

// slot is what points to the row.
func (row placed) slot() uint64 {
	return row.tag | uint64(row.chunk)<<placeBits | uint64(row.at+1)
}
