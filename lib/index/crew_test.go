package index

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// nices are the priorities of the threads of this process, each once.
func nices(t *testing.T) []string {
	t.Helper()
	stats, err := filepath.Glob("/proc/self/task/*/stat")
	if err != nil || len(stats) == 0 {
		t.Skip("no /proc that tells of threads")
	}
	var all []string
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		_, fields, _ := strings.Cut(string(text), ") ")
		all = append(all, strings.Fields(fields)[16]) // proc(5): nice
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// A crew aside has processors beside those that there were, a patient one works at a
// lower priority; both are as before when it is done.
func TestCrewAside(t *testing.T) {
	before, processors := nices(t), runtime.GOMAXPROCS(0)
	for name, c := range map[string]crew{"patient": {3, true, true}, "aside": {3, true, false}, "everybody": {3, false, false}} {
		var mu sync.Mutex
		var done []int
		var during []string
		meanwhile := 0
		c.each(3, func(i int) {
			mu.Lock()
			defer mu.Unlock()
			done = append(done, i)
			during, meanwhile = nices(t), runtime.GOMAXPROCS(0)
		})
		if slices.Sort(done); !slices.Equal(done, []int{0, 1, 2}) {
			t.Errorf("%s: done are %v", name, done)
		}
		more := 0
		if c.aside {
			more = 3
		}
		if lower := !slices.Equal(during, before); lower != c.patient || meanwhile != processors+more {
			t.Errorf("%s: priorities %v, %v before; %d processors, %d before", name, during, before, meanwhile, processors)
		}
		for runtime.GOMAXPROCS(0) != processors || !slices.Equal(nices(t), before) { // threads end a moment later
			runtime.Gosched()
		}
	}
}

// A panic of any of a crew comes to whoever had it work, who may answer it, and not
// before all others are done.
func TestCrewFalls(t *testing.T) {
	processors := runtime.GOMAXPROCS(0)
	for name, c := range map[string]crew{"patient": {3, true, true}, "aside": {3, true, false}, "everybody": {3, false, false}} {
		for who := range 3 {
			var done atomic.Int64
			func() {
				defer func() {
					if why := fmt.Sprint(recover()); !strings.HasPrefix(why, "no such row\n") || !strings.Contains(why, "TestCrewFalls") {
						t.Errorf("%s: the panic is %q", name, why)
					}
				}()
				c.each(3, func(i int) {
					if i == who {
						panic("no such row")
					}
					done.Add(1)
				})
			}()
			if n := done.Load(); n != 2 || runtime.GOMAXPROCS(0) != processors {
				t.Errorf("%s: %d others are done, on %d processors, of %d before", name, n, runtime.GOMAXPROCS(0), processors)
			}
		}
	}
}

// Two crews that are aside at the same time, one of which is done before the other, leave
// as many processors as there were.
func TestCrewsAside(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	c := crew{size: 1, aside: true}
	var working [2]struct{ begun, end, ended chan struct{} }
	for i := range working {
		w := &working[i]
		w.begun, w.end, w.ended = make(chan struct{}), make(chan struct{}), make(chan struct{})
		go func() {
			defer close(w.ended)
			c.each(1, func(int) { close(w.begun); <-w.end })
		}()
		<-w.begun
	}
	for _, w := range working {
		close(w.end)
		<-w.ended
	}
	var all sync.WaitGroup // which begin and end in any order
	for range 8 {
		all.Go(func() {
			for range 50 {
				c.each(1, func(int) {})
			}
		})
	}
	all.Wait()
	if after := runtime.GOMAXPROCS(before); after != before {
		t.Errorf("%d processors, %d before", after, before)
	}
}
