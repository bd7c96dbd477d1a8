package responder

import (
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/wire"
)

// ErrOverloaded is the Err of an answer that was not signed because too many
// were to be: who asks again in a while is answered.
var ErrOverloaded = errors.New("more answers are to be signed than can be")

// errOvertaken is the Err of an answer that was not true any more once it was signed.
var errOvertaken = errors.New("the index has changed while the answer was signed")

const (
	// soon is how old the rows may be that an answer says. Where the kernel tells of
	// no change it is seen half a second later, and with the time that it takes to read
	// an index, no revocation is to wait for more than a second.
	soon = 250 * time.Millisecond
	// mostAhead is how much work may be ahead of a signature. Behind more of it
	// nobody waits, but is told to try later at once.
	mostAhead = 50 * time.Millisecond
	// untold is what a signature is taken to cost before the first one is made.
	untold = 500 * time.Microsecond
	// elsewhere is how many signatures are asked for at a time of a key that is
	// not in this process.
	elsewhere = 8
)

// turns has so many signatures made at a time, and lets the others wait for
// their turn. What many will be given has a line of its own, and the two lines
// move in turn: however many ask with nonces, it is signed.
type turns struct {
	mu    sync.Mutex
	most  int // at a time
	busy  int // under way
	lines [2]line
	next  int // the line that moves next
}

// line is who waits, the first one first.
type line struct {
	waiting []waiter
	work    time.Duration // all that they will take
}

type waiter struct {
	turn chan struct{} // closed when it has come
	cost time.Duration
}

// limit says how many signatures are made at a time, once and for all: later there may
// be more processors for a while, for who reads an index.
func (t *turns) limit(most int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.most == 0 {
		t.most = most
	}
}

// take waits for the turn of a signature that costs so much, and reports whether
// it has come: it does not wait if it were for too long. The turn ends with give.
//
// What is ahead is counted in work, not by a clock: on a machine that is busy
// with other things everything takes longer, and nobody is sent away for that.
//
// Where all turns are taken, whoever else can run does so before the next one
// begins: requests that have come in meanwhile would else wait in the scheduler's
// queue, of which nobody knows how long it is. So what is kept is given first, and
// what is too much is refused.
func (t *turns) take(shared bool, cost time.Duration) bool {
	mine, other := 0, 1
	if shared {
		mine, other = 1, 0
	}
	t.mu.Lock()
	if t.busy < t.most {
		t.busy++
		last := t.busy == t.most
		t.mu.Unlock()
		if last {
			runtime.Gosched()
		}
		return true
	}
	l := &t.lines[mine]
	ahead := l.work + min(l.work, t.lines[other].work)
	if len(l.waiting) >= t.most && ahead > time.Duration(t.most)*mostAhead {
		t.mu.Unlock()
		return false
	}
	turn := make(chan struct{})
	l.waiting = append(l.waiting, waiter{turn, cost})
	l.work += cost
	t.mu.Unlock()
	<-turn
	runtime.Gosched()
	return true
}

// give ends a turn, and has the next one come.
func (t *turns) give() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for range t.lines {
		l := &t.lines[t.next]
		t.next = 1 - t.next
		if len(l.waiting) > 0 {
			first := l.waiting[0]
			l.waiting[0] = waiter{}
			l.waiting = l.waiting[1:]
			l.work -= first.cost
			close(first.turn)
			return
		}
	}
	t.busy--
}

// cost is what a signature of a key is found to take.
type cost struct {
	nanoseconds atomic.Int64 // 0: none was made yet
	elsewhere   bool         // the key is not in this process
}

func (c *cost) expected() time.Duration {
	if n := c.nanoseconds.Load(); n > 0 {
		return time.Duration(n)
	}
	return untold
}

// learn notes how long a signature took. Of a key in this process the shortest
// ones count, and others a little: they are what the work takes where nothing
// else is in the way. Elsewhere others may be ahead of it, all those that are
// asked for at the same time among them, and the mean tells how fast they go.
func (c *cost) learn(took time.Duration) {
	now, was := max(int64(took), 1), c.nanoseconds.Load()
	switch {
	case was == 0, now < was && !c.elsewhere:
		was = now
	case c.elsewhere:
		was += (now - was) / 8
	default:
		was += min(now-was, was) / 64
	}
	c.nanoseconds.Store(was)
}

// sign makes the answer that rows lead to once it is its turn to be signed.
func (r *Responder) sign(req *wire.Request, rows []row, id *identity, now time.Time) *Answer {
	turns := id.turns
	if turns == nil {
		turns = &r.turns
	}
	if !turns.take(r.forMany(req, rows), id.cost.expected()) {
		return refusal(ocsp.TryLater, ErrOverloaded, describe(rows))
	}
	defer turns.give()
	if id.away.Load() {
		if !id.tried.CompareAndSwap(false, true) {
			return id.gone(rows)
		}
		defer id.tried.Store(false)
	}
	began := r.now()
	answer := r.signNow(req, rows, id, now)
	if answer.Err != nil {
		return answer
	}
	ended := r.now()
	id.cost.learn(ended.Sub(began))
	if ended.Sub(now) > soon && !stand(rows) {
		return refusal(ocsp.TryLater, errOvertaken, describe(rows))
	}
	return answer
}

// forMany reports whether an answer is for more than who asks, and there are no
// more of its kind than the index has certificates.
func (r *Responder) forMany(req *wire.Request, rows []row) bool {
	return r.CacheBytes > 0 && !r.own(req) && !slices.ContainsFunc(rows, func(row row) bool { return !row.found })
}
