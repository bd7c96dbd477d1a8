package metrics

import (
	"maps"
	"sync"
	"sync/atomic"
)

// vector counts by key. There are few keys: none is made of what a client says.
type vector[K comparable] struct {
	cells atomic.Pointer[map[K]*atomic.Uint64] // is replaced, never changed

	mu sync.Mutex // held by who replaces it
}

// add counts one more.
func (v *vector[K]) add(key K) {
	if cells := v.cells.Load(); cells != nil {
		if n := (*cells)[key]; n != nil {
			n.Add(1)
			return
		}
	}
	v.cell(key).Add(1)
}

// cell returns the counter of a key, which is new.
func (v *vector[K]) cell(key K) *atomic.Uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	more := map[K]*atomic.Uint64{}
	if cells := v.cells.Load(); cells != nil {
		if n := (*cells)[key]; n != nil {
			return n
		}
		more = maps.Clone(*cells)
	}
	more[key] = new(atomic.Uint64)
	v.cells.Store(&more)
	return more[key]
}

// counts returns what was counted so far.
func (v *vector[K]) counts() map[K]uint64 {
	out := map[K]uint64{}
	if cells := v.cells.Load(); cells != nil {
		for key, n := range *cells {
			out[key] = n.Load()
		}
	}
	return out
}
