package truth_test

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// beginnings are what CAs do first, each what its list has: all that step does is done
// once by one of them, however short they are at work.
var beginnings = [][]func(*authority, *rand.Rand){
	{(*authority).change, (*authority).opensslIssue, (*authority).opensslRevoke, (*authority).opensslUpdateDB, (*authority).forget},
	{(*authority).change, (*authority).truncate, (*authority).restoreOld},
	{(*authority).absent, (*authority).unreadable, (*authority).rest},
}

// step does the next thing. What that is depends on the seed and n alone.
func (a *authority) step(n int) {
	rng := rand.New(rand.NewPCG(a.seed, uint64(n)))
	if n <= len(a.beginning) {
		a.beginning[n-1](a, rng)
		return
	}
	switch k := rng.IntN(100); {
	case k < 68:
		a.change(rng)
	case k < 73:
		a.openssl(rng)
	case k < 79:
		a.truncate(rng)
	case k < 83:
		a.restoreOld(rng)
	case k < 85:
		a.lose(rng)
	case k < 88:
		a.forget(rng)
	case k < 93:
		a.absent(rng)
	case k < 96:
		a.unreadable(rng)
	default:
		a.rest(rng)
	}
	pause(rng, []int{1, 30, 300}[rng.IntN(3)])
}

// rest does nothing for a while: everything can be told.
func (a *authority) rest(*rand.Rand) { time.Sleep(2 * time.Second) }

// change changes some rows, and writes the index in some way.
func (a *authority) change(rng *rand.Rand) {
	next := slices.Clone(a.rows)
	for range 1 + rng.IntN(3) {
		next = changes[rng.IntN(len(changes))](rng, next)
	}
	w := ways[rng.IntN(len(ways))]
	if same := len(a.rows); len(next) > same && slices.Equal(next[:same], a.rows) && rng.IntN(2) == 0 {
		whole, _ := render(a.rows)
		w = appended(len(whole))
	}
	a.update(rng, next, w)
}

// update makes next what is true.
func (a *authority) update(rng *rand.Rand, next []row, w way) {
	before := a.rows
	switch {
	case w.inPlace:
		defer a.settle()()
	case w.cut:
		time.Sleep(time.Until(a.eased.Add(settled)))
	}
	a.put(w.name, next, next, a.by(rng, w, next))
	if a.rows = next; len(a.older) == 8 {
		a.older = a.older[1:]
	}
	a.older = append(a.older, before)
}

// by is the way to write rows.
func (a *authority) by(rng *rand.Rand, w way, rows []row) passage {
	data, _ := render(rows)
	p := passage{inPlace: w.inPlace, gone: untold}
	if w.between || !w.inPlace {
		p.gone = never
	}
	p.write = func(there func(int)) error { return w.write(rng, a.Index, data, there) }
	return p
}

// settle waits until everybody has seen the index as it is, and keeps it from
// being accepted otherwise until the function that it returns is called.
func (a *authority) settle() func() {
	a.work.mu.Lock()
	since := a.work.ended
	a.work.mu.Unlock()
	time.Sleep(time.Until(since.Add(settled)))
	if a.hup == nil {
		return func() {}
	}
	a.hup.RLock()
	return a.hup.RUnlock
}

// passage is how one index becomes another.
type passage struct {
	inPlace bool  // all rows are gone for a while
	gone    claim // what rows that are gone say
	write   func(there func(n int)) error
}

// atOnce is what happens to an index at one moment.
func atOnce(do func() error) passage {
	return passage{gone: never, write: func(func(int)) error { return do() }}
}

// put has the index become next, and who remembers say known.
func (a *authority) put(name string, next, known []row, p passage) {
	a.note(name, next)
	a.work.set(true)
	through := row.expired
	if !p.inPlace {
		through = nil
		a.file.change(a.t, a.onDisk, next, p.gone, nil)
	} else {
		a.file.change(a.t, a.onDisk, next, p.gone, func(row) bool { return true })
	}
	a.memory.change(a.t, a.known, known, never, through)
	if err := a.follow(next, p); err != nil {
		a.t.Errorf("%s: %v", name, err)
	}
	a.file.finishAll()
	a.memory.finishAll()
	a.noteEnd()
	if eases(a.onDisk, next) {
		a.eased = time.Now()
	}
	a.onDisk, a.known = next, known
	a.work.set(false)
}

// eases tells whether rows are released or gone. That is believed of a whole file
// alone: who has not seen it when the next one is cut off goes on as before until it
// is whole.
func eases(before, next []row) bool {
	is := bySerial(next)
	return slices.ContainsFunc(before, func(was row) bool {
		now, there := is[was.serial]
		return !there || was.kind == 'R' && now.kind != 'R'
	})
}

// looksAgain is how long a file may stand still between two rows without being
// taken for whole: who has no memory looks twice within 50 ms. A machine may keep
// a writer for longer than he wants.
const looksAgain = 35 * time.Millisecond

// follow sees rows come true while they are written. While the file looks whole
// but is not, nobody judges: it may come to stand still for too long.
func (a *authority) follow(next []row, p passage) error {
	judged := func() {}
	if p.inPlace && p.gone == untold {
		a.judging.Lock()
		judged = sync.OnceFunc(a.judging.Unlock)
	}
	defer func() { judged() }()
	_, ends := render(next)
	done, start := 0, time.Now()
	stood, between := start, false // an empty file is no whole one
	return p.write(func(n int) {
		if between && p.gone == untold && time.Since(stood) > looksAgain {
			a.file.absent(a.t, next, start)
		}
		for ; done < len(next) && ends[done] <= n; done++ {
			a.finishRow(next[done])
		}
		stood, between = time.Now(), done > 0 && ends[done-1] == n
		if !between {
			judged()
		}
	})
}

// finishRow is for a row that is whole on disk now. One that is released is
// valid when the whole file is.
func (a *authority) finishRow(r row) {
	a.file.whole(r.serial, r.claim(a.t))
	a.memory.whole(r.serial, r.claim(a.t))
}
