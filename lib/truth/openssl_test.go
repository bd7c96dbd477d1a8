package truth_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	"ocspcgi/lib/pkitest"
)

// openssl has the real openssl ca work on the index.
func (a *authority) openssl(rng *rand.Rand) {
	switch k := rng.IntN(5); {
	case k == 0:
		a.opensslUpdateDB(rng)
	case k < 3:
		a.opensslRevoke(rng)
	default:
		a.opensslIssue(rng)
	}
}

func (a *authority) opensslUpdateDB(*rand.Rand) { a.run("openssl ca -updatedb", a.UpdateDB) }

// opensslRevoke revokes what was issued first, or issues something for the next time.
func (a *authority) opensslRevoke(rng *rand.Rand) {
	leaf := a.oldLeaf()
	if leaf == nil {
		a.opensslIssue(rng)
		return
	}
	reason := []string{"keyCompromise", "superseded", "certificateHold"}[rng.IntN(3)]
	a.run("openssl ca -revoke", func() { a.Revoke(leaf, reason) })
}

func (a *authority) opensslIssue(rng *rand.Rand) {
	name := fmt.Sprintf("leaf-%x", rng.Uint64())
	a.run("openssl ca", func() { a.leaves = append(a.leaves, a.Issue(name)) })
}

// oldLeaf takes the first certificate that nobody has revoked; nil: there is none.
func (a *authority) oldLeaf() *pkitest.Leaf {
	is := bySerial(a.rows)
	for len(a.leaves) > 0 {
		leaf := a.leaves[0]
		a.leaves = a.leaves[1:]
		if valid(is[leaf.Serial]) {
			return leaf
		}
	}
	return nil
}

// run runs openssl, and sees what it has done. Nobody judges meanwhile what was
// answered, for the date of a revocation is not known yet.
func (a *authority) run(name string, work func()) {
	a.judging.Lock()
	defer a.judging.Unlock()
	a.work.set(true)
	start := time.Now()
	work()
	next := read(a.t, a.index())
	a.file.since, a.memory.since = start, start
	a.put(name, next, next, atOnce(func() error { return nil }))
	a.file.since, a.memory.since = time.Time{}, time.Time{}
	a.rows = next
}
