package index

import (
	"bytes"
	"hash/maphash"
	"math/bits"
	"time"
)

// Table is a whole index in memory. It does not change: it is safe for
// concurrent use.
type Table struct {
	limits
	chunks []chunk
	slots  []uint64 // open addressing: tag, chunk, place in the chunk plus one; 0: free
	seed   maphash.Seed
	len    int
	last   map[string]record // of a serial with several rows the one that is past last; none, or one before it: the one that stands
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
	return s.load(time.Time{}).table, nil
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
	home, tag := t.home(key)
	if slot = t.slots[t.search(home, tag, key)]; slot == 0 {
		return record{}, 0, false
	}
	return t.record(slot), slot, true
}

// lasting is what a row says until the last row of its serial is past.
func (t *Table) lasting(r record) finding {
	f := r.finding()
	if last, ok := t.last[string(r.key())]; ok {
		f = f.until(last.finding())
	}
	return f
}

// home is where the search for a serial begins.
func (t *Table) home(key []byte) (i int, tag uint64) {
	hash := maphash.Bytes(t.seed, key)
	hi, _ := bits.Mul64(hash, uint64(len(t.slots)))
	return int(hi), hash << (placeBits + chunkBits)
}

// search is the slot that has the serial, or would get it.
func (t *Table) search(home int, tag uint64, key []byte) int {
	i := t.probe(home, len(t.slots), tag, key)
	if i == len(t.slots) {
		i = t.probe(0, len(t.slots), tag, key)
	}
	return i
}

// probe is the first slot from i on that has the serial or is free; end: none
// before.
func (t *Table) probe(i, end int, tag uint64, key []byte) int {
	for ; i < end; i++ {
		slot := t.slots[i]
		if slot == 0 || slot&tagMask == tag && bytes.Equal(t.record(slot).key(), key) {
			break
		}
	}
	return i
}

// record is what a slot points to.
func (t *Table) record(slot uint64) record {
	return record{&t.chunks[chunkOf(slot)], uint32(slot&(1<<placeBits-1)) - 1}
}

func chunkOf(slot uint64) int { return int(slot &^ tagMask >> placeBits) }
