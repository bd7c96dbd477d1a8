package index

import (
	"bytes"
	"hash/maphash"
	"math/bits"
)

// Table is a whole index in memory. It does not change: it is safe for
// concurrent use.
type Table struct {
	limits
	chunks []chunk
	slots  []uint64 // open addressing: tag, chunk, place in the chunk plus one; 0: free
	seed   maphash.Seed
	len    int
}

// A slot has a tag from the hash in its upper bits, so that most misses are
// seen without a look at the record.
const (
	placeBits = 24
	chunkBits = 24
	tagMask   = uint64(0xffff) << (placeBits + chunkBits)
)

// Load reads a whole index. The error, a [*DoubtError], says that it cannot be
// read at all; of a file that moved meanwhile or is cut off, [Table.Lookup] says
// so.
func Load(path string) (*Table, error) {
	s, err := open(path)
	if err != nil {
		return nil, doubt(path, reasonOf(err))
	}
	defer s.file.Close()
	return s.load().table, nil
}

// Lookup returns the entry of a serial, [ErrNotFound], or a [*DoubtError]. It
// does not allocate.
func (t *Table) Lookup(serial []byte) (Entry, error) {
	return t.apply(t.find(minimal(serial))).answer()
}

// Len is the number of serials.
func (t *Table) Len() int {
	if t == nil {
		return 0
	}
	return t.len
}

// rows is the number of rows, of which some may have the same serial.
func (t *Table) rows() int {
	n := 0
	for i := range t.chunks {
		n += t.chunks[i].rows
	}
	return n
}

// find is what the row of a serial says. A nil Table has no rows.
func (t *Table) find(key []byte) finding {
	r, _, ok := t.row(key)
	if !ok {
		return finding{}
	}
	return r.finding()
}

// row is the row of a serial, with its slot.
func (t *Table) row(key []byte) (r record, slot uint64, ok bool) {
	if t == nil || len(t.slots) == 0 {
		return record{}, 0, false
	}
	at, _ := t.slot(key)
	if *at == 0 {
		return record{}, 0, false
	}
	return t.record(*at), *at, true
}

// slot returns the slot that a serial has or would get, and the tag for it.
func (t *Table) slot(key []byte) (slot *uint64, tag uint64) {
	i, tag := t.home(key)
	for {
		slot = &t.slots[i]
		if *slot == 0 || *slot&tagMask == tag && bytes.Equal(t.record(*slot).key(), key) {
			return slot, tag
		}
		if i++; i == len(t.slots) {
			i = 0
		}
	}
}

// home is where the search for a serial begins.
func (t *Table) home(key []byte) (i int, tag uint64) {
	hash := maphash.Bytes(t.seed, key)
	hi, _ := bits.Mul64(hash, uint64(len(t.slots)))
	return int(hi), hash << 48
}

// record is what a slot points to.
func (t *Table) record(slot uint64) record {
	return record{&t.chunks[chunkOf(slot)], uint32(slot&(1<<placeBits-1)) - 1}
}

func chunkOf(slot uint64) int { return int(slot &^ tagMask >> placeBits) }

// cursor goes through the rows of a table in the order of the file.
type cursor struct {
	table *Table
	chunk int
	at    uint32
}

// peek is the row that comes next.
func (c *cursor) peek() (record, bool) {
	for c.table != nil && c.chunk < len(c.table.chunks) {
		chunk := &c.table.chunks[c.chunk]
		if int(c.at) < len(chunk.records) {
			return record{chunk, c.at}, true
		}
		c.chunk, c.at = c.chunk+1, 0
	}
	return record{}, false
}

// next is the row that comes next, and goes past it.
func (c *cursor) next() (record, bool) {
	r, ok := c.peek()
	if ok {
		c.at = r.next()
	}
	return r, ok
}

// jump goes past the row of a slot.
func (c *cursor) jump(slot uint64) {
	c.chunk, c.at = chunkOf(slot), c.table.record(slot).next()
}

// build makes a table of chunks. Of two rows with one serial the stricter
// stands, the first where they are equally strict; twice, which may be nil, is
// told of the second.
func build(chunks []chunk, twice func(record)) *Table {
	t := &Table{chunks: chunks, seed: maphash.MakeSeed()}
	if rows := t.rows(); rows > 0 {
		t.slots = make([]uint64, rows+rows/3+1)
	}
	c := cursor{table: t}
	for ahead := c; ; {
		ahead.touch()
		for range stride {
			r, ok := c.next()
			if !ok {
				return t
			}
			t.insert(c.chunk, r, twice)
		}
	}
}

// insert gives a row a slot.
func (t *Table) insert(chunk int, r record, twice func(record)) {
	slot, tag := t.slot(r.key())
	switch {
	case *slot == 0:
		t.len++
	case twice != nil:
		twice(r)
	}
	if *slot == 0 || r.rank() > t.record(*slot).rank() {
		*slot = tag | uint64(chunk)<<placeBits | uint64(r.at+1)
	}
}

// stride is how many rows are inserted at a time.
const stride = 32

// touch goes past a stride of rows and brings their slots into the cache. All
// at once they take little longer than one.
func (c *cursor) touch() (sum uint64) {
	for range stride {
		r, ok := c.next()
		if !ok {
			break
		}
		home, _ := c.table.home(r.key())
		sum += c.table.slots[home]
	}
	return sum
}
