// Package store keeps signed responses.
package store

import (
	"bytes"
	"hash/maphash"
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
//
// Of many entries each is somewhere in memory that no cache has: that is most of
// the time of a look-up. So there are as few steps as can be: from the hash to the
// entry, which has its value in it, and from there to the key.
type Memory[V any] struct {
	MaxBytes int64 // bound of keys, values and overhead together; 0 keeps nothing

	mu      sync.RWMutex
	seed    maphash.Seed
	entries map[uint64]*Entry[V] // by the hash of the key: of two keys with the same, the newer is kept
	newest  *Entry[V]
	oldest  *Entry[V]
	hand    *Entry[V] // where the next eviction starts to look; nil: at the oldest
	bytes   int64
}

// Entry is a value with its key. Both are set before it is Put, and the key does
// not change from then on; nor is it Put again.
type Entry[V any] struct {
	Key   []byte
	hash  uint64
	asked atomic.Bool
	Value V

	size         int64
	newer, older *Entry[V]
}

// Get returns the value kept for key, nil where there is none. It does not
// allocate.
func (m *Memory[V]) Get(key []byte) *V {
	m.mu.RLock()
	var e *Entry[V]
	if len(m.entries) > 0 {
		e = m.entries[maphash.Bytes(m.seed, key)]
	}
	m.mu.RUnlock()
	if e == nil || !bytes.Equal(e.Key, key) {
		return nil
	}
	if !e.asked.Load() {
		e.asked.Store(true)
	}
	return &e.Value
}

// Put keeps an entry whose value has size bytes, and makes room for it. One that
// could only be kept alone is not kept.
func (m *Memory[V]) Put(e *Entry[V], size int) {
	e.size = int64(len(e.Key)+size) + entryOverhead
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.entries == nil {
		m.entries, m.seed = map[uint64]*Entry[V]{}, maphash.MakeSeed()
	}
	e.hash = maphash.Bytes(m.seed, e.Key)
	if old := m.entries[e.hash]; old != nil {
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

func (m *Memory[V]) insert(e *Entry[V]) {
	m.entries[e.hash] = e
	m.bytes += e.size
	e.older = m.newest
	if e.older == nil {
		m.oldest = e
	} else {
		e.older.newer = e
	}
	m.newest = e
}

func (m *Memory[V]) remove(e *Entry[V]) {
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
	delete(m.entries, e.hash)
	m.bytes -= e.size
}
