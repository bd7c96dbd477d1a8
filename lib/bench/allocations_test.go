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
