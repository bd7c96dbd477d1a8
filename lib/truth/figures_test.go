package truth_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"
)

// figures are what a soak has found.
type figures struct {
	length                                                time.Duration
	requests, failed, untold, garbage, reloads, rotations int64
	before, after                                         vitals
	quiet, loaded                                         time.Duration // of 99 % of the requests
}

func (f figures) String() string {
	return fmt.Sprintf("%v at full rate on %d cores: %d requests, %d failed, %d rightly told to try later, %d of garbage, %d reloads, %d rotations; %.1f MiB before and %.1f after, %d descriptors and %d, %d goroutines and %d; 99 %% within %.2f ms while quiet, %.2f ms under load",
		f.length, runtime.NumCPU(), f.requests, f.failed, f.untold, f.garbage, f.reloads, f.rotations, float64(f.before.kib)/1024, float64(f.after.kib)/1024,
		f.before.files, f.after.files, f.before.goroutines, f.after.goroutines, f.quiet.Seconds()*1000, f.loaded.Seconds()*1000)
}

// faults is what is wrong with them.
func (f figures) faults() (faults []string) {
	long := f.length >= time.Minute
	for _, test := range []struct {
		wrong bool
		what  string
	}{
		{f.failed > 0, "requests failed"},
		{f.requests == 0 || f.garbage == 0 || f.reloads == 0 || f.rotations == 0, "something did not happen at all"},
		{f.after.files > f.before.files, "more descriptors are open than before"},
		{f.after.goroutines > f.before.goroutines, "there are more goroutines than before"},
		{long && f.after.kib*10 > f.before.kib*11, "more memory is taken than before, and a tenth"},
		{long && f.loaded > 3*f.quiet, "99 % of the requests take more than three times as long as while it is quiet"},
	} {
		if test.wrong {
			faults = append(faults, test.what)
		}
	}
	return faults
}

// TestFigures has each fault found, and nothing else.
func TestFigures(t *testing.T) {
	sound := figures{length: time.Minute, requests: 1, garbage: 1, reloads: 1, rotations: 1,
		before: vitals{1000, 10, 10}, after: vitals{1100, 10, 9}, quiet: time.Millisecond, loaded: 3 * time.Millisecond}
	for _, test := range []struct {
		what  string
		spoil func(*figures)
	}{
		{"", func(*figures) {}},
		{"requests failed", func(f *figures) { f.failed = 1 }},
		{"did not happen", func(f *figures) { f.requests = 0 }},
		{"did not happen", func(f *figures) { f.garbage = 0 }},
		{"did not happen", func(f *figures) { f.reloads = 0 }},
		{"did not happen", func(f *figures) { f.rotations = 0 }},
		{"more descriptors", func(f *figures) { f.after.files++ }},
		{"more goroutines", func(f *figures) { f.after.goroutines += 2 }},
		{"more memory", func(f *figures) { f.after.kib++ }},
		{"three times", func(f *figures) { f.loaded++ }},
	} {
		f := sound
		test.spoil(&f)
		faults := strings.Join(f.faults(), ", ")
		if !strings.Contains(faults, test.what) || (test.what == "") != (faults == "") || len(f.faults()) > 1 {
			t.Errorf("%q is found of %v, want %q", faults, f, test.what)
		}
	}
}

// TestSoakFails has a soak find what is wrong on purpose: also what the truth
// excuses, and what only a signature shows that is not looked at each time.
func TestSoakFails(t *testing.T) {
	for name, spoil := range map[string]func(respond) respond{"": nil, "it gives up": giveUp, "a byte is changed": garble, "an answer is given again": parroting} {
		a := newAuthority(t, 1, 40, nil)
		a.work.set(true) // so that whoever gives up is excused
		s := &soak{a: a, tally: tally{counts: map[string]map[string]int{}}}
		m := &medium{name: name, memory: true, every: 16, produced: &produced{last: map[string]time.Time{}},
			ask: wrong{index: eager, spoil: spoil}.ask(t, a)}
		rng := rand.New(rand.NewPCG(1, 1))
		for range 200 {
			x, err := m.once(rng, a, &s.tally)
			if err != nil {
				t.Fatal(err)
			}
			s.note(x)
		}
		if failed := s.failed(); (failed > 0) != (spoil != nil) {
			t.Errorf("%q: %d requests failed: %q", name, failed, s.tally.faults)
		}
	}
}
