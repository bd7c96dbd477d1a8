package truth_test

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"ocspcgi/lib/servertest"
)

// vitals are what a process has.
type vitals struct{ kib, files, goroutines int }

// idle waits until the program has nothing to do, with an empty cache, and says
// what it has then. It gives back the memory that it does not need some seconds
// after each request that nothing follows.
func (s *soak) idle(t *testing.T) vitals {
	t.Helper()
	s.rotate(t, nil)
	if *soaking < time.Minute {
		time.Sleep(time.Second)
		return s.vitals(t)
	}
	least := math.MaxInt
	for range 4 {
		if _, err := s.r.Ask("POST", "/ocsp", nil); err != nil {
			t.Error(err)
		}
		time.Sleep(6 * time.Second)
		least = min(least, servertest.Resident(t, s.process.Pid()))
	}
	v := s.vitals(t)
	v.kib = least
	return v
}

func (s *soak) vitals(t *testing.T) (v vitals) {
	t.Helper()
	client := http.Client{Transport: servertest.OverUnix(s.admin)}
	resp, err := client.Get("http://admin/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "\ngo_goroutines ")
	if _, err := fmt.Sscan(rest, &v.goroutines); err != nil {
		t.Fatal(err)
	}
	v.kib = servertest.Resident(t, s.process.Pid())
	v.files, _ = servertest.Files(t, s.process.Pid())
	return v
}

// latencies counts durations, by their logarithm.
type latencies [40 * perOctave]int64

// perOctave is how many counters there are from a duration to its double.
const perOctave = 32

func (l *latencies) note(d time.Duration) {
	i := int(math.Log2(float64(max(d, 1))) * perOctave)
	l[min(i, len(l)-1)]++
}

func (l *latencies) add(other *latencies) {
	for i, n := range other {
		l[i] += n
	}
}

// quantile is the duration that this share of all does not exceed, to 2 %.
func (l *latencies) quantile(share float64) time.Duration {
	var all, below int64
	for _, n := range l {
		all += n
	}
	for i, n := range l {
		if below += n; n > 0 && float64(below) >= share*float64(all) {
			return time.Duration(math.Exp2(float64(i+1) / perOctave))
		}
	}
	return 0
}
