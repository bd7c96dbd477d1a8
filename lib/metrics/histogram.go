package metrics

import (
	"sync/atomic"
	"time"
)

// bounds are the upper bounds of the buckets of durations.
var bounds = [...]time.Duration{
	10 * time.Microsecond, 25 * time.Microsecond, 50 * time.Microsecond,
	100 * time.Microsecond, 250 * time.Microsecond, 500 * time.Microsecond,
	1 * time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond,
	10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	1 * time.Second, 10 * time.Second,
}

// Durations counts durations by buckets, the last of which has no end.
type Durations [len(bounds) + 1]uint64

// histogram counts durations.
type histogram struct {
	sum     atomic.Int64 // nanoseconds; beside the buckets that are hit most
	buckets [len(bounds) + 1]atomic.Uint64
}

func (h *histogram) observe(d time.Duration) {
	i := 0
	for i < len(bounds) && d > bounds[i] {
		i++
	}
	h.buckets[i].Add(1)
	h.sum.Add(int64(d))
}

func (h *histogram) counts() (d Durations) {
	for i := range h.buckets {
		d[i] = h.buckets[i].Load()
	}
	return d
}

// Quantile returns the bound below which that share of durations lies, and 0
// where there are none. Beyond the last bound it is that bound.
func (d *Durations) Quantile(share float64) time.Duration {
	var all, below uint64
	for _, n := range d {
		all += n
	}
	if all == 0 {
		return 0
	}
	for i, n := range d {
		below += n
		if float64(below) >= share*float64(all) {
			return bounds[min(i, len(bounds)-1)]
		}
	}
	return bounds[len(bounds)-1]
}
