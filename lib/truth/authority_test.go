package truth_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/wire"
)

// authority is a CA that is at work, with what is true of its certificates.
type authority struct {
	*pkitest.Company
	t     testing.TB
	names *wire.Issuer
	seed  uint64
	hup   *accepting // nil: nobody accepts an index as it is

	beginning []func(*authority, *rand.Rand) // what it does first

	rows   []row     // what is true
	onDisk []row     // what the index has; less than that while it is damaged
	known  []row     // what who remembers has to say; more than that while he accepted less
	older  [][]row   // what was true before
	eased  time.Time // when rows were last released or gone
	leaves []*pkitest.Leaf

	file   history // of a responder without a memory: what the index says
	memory history // of one that never forgets a revocation
	work   work

	judging sync.RWMutex // kept from those who judge answers while nobody knows what is true

	mu      sync.Mutex
	lost    string   // the serial that was issued in an index that is gone; empty: none was
	serials []string // that were ever issued, the latest last
	done    []string // what was done to the index, the latest last
}

// accepting keeps an index from being accepted while it is damaged by another
// CA than the one that wants it.
type accepting struct {
	sync.RWMutex
	signal func() error
}

// settled is how long a responder with a memory has had to see what is there.
const settled = 1500 * time.Millisecond

func newAuthority(t testing.TB, seed uint64, rows int, hup *accepting) *authority {
	t.Helper()
	return authorityOf(t, pkitest.NewCompany(t), seed, rows, hup)
}

// authorityOf puts a company to work, which has issued what it will by itself.
func authorityOf(t testing.TB, c *pkitest.Company, seed uint64, rows int, hup *accepting) *authority {
	t.Helper()
	a := &authority{Company: c, t: t, seed: seed, hup: hup}
	for _, h := range []*history{&a.file, &a.memory} {
		h.states, h.open = map[string][]state{}, map[string]bool{}
	}
	names, err := wire.NewIssuer(a.Certificate.RawSubject, a.Certificate.RawSubjectPublicKeyInfo)
	if err != nil {
		t.Fatal(err)
	}
	a.names = names
	a.rows = read(t, a.index())
	rng := rand.New(rand.NewPCG(seed, 0))
	for range rows {
		a.rows = append(a.rows, issued(rng))
	}
	data, _ := render(a.rows)
	if err := os.WriteFile(a.Index, data, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, r := range a.rows {
		for _, h := range []*history{&a.file, &a.memory} {
			h.begin(r.serial, r.claim(t))
			h.finish(r.serial)
		}
		a.serials = append(a.serials, r.serial)
	}
	a.onDisk, a.known = a.rows, a.rows
	return a
}

func (a *authority) index() []byte {
	data, err := os.ReadFile(a.Index)
	if err != nil {
		a.t.Fatal(err)
	}
	return data
}

// issued is a new row; most certificates do not last.
func issued(rng *rand.Rand) row {
	life := time.Duration(3+rng.IntN(60)) * time.Second
	if rng.IntN(3) == 0 {
		life = 1000 * time.Hour
	}
	serial := fmt.Sprintf("%016X", rng.Uint64()|1<<62)
	return row{'V', time.Now().Add(life).UTC().Truncate(time.Second), "", serial, "/C=GB/CN=" + serial}
}

// note remembers what is done, and which serials are worth to be asked for.
func (a *authority) note(name string, next []row) {
	a.mu.Lock()
	defer a.mu.Unlock()
	was := bySerial(a.onDisk)
	changed := 0
	for _, r := range next {
		before, ok := was[r.serial]
		delete(was, r.serial)
		if !ok || before != r {
			a.serials = append(a.serials, r.serial)
			changed++
		}
	}
	a.done = append(a.done, fmt.Sprintf("%s %s: %d rows, %d changed, %d fewer", time.Now().UTC().Format("15:04:05.000"), name, len(next), changed, len(was)))
	const most, told = 500, 12
	a.serials = a.serials[max(0, len(a.serials)-most):]
	a.done = a.done[max(0, len(a.done)-told):]
}

// noteEnd adds to what was noted last when it was over.
func (a *authority) noteEnd() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.done[len(a.done)-1] += time.Now().UTC().Format(", until 15:04:05.000")
}

// pick is a serial to ask for: one that has changed lately, an older one, or one
// that nobody ever issued.
func (a *authority) pick(rng *rand.Rand) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch n := len(a.serials); rng.IntN(8) {
	case 0:
		return fmt.Sprintf("%016X", rng.Uint64()|1<<62)
	case 1, 2, 3:
		return a.serials[rng.IntN(n)]
	default:
		return a.serials[n-1-rng.IntN(min(6, n))]
	}
}

// log is what was done lately.
func (a *authority) log() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.done)
}
