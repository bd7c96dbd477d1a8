package fcgi_test

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// faults is a log.
type faults struct {
	mu   sync.Mutex
	list []error
}

func (f *faults) add(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = append(f.list, err)
}

// want expects one fault with each of these texts, and no other.
func (f *faults) want(t *testing.T, texts ...string) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.list) != len(texts) {
		t.Fatalf("log %v, want %q", f.list, texts)
	}
	for i, text := range texts {
		if !strings.Contains(f.list[i].Error(), text) {
			t.Errorf("log %v, want %q", f.list[i], text)
		}
	}
}

// await waits for as many faults, then expects these.
func (f *faults) await(t *testing.T, texts ...string) {
	t.Helper()
	eventually(t, "log", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return len(f.list) >= len(texts)
	})
	f.want(t, texts...)
}

// eventually waits for ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}
