package metrics

import (
	"sync"
	"sync/atomic"
)

// vector counts by key. There are few keys: none is made of what a client says.
type vector[K comparable] struct {
	cells atomic.Pointer[cells[K]]

	mu sync.Mutex // held by who adds a cell
}

// cells are the counters of a vector. They do not change: another key makes
// others.
type cells[K comparable] struct {
	list  []cell[K] // in the order in which they came
	byKey map[K]*atomic.Uint64
}

type cell[K comparable] struct {
	key K
	n   *atomic.Uint64
}

// near is how many cells are looked through before the map is asked: what comes
// often has come early.
const near = 4

// add counts one more.
func (v *vector[K]) add(key K) {
	if n := v.cells.Load().find(key); n != nil {
		n.Add(1)
		return
	}
	v.cell(key).Add(1)
}

func (c *cells[K]) find(key K) *atomic.Uint64 {
	if c == nil {
		return nil
	}
	for i := range c.list[:min(near, len(c.list))] {
		if c.list[i].key == key {
			return c.list[i].n
		}
	}
	if len(c.list) <= near {
		return nil
	}
	return c.byKey[key]
}

// cell returns the counter of a key that may be new.
func (v *vector[K]) cell(key K) *atomic.Uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	old := v.cells.Load()
	if n := old.find(key); n != nil {
		return n
	}
	next := &cells[K]{byKey: map[K]*atomic.Uint64{}}
	if old != nil {
		next.list = append(next.list, old.list...)
	}
	next.list = append(next.list, cell[K]{key, new(atomic.Uint64)})
	for _, c := range next.list {
		next.byKey[c.key] = c.n
	}
	v.cells.Store(next)
	return next.byKey[key]
}

// counts returns what was counted so far.
func (v *vector[K]) counts() map[K]uint64 {
	out := map[K]uint64{}
	if c := v.cells.Load(); c != nil {
		for _, cell := range c.list {
			out[cell.key] = cell.n.Load()
		}
	}
	return out
}
