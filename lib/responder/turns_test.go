package responder_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/index"
	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/responder"
	"ocspcgi/lib/wire"
)

// Those who are answered alone and those whose answer many get come in turn.
func TestTurns(t *testing.T) {
	var turns responder.Turns
	turns.Limit(1)
	if !turns.Take(false, time.Millisecond) {
		t.Fatal("the first one is sent away")
	}
	came := make(chan string)
	for i, name := range []string{"own 1", "own 2", "own 3", "many 1", "many 2"} {
		go func() {
			if turns.Take(name[0] == 'm', time.Millisecond) {
				came <- name
			}
		}()
		for turns.Waiting() <= i {
			runtime.Gosched()
		}
	}
	var order []string
	for range 5 {
		turns.Give()
		order = append(order, <-came)
	}
	if want := []string{"own 1", "many 1", "own 2", "many 2", "own 3"}; !slices.Equal(order, want) {
		t.Errorf("%q, want %q", order, want)
	}
	turns.Give()
	if !turns.Take(false, time.Millisecond) {
		t.Error("nobody signs, and yet there is no turn")
	}
}

// Who would have to wait for too long is sent away, and not because of who waits in the
// other line, who counts as much as comes in turn; what costs a lot may still have one
// ahead of it. What has had its turn is ahead of nobody.
func TestTurnsAreRefused(t *testing.T) {
	for _, test := range []struct {
		cost      time.Duration
		most      int
		own, many int // may wait
	}{
		{time.Millisecond, 1, 51, 26}, {10 * time.Millisecond, 1, 6, 3}, {10 * time.Millisecond, 2, 11, 6}, {time.Second, 1, 1, 1}, {time.Second, 4, 4, 4},
	} {
		var turns responder.Turns
		turns.Limit(test.most)
		for range 2 {
			for range test.most {
				turns.Take(false, test.cost)
			}
			var group sync.WaitGroup
			own := fill(&turns, &group, false, test.cost)
			many := fill(&turns, &group, true, test.cost)
			if own != test.own || many != test.many {
				t.Errorf("%v, %d at a time: %d wait alone and %d for many, want %d and %d", test.cost, test.most, own, many, test.own, test.many)
			}
			for range test.most {
				turns.Give()
			}
			group.Wait()
		}
	}
}

// fill has one after the other wait in a line until one is sent away, and returns how
// many wait.
func fill(turns *responder.Turns, group *sync.WaitGroup, forMany bool, cost time.Duration) (waiting int) {
	const enough = 100
	var away atomic.Bool
	for before := turns.Waiting(); waiting < enough; waiting++ {
		group.Go(func() {
			if !turns.Take(forMany, cost) {
				away.Store(true)
				return
			}
			turns.Give()
		})
		for turns.Waiting() == before+waiting && !away.Load() {
			runtime.Gosched()
		}
		if away.Load() {
			break
		}
	}
	return waiting
}

// Before a signature begins for which no turn is left over, whoever else can run does:
// where its turn was free, and where it was waited for.
func TestTurnsLetOthersRun(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const rounds = 100
	free, waited := 0, 0
	for range rounds {
		var turns responder.Turns
		turns.Limit(1)
		var first, second atomic.Bool
		go first.Store(true)
		turns.Take(false, time.Millisecond)
		if first.Load() {
			free++
		}
		ran := make(chan bool)
		go func() {
			turns.Take(false, time.Millisecond)
			ran <- second.Load()
		}()
		for turns.Waiting() == 0 {
			runtime.Gosched()
		}
		go second.Store(true) // runs behind who has the turn now, but for his yielding
		turns.Give()
		if <-ran {
			waited++
		}
	}
	// Once in 61 times the scheduler takes who has yielded before the others.
	if free < rounds/2 || waited < rounds/2 {
		t.Errorf("others ran before %d of %d that had their turn at once, and before %d that had waited", free, rounds, waited)
	}
}

// While an index is read there are more processors than cores. Who is served anew then
// has no more turns for it.
func TestTurnsStay(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	var r responder.Responder
	r.Serve()
	runtime.GOMAXPROCS(5)
	r.Serve()
	if n := r.AtATime(); n != 2 {
		t.Errorf("%d turns on two processors", n)
	}
}

// What a signature costs is the work, of a key in this process: that some take
// longer, as on a machine that is busy, counts little. Elsewhere the mean counts.
func TestCost(t *testing.T) {
	for _, test := range []struct {
		name           string
		elsewhere      bool
		took           []time.Duration
		least, notOver time.Duration
	}{
		{"none was made", false, nil, 100 * time.Microsecond, time.Millisecond},
		{"the first one", false, []time.Duration{6e6}, 6e6, 6e6},
		{"a shorter one", false, []time.Duration{6e6, 1e6}, 1e6, 1e6},
		{"some that were held up", false, []time.Duration{1e6, 900e6, 900e6, 900e6, 900e6}, 1e6, 1.1e6},
		{"all take longer from now on", false, slices.Concat([]time.Duration{1e6}, slices.Repeat([]time.Duration{8e6}, 1000)), 7.9e6, 8e6},
		{"elsewhere", true, slices.Concat([]time.Duration{1e6}, slices.Repeat([]time.Duration{4e6, 6e6}, 50)), 4.5e6, 5.5e6},
		{"in no time", false, []time.Duration{0}, 1, 1},
	} {
		c := responder.NewCost(test.elsewhere)
		for _, took := range test.took {
			c.Learn(took)
		}
		if got := c.Expected(); got < test.least || got > test.notOver {
			t.Errorf("%s: %v, want %v to %v", test.name, got, test.least, test.notOver)
		}
	}
}

// More than can be signed is refused, and nothing else is: who is let in is told
// the truth, what is kept is given, what others wait for is signed.
func TestFlood(t *testing.T) {
	b := newBench(t, func(r *responder.Responder, _ *responder.Files) { r.Now = nil })
	signer := b.OCSPSigner("slow", pkitest.Key("rsa4096"))
	live := &index.Live{Path: b.Index}
	live.Reload(true)
	b.Serve(open(t, filesOf(b.CA, signer), live))
	kept, fresh := b.request(t, b.Good, "-no_nonce"), b.request(t, b.Company.Revoked, "-no_nonce")
	b.ask(t, kept, ocsp.Success)
	nonce := b.request(t, b.Good)
	const crowd = 500
	var group sync.WaitGroup
	answers := make([]*responder.Answer, crowd)
	for i := range crowd {
		group.Go(func() {
			answers[i] = b.Respond(context.Background(), nonce)
			if a := b.Respond(context.Background(), kept); !a.Cached {
				t.Errorf("not kept: %v", a.Err)
			}
			if i == crowd/2 {
				b.ask(t, fresh, ocsp.Success)
			}
		})
	}
	group.Wait()
	good, refused := 0, 0
	for _, a := range answers {
		resp, err := wire.ParseResponse(a.DER)
		switch {
		case err != nil:
			t.Error(err)
		case a.Status == ocsp.Success && resp.Singles[0].Status == wire.Good:
			good++
		case a.Status == ocsp.TryLater && errors.Is(a.Err, responder.ErrOverloaded) && resp.Status == ocsp.TryLater && !a.Keepable():
			refused++
		default:
			t.Errorf("%v: %v", a.Status, a.Err)
		}
	}
	t.Attr("figures", fmt.Sprintf("of %d at once %d signed, %d refused, none kept waited", crowd, good, refused))
	if good < 2 || refused == 0 {
		t.Error("all of one kind")
	}
	b.ask(t, nonce, ocsp.Success)
}

// A burst of those who can be answered soon is answered.
func TestBurst(t *testing.T) {
	b := newBench(t, func(r *responder.Responder, _ *responder.Files) { r.Now = nil })
	live := &index.Live{Path: b.Index}
	live.Reload(true)
	b.Serve(open(t, filesOf(b.CA, b.Signer), live))
	nonce := b.request(t, b.Good)
	for range 3 {
		var group sync.WaitGroup
		for range 64 {
			group.Go(func() { b.ask(t, nonce, ocsp.Success) })
		}
		group.Wait()
	}
}
