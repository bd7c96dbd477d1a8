package truth_test

import (
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"ocspcgi/lib/wire"
)

// truncate cuts the index off somewhere, and puts it back.
func (a *authority) truncate(rng *rand.Rand) {
	defer a.settle()()
	_, ends := render(a.rows)
	size := rng.IntN(ends[len(ends)-1])
	if rng.IntN(3) == 0 {
		size = ends[rng.IntN(len(ends))]
	}
	kept := 0
	for kept < len(ends) && ends[kept] <= size {
		kept++
	}
	if kept < len(ends) { // what is left of this one may revoke
		a.file.leave(a.rows[kept].serial)
	}
	for _, r := range a.rows[kept:] {
		if r.expired() {
			a.memory.doubt(r.serial, never)
		}
	}
	p := atOnce(func() error { return os.Truncate(a.Index, int64(size)) })
	if !slices.Contains(ends, size) {
		p.gone = untold
	}
	a.put("truncation", a.rows[:kept], a.rows, p)
	a.work.set(true) // until it is whole again
	pause(rng, 1000)
	a.recover(rng, ways)
}

// recover puts the whole index back.
func (a *authority) recover(rng *rand.Rand, ways []way) {
	a.file.resume(a.t, a.rows)
	a.memory.resume(a.t, a.rows)
	w := ways[rng.IntN(len(ways))]
	a.put("all again by "+w.name, a.rows, a.rows, a.by(rng, w, a.rows))
}

// restoreOld puts an older index in place for a while, in which a certificate may
// be revoked that is valid.
func (a *authority) restoreOld(rng *rand.Rand) {
	if len(a.older) == 0 {
		return
	}
	defer a.settle()()
	old := slices.Clone(a.older[rng.IntN(len(a.older))])
	back := ways
	if rng.IntN(2) == 0 {
		next := slices.Clone(a.rows)
		if revokeIn(rng, next, old) {
			a.rows, back = next, renames // whoever has not seen it yet must not lose it
		}
	}
	a.put("an older index", old, a.remembered(old), a.by(rng, ways[0], old))
	pause(rng, 1500)
	a.recover(rng, back)
}

// revokeIn revokes a certificate that is valid in two indexes.
func revokeIn(rng *rand.Rand, rows, older []row) bool {
	is := map[string]int{}
	for i, r := range rows {
		is[r.serial] = i
	}
	done := false
	among(rng, older, func(r row) bool {
		i, ok := is[r.serial]
		return ok && valid(r) && valid(rows[i])
	}, func(r *row) {
		r.kind, r.revoked = 'R', revocation(rng, false)
		rows[is[r.serial]] = *r
		done = true
	})
	return done
}

// remembered is what who remembers has to say once he sees an older index. Where
// he may have either for true, that is left open.
func (a *authority) remembered(old []row) []row {
	known := slices.Clone(a.rows)
	was := bySerial(old)
	for i, r := range known {
		o, ok := was[r.serial]
		delete(was, r.serial)
		is, before := r.claim(a.t), o.claim(a.t)
		switch {
		case !ok && r.expired():
			a.memory.doubt(r.serial, never)
		case !ok || is == before:
		case before.status == wire.Revoked && is.status != wire.Revoked:
			known[i] = o
		case before.status == wire.Revoked || r.held():
			a.memory.doubt(r.serial, before)
		}
	}
	for serial, o := range was {
		a.memory.doubt(serial, o.claim(a.t))
	}
	return known
}

// forget puts an older index in place, and has it accepted as it is.
func (a *authority) forget(rng *rand.Rand) {
	if len(a.older) == 0 || a.hup == nil {
		return
	}
	a.settle()()
	a.hup.Lock()
	defer a.hup.Unlock()
	old := a.older[rng.IntN(len(a.older))]
	a.put("an older index", old, a.remembered(old), a.by(rng, ways[0], old))
	time.Sleep(settled)
	a.memory.resume(a.t, old)
	a.put("SIGHUP", old, old, atOnce(a.hup.signal))
	time.Sleep(settled)
	a.recover(rng, renames)
}

// lose puts an older index in place, issues by it, and puts all the others back: who
// remembers cannot tell what became of that one, until the index is accepted as it is.
func (a *authority) lose(rng *rand.Rand) {
	older := slices.DeleteFunc(slices.Clone(a.older), func(old []row) bool { return !a.misses(old) })
	if len(older) == 0 || a.hup == nil {
		return
	}
	old := slices.Clone(older[rng.IntN(len(older))])
	a.settle()()
	a.hup.Lock()
	defer a.hup.Unlock()
	r := issued(rng)
	r.expires = time.Now().Add(1000 * time.Hour)
	known := a.remembered(old)
	old = append(old, r)
	a.put("an older index, with a new row", old, append(slices.Clone(known), r), a.by(rng, ways[0], old))
	time.Sleep(settled)
	a.losing(r.serial)
	a.memory.begin(r.serial, untold)
	a.known = known
	a.recover(rng, ways)
	time.Sleep(2 * settled)
	a.memory.begin(r.serial, never)
	a.put("SIGHUP", a.rows, a.rows, atOnce(a.hup.signal))
	time.Sleep(settled)
	a.losing("")
}

// misses tells whether who remembers does not take an older index for true, as long as it
// is there, and has nothing on hold from it once all is back.
func (a *authority) misses(old []row) bool {
	is := bySerial(old)
	gone, released := false, false
	for _, r := range a.rows {
		o, there := is[r.serial]
		gone = gone || !there && r.expires.After(time.Now().Add(time.Minute))
		gone = gone || there && r.kind == 'R' && !r.held() && valid(o)
		released = released || there && valid(r) && !valid(o)
	}
	return gone && !released
}

// losing notes which certificate is lost; empty: none is.
func (a *authority) losing(serial string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lost = serial
}

func (a *authority) loses(serial string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.lost == serial
}

// hide takes the index away and brings it back.
func (a *authority) hide(rng *rand.Rand, name string, away, back func() error) {
	defer a.settle()()
	a.note(name, a.onDisk)
	a.work.set(true)
	defer a.work.set(false)
	if err := away(); err != nil {
		a.t.Error(err)
	}
	pause(rng, 1000)
	if err := back(); err != nil {
		a.t.Error(err)
	}
}

// absent has no index there for a while.
func (a *authority) absent(rng *rand.Rand) {
	gone := a.Index + ".gone"
	a.hide(rng, "absence", func() error { return os.Rename(a.Index, gone) }, func() error { return os.Rename(gone, a.Index) })
}

// unreadable puts the index there as root with a strict umask does, and mends it.
func (a *authority) unreadable(rng *rand.Rand) {
	a.hide(rng, "no permission", func() error {
		data, _ := render(a.rows)
		if err := os.WriteFile(a.Index+".new", data, 0o600); err != nil {
			return err
		}
		return os.Rename(a.Index+".new", a.Index)
	}, func() error { return os.Chmod(a.Index, 0o644) })
}
