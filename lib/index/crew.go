package index

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// crew is who reads an index and makes a table of it: so many goroutines.
type crew struct {
	size    int
	aside   bool // others ask meanwhile
	patient bool // they go first
}

// everybody is a goroutine for each core.
func everybody() crew { return crew{size: runtime.GOMAXPROCS(0)} }

// fewer is one less, which gives way to whoever asks meanwhile.
func fewer() crew { return crew{size: max(1, runtime.GOMAXPROCS(0)-1), aside: true, patient: true} }

// each has work done with each number below n, and waits until all of it is.
//
// A crew aside has processors of its own: on those of all it would keep whoever is
// answered from his turn for 10 ms at a time, which is how long Go lets a goroutine
// run. So there are more threads than cores for a while, and those of a patient crew
// are the last that the kernel gives time to.
//
// A panic in work is one of each, once all others are done: who answers a request
// answers that too, and has no hold on the goroutines that work for it.
func (c crew) each(n int, work func(i int)) {
	var all sync.WaitGroup
	var fallen atomic.Pointer[string]
	defer func() {
		if why := fallen.Load(); why != nil {
			panic(*why)
		}
	}()
	if c.aside {
		processors(n)
		defer processors(-n)
	}
	one := func(i int) {
		defer func() {
			if p := recover(); p != nil {
				why := fmt.Sprintf("%v\n%s", p, debug.Stack())
				fallen.Store(&why)
			}
		}()
		work(i)
	}
	for i := range n {
		switch {
		case c.patient:
			all.Go(func() { giveWay(func() { one(i) }) })
		case c.aside || i < n-1:
			all.Go(func() { one(i) })
		default:
			one(i)
		}
	}
	all.Wait()
}

// counting guards the number of processors, which is the process's: several crews may be
// aside.
var counting sync.Mutex

// processors has so many more of them.
func processors(more int) {
	counting.Lock()
	defer counting.Unlock()
	runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + more)
}
