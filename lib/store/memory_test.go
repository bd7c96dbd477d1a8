package store_test

import (
	"fmt"
	"sync"
	"testing"

	"ocspcgi/lib/store"
)

func TestMemoryKeepsAndReplaces(t *testing.T) {
	m := &store.Memory[string]{MaxBytes: 1 << 20}
	if v, ok := m.Get([]byte("a")); ok {
		t.Fatalf("empty memory has %q", v)
	}
	m.Put([]byte("a"), "1", 1)
	before := m.Bytes()
	m.Put([]byte("a"), "2", 1)
	if v, ok := m.Get([]byte("a")); !ok || v != "2" {
		t.Errorf("got %q %v, want the second value", v, ok)
	}
	if m.Bytes() != before {
		t.Errorf("replacing grew the count of bytes from %d to %d", before, m.Bytes())
	}
}

func TestMemoryIsBounded(t *testing.T) {
	const limit = 64 << 10
	m := &store.Memory[int]{MaxBytes: limit}
	for i := range 10_000 {
		m.Put(fmt.Appendf(nil, "%d", i), i, 1000)
		if m.Bytes() > limit {
			t.Fatalf("after %d entries %d bytes are kept, the bound is %d", i+1, m.Bytes(), limit)
		}
	}
	if v, ok := m.Get([]byte("9999")); !ok || v != 9999 {
		t.Errorf("the newest entry is gone")
	}
}

func TestMemoryEvictsWhatWasNotAskedFor(t *testing.T) {
	m := &store.Memory[int]{MaxBytes: 64 << 10}
	m.Put([]byte("hot"), 1, 1000)
	for i := range 1000 {
		if _, ok := m.Get([]byte("hot")); !ok {
			t.Fatalf("the entry asked for each time went after %d others", i)
		}
		m.Put(fmt.Appendf(nil, "%d", i), i, 1000)
	}
}

func TestMemoryTooLargeForAnything(t *testing.T) {
	m := &store.Memory[int]{MaxBytes: 2000}
	m.Put([]byte("small"), 1, 100)
	m.Put([]byte("large"), 2, 5000)
	if _, ok := m.Get([]byte("large")); ok {
		t.Error("a value over the bound was kept")
	}
	if _, ok := m.Get([]byte("small")); !ok {
		t.Error("a value over the bound drove another out")
	}
	m.Put([]byte("small"), 3, 5000)
	if v, ok := m.Get([]byte("small")); ok {
		t.Errorf("the value %d was replaced by one too large and is still there", v)
	}
}

func TestMemoryZeroKeepsNothing(t *testing.T) {
	var m store.Memory[int]
	m.Put([]byte("a"), 1, 1)
	if _, ok := m.Get([]byte("a")); ok {
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
				if v, ok := m.Get(key); ok && v != (i*7+g)%200 {
					t.Errorf("key %s gave %d", key, v)
				}
				m.Put(key, (i*7+g)%200, 300)
			}
		})
	}
	wg.Wait()
}

func TestMemoryGetDoesNotAllocate(t *testing.T) {
	m := &store.Memory[int]{MaxBytes: 1 << 20}
	key := []byte("a request of some length, as they come")
	m.Put(key, 1, 1)
	if n := testing.AllocsPerRun(100, func() { m.Get(key) }); n != 0 {
		t.Errorf("%v allocations a look-up", n)
	}
}
