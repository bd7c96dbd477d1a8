package index

import "sync"

// piece is how much room an arena takes at a time, in bytes.
const piece = 16 << 20

// arena keeps records beside each other, in large pieces of memory that the kernel
// is asked to map by huge pages. A nil arena keeps each where there is room. It is
// safe for concurrent use.
type arena struct {
	mu   sync.Mutex
	room []byte // what is left of the last piece
}

// newArena returns an arena for the records of an index of so many bytes; nil,
// unless it is large.
func newArena(size int64) *arena {
	if size <= large {
		return nil
	}
	return new(arena)
}

// keep returns a copy of records.
func (a *arena) keep(records []byte) []byte {
	if a == nil || len(records) > piece {
		return append([]byte(nil), records...)
	}
	room := a.take(len(records))
	copy(room, records)
	return room
}

func (a *arena) take(n int) []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.room) < n {
		a.room = make([]byte, piece)
		inHugePages(a.room)
	}
	taken := a.room[:n:n]
	a.room = a.room[n:]
	return taken
}
