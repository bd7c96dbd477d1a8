package store_test

import (
	"fmt"
	"sync"
	"testing"

	"ocspcgi/lib/store"
)

// put keeps one value more.
func put[V any](m *store.Memory[V], key []byte, value V, size int) {
	m.Put(&store.Entry[V]{Key: key, Value: value}, size)
}

func TestMemoryKeepsAndReplaces(t *testing.T) {
	m := &store.Memory[string]{MaxBytes: 1 << 20}
	if v := m.Get([]byte("a")); v != nil {
		t.Fatalf("empty memory has %q", *v)
	}
	put(m, []byte("a"), "1", 1)
	before := m.Bytes()
	put(m, []byte("a"), "2", 1)
	if v := m.Get([]byte("a")); v == nil || *v != "2" {
		t.Errorf("got %v, want the second value", v)
	}
	if m.Bytes() != before {
		t.Errorf("replacing grew the count of bytes from %d to %d", before, m.Bytes())
	}
}

func TestMemoryIsBounded(t *testing.T) {
	const limit = 64 << 10
	m := &store.Memory[int]{MaxBytes: limit}
	for i := range 10_000 {
		put(m, fmt.Appendf(nil, "%d", i), i, 1000)
		if m.Bytes() > limit {
			t.Fatalf("after %d entries %d bytes are kept, the bound is %d", i+1, m.Bytes(), limit)
		}
	}
	if v := m.Get([]byte("9999")); v == nil || *v != 9999 {
		t.Errorf("the newest entry is gone")
	}
}

func TestMemoryEvictsWhatWasNotAskedFor(t *testing.T) {
	m := &store.Memory[int]{MaxBytes: 64 << 10}
	put(m, []byte("hot"), 1, 1000)
	for i := range 1000 {
		if m.Get([]byte("hot")) == nil {
			t.Fatalf("the entry asked for each time went after %d others", i)
		}
		put(m, fmt.Appendf(nil, "%d", i), i, 1000)
	}
}

func TestMemoryTooLargeForAnything(t *testing.T) {
	m := &store.Memory[int]{MaxBytes: 2000}
	put(m, []byte("small"), 1, 100)
	put(m, []byte("large"), 2, 5000)
	if m.Get([]byte("large")) != nil {
		t.Error("a value over the bound was kept")
	}
	if m.Get([]byte("small")) == nil {
		t.Error("a value over the bound drove another out")
	}
	put(m, []byte("small"), 3, 5000)
	if v := m.Get([]byte("small")); v != nil {
		t.Errorf("the value %d was replaced by one too large and is still there", *v)
	}
}

func TestMemoryZeroKeepsNothing(t *testing.T) {
	var m store.Memory[int]
	put(&m, []byte("a"), 1, 1)
	if m.Get([]byte("a")) != nil {
		t.Error("kept without room")
	}
}

func TestMemoryConcurrent(t *testing.T) {
	m := &store.Memory[int]{MaxBytes: 32 << 10}
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 5000 {
				key := fmt.Appendf(nil, "%d", (i*7+g)%200)
				if v := m.Get(key); v != nil && *v != (i*7+g)%200 {
					t.Errorf("key %s gave %d", key, *v)
				}
				put(m, key, (i*7+g)%200, 300)
			}
		})
	}
	wg.Wait()
}

func TestMemoryGetDoesNotAllocate(t *testing.T) {
	m := &store.Memory[int]{MaxBytes: 1 << 20}
	key := []byte("a request of some length, as they come")
	put(m, key, 1, 1)
	if n := testing.AllocsPerRun(100, func() { m.Get(key) }); n != 0 {
		t.Errorf("%v allocations a look-up", n)
	}
}
