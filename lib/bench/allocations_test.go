//go:build !race

package bench_test

import (
	"runtime"
	"testing"

	"ocspcgi/lib/pkitest"
)

// From the first record to the last one, a kept answer is given without an
// allocation, in the log or not. The race detector makes pools forget, so this is
// not built with it.
func TestKeptAnswersAllocateNothing(t *testing.T) {
	const certificates, asked = 100, 20_000
	c := pkitest.NewCompany(t)
	grow(t, c.Index, certificates, random)
	requests := setOf(t, c.CA, certificates, random)
	for _, level := range []string{"warn", "info"} {
		h := handler(t, c, level)
		answer(t, h, requests, certificates) // signed
		answer(t, h, requests, certificates) // looked up
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		answer(t, h, requests, asked)
		runtime.ReadMemStats(&after)
		// A connection has some, and other goroutines of the test a few.
		if n := after.Mallocs - before.Mallocs; n > asked/50 {
			t.Errorf("level %s: %d allocations for %d answers", level, n, asked)
		}
	}
}

// What is kept has no more bytes than it says: cache_bytes is a promise.
func TestKeptAnswersAreCounted(t *testing.T) {
	const certificates = 4321
	c := pkitest.NewCompany(t)
	grow(t, c.Index, certificates, random)
	requests := setOf(t, c.CA, certificates, random)
	h, r := handlerOf(t, c, "warn")
	answer(t, h, requests[:1], 1) // room that is taken once
	before, counted := heap(), r.Kept()
	answer(t, h, requests, certificates)
	grown, said := heap()-before, uint64(r.Kept()-counted)
	t.Logf("%d bytes for an answer, counted %d", grown/certificates, said/certificates)
	if grown > said {
		t.Errorf("%d answers take %d bytes, counted %d", certificates, grown, said)
	}
	runtime.KeepAlive(requests)
	runtime.KeepAlive(r)
}
