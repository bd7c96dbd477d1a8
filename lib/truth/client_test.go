package truth_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ocspcgi/lib/wire"
)

// medium is a way to ask.
type medium struct {
	name     string
	memory   bool          // of the responder: it never forgets a revocation
	believes bool          // without one, but for what was revoked in a file that had rested when somebody asked
	grace    time.Duration // after a change is finished
	backward time.Duration // how far producedAt may go back between two answers: several processes share them
	ask      func(q *question) (*reply, error)
	produced *produced    // shared by the media of one responder
	every    int          // of how many answers one is verified; 0: all are
	asked    atomic.Int64 // so many
}

func (m *medium) history(a *authority) *history {
	if m.memory {
		return &a.memory
	}
	return &a.file
}

// may lists what may be said of a serial to who has asked and was answered then.
func (m *medium) may(a *authority, serial string, asked, answered time.Time) []claim {
	claims := m.history(a).may(serial, asked, answered, m.grace)
	if m.believes {
		for _, c := range a.memory.may(serial, asked, answered, second) {
			if c.status == wire.Revoked {
				claims = append(claims, c)
			}
		}
	}
	return claims
}

// mayDoubt tells whether it may be that a serial cannot be told though nobody was at the
// index: that has forgotten it, and what was believed may be from before its revocation.
func (m *medium) mayDoubt(a *authority, serial string, asked, answered time.Time) bool {
	return (m.memory || m.believes) && a.loses(serial) || m.believes && slices.Contains(a.file.may(serial, asked, answered, m.grace), never) &&
		slices.ContainsFunc(a.memory.may(serial, asked, answered, second), func(c claim) bool { return c != never })
}

// produced is when the latest answer to each question was produced.
type produced struct {
	mu   sync.Mutex
	last map[string]time.Time
}

func (p *produced) before(key string) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last[key]
}

func (p *produced) note(key string, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at.After(p.last[key]) {
		p.last[key] = at
	}
}

// tally is what was answered, and what was wrong.
type tally struct {
	mu             sync.Mutex
	counts         map[string]map[string]int // by medium and status
	answers, wrong int
	faults         []string // the first ones
}

func (c *tally) count(x *exchange, says []string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts[x.medium.name] == nil {
		c.counts[x.medium.name] = map[string]int{}
	}
	c.answers++
	for _, s := range says {
		c.counts[x.medium.name][s]++
	}
	if err != nil {
		c.add(fmt.Errorf("%s: %w\n\t%s", x.medium.name, err, strings.Join(x.of.log(), "\n\t")))
	}
}

// add counts what is wrong. The mutex is held.
func (c *tally) add(err error) {
	const most = 5
	if c.wrong++; c.wrong <= most {
		c.faults = append(c.faults, fmt.Sprintf("%s: %v", time.Now().UTC().Format("15:04:05.000"), err))
	}
}

// fail counts a request that was not answered.
func (c *tally) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(err)
}

// failed tells whether anything was wrong.
func (c *tally) failed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wrong > 0
}

func (c *tally) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var b strings.Builder
	all := 0
	for _, name := range slices.Sorted(maps.Keys(c.counts)) {
		fmt.Fprintf(&b, "%-36s", name)
		for _, says := range slices.Sorted(maps.Keys(c.counts[name])) {
			fmt.Fprintf(&b, " %s %d", says, c.counts[name][says])
			all += c.counts[name][says]
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "%d statuses checked, %d answers wrong", all, c.wrong)
	return b.String()
}

// run asks by a medium until stop is closed.
func (m *medium) run(rng *rand.Rand, cas []*authority, c *tally, stop <-chan struct{}) error {
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		if _, err := m.once(rng, cas[rng.IntN(len(cas))], c); err != nil {
			return err
		}
		pause(rng, 8)
	}
}

// once asks one question, and judges the answer. The error says that there is none.
func (m *medium) once(rng *rand.Rand, a *authority, c *tally) (*exchange, error) {
	q, err := a.question(rng)
	if err != nil {
		return nil, err
	}
	asked := m.asked.Add(1)
	x := &exchange{question: q, medium: m, unverified: m.every > 0 && asked%int64(m.every) != 0}
	key := ""
	if q.nonce == nil && (m.every == 0 || len(q.ids) == 1) {
		key = string(q.der)
		x.floor = m.produced.before(key).Add(-m.backward)
	}
	x.asked = time.Now()
	x.reply, err = m.ask(q)
	if x.answered = time.Now(); err != nil {
		return x, fmt.Errorf("%s: %w", m.name, err)
	}
	m.judge(x, key, c)
	return x, nil
}

func (m *medium) judge(x *exchange, key string, c *tally) {
	x.of.judging.RLock()
	defer x.of.judging.RUnlock()
	says, err := x.judge()
	x.says = says
	c.count(x, says, err)
	// Unknown is not kept where others find it: an older answer may come again.
	if resp, err := x.read(); err == nil && key != "" && !slices.Contains(says, wire.Unknown.String()) {
		m.produced.note(key, resp.ProducedAt)
	}
}

// world is CAs at work, and clients that ask.
type world struct {
	cas   []*authority
	media []*medium
	seed  uint64
	step  func(a *authority, n int) // what a CA does; nil: authority.step
	tally tally
}

// live lets all of it go on for as long as d, or until enough says that it was, and
// until all have done what they do first.
func (w *world) live(t *testing.T, d time.Duration, enough func() bool) {
	t.Helper()
	w.tally.counts = map[string]map[string]int{}
	stop := make(chan struct{})
	errs := make([]error, len(w.media))
	var clients, work sync.WaitGroup
	end := time.Now().Add(d)
	step := w.step
	if step == nil {
		step = (*authority).step
	}
	for i, m := range w.media {
		clients.Go(func() {
			errs[i] = m.run(rand.New(rand.NewPCG(w.seed, uint64(1+i))), w.cas, &w.tally, stop)
		})
	}
	for _, a := range w.cas {
		work.Go(func() {
			for n := 1; n <= len(a.beginning) || time.Now().Before(end) && !enough(); n++ {
				step(a, n)
			}
		})
	}
	work.Wait()
	close(stop)
	clients.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
}
