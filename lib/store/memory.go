// Package store keeps signed responses.
package store

import (
	"sync"
	"sync/atomic"
)

// entryOverhead is what an entry costs beside its key and its value: the map
// slot, the entry itself, the links.
const entryOverhead = 160

// Memory keeps values by their request's bytes, in memory, up to a number of
// bytes. What was not asked for since the hand last passed goes first (the
// SIEVE rule: a look-up only marks its entry, so that look-ups do not wait for
// each other). The zero value is ready and keeps nothing until MaxBytes is
// set. It is safe for concurrent use; MaxBytes is set before the first use.
type Memory[V any] struct {
	MaxBytes int64 // bound of keys, values and overhead together; 0 keeps nothing

	mu      sync.RWMutex
	entries map[string]*entry[V]
	newest  *entry[V]
	oldest  *entry[V]
	hand    *entry[V] // where the next eviction starts to look; nil: at the oldest
	bytes   int64
}

type entry[V any] struct {
	key          string
	value        V
	size         int64
	asked        atomic.Bool
	newer, older *entry[V]
}

// Get returns the value kept for key, and whether there is one. It does not
// allocate.
func (m *Memory[V]) Get(key []byte) (V, bool) {
	m.mu.RLock()
	e := m.entries[string(key)]
	m.mu.RUnlock()
	if e == nil {
		var none V
		return none, false
	}
	if !e.asked.Load() {
		e.asked.Store(true)
	}
	return e.value, true
}

// Put keeps value, of size bytes, for key, and makes room for it. A value that
// could only be kept alone is not kept.
func (m *Memory[V]) Put(key []byte, value V, size int) {
	e := &entry[V]{key: string(key), value: value, size: int64(len(key)+size) + entryOverhead}
	m.mu.Lock()
	defer m.mu.Unlock()
	if old := m.entries[e.key]; old != nil {
		m.remove(old)
	}
	if e.size > m.MaxBytes {
		return
	}
	for m.bytes+e.size > m.MaxBytes {
		m.evict()
	}
	m.insert(e)
}

// Bytes returns how much is kept, overhead included.
func (m *Memory[V]) Bytes() int64 {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.bytes
}

// evict removes the next entry that was not asked for since the hand passed.
func (m *Memory[V]) evict() {
	e := m.hand
	if e == nil {
		e = m.oldest
	}
	for e.asked.Load() {
		e.asked.Store(false)
		if e = e.newer; e == nil {
			e = m.oldest
		}
	}
	m.hand = e.newer
	m.remove(e)
}

func (m *Memory[V]) insert(e *entry[V]) {
	if m.entries == nil {
		m.entries = map[string]*entry[V]{}
	}
	m.entries[e.key] = e
	m.bytes += e.size
	e.older = m.newest
	if e.older == nil {
		m.oldest = e
	} else {
		e.older.newer = e
	}
	m.newest = e
}

func (m *Memory[V]) remove(e *entry[V]) {
	if m.hand == e {
		m.hand = e.newer
	}
	if e.newer == nil {
		m.newest = e.older
	} else {
		e.newer.older = e.older
	}
	if e.older == nil {
		m.oldest = e.newer
	} else {
		e.older.newer = e.newer
	}
	delete(m.entries, e.key)
	m.bytes -= e.size
}
