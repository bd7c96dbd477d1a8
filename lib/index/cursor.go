package index

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
