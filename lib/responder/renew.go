package responder

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"time"
)

// give gives a kept answer, and has it renewed when it is time.
func (r *Responder) give(s *served, der []byte, k *kept, now time.Time) *Answer {
	if k.aging(now) {
		r.renew(s, der, k)
	}
	return &k.answer
}

// renew signs the answer to der anew behind the back of those who ask, so that
// nobody waits for a signature of what is asked for all the time. It does so once
// for each kept answer, and only for a few at a time: for what is left out, or has
// too much ahead of it, it is tried again when somebody asks, and from its renewal on
// who asks does wait.
//
// What comes of it is kept as any answer is: with the rows that were looked up
// for it, which are compared with the index before it is given. So an answer
// that was in the making while its row changed is never given.
func (r *Responder) renew(s *served, der []byte, k *kept) {
	if !k.renewing.CompareAndSwap(false, true) {
		return
	}
	if r.renewals.Add(1) > int64(max(1, runtime.GOMAXPROCS(0)/2)) {
		r.renewals.Add(-1)
		k.renewing.Store(false)
		return
	}
	der = bytes.Clone(der)
	r.background.Go(func() {
		defer r.renewals.Add(-1)
		// Whoever asks at the renewal meets the same panic, and is answered.
		defer func() { _ = recover() }()
		if answer := r.respond(context.Background(), s, der, r.now()); errors.Is(answer.Err, ErrOverloaded) {
			k.renewing.Store(false)
		}
	})
}
