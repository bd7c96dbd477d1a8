package responder

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"ocspcgi/lib/index"
	"ocspcgi/lib/store"
	"ocspcgi/lib/wire"
)

// kept is a signed answer with the rows it was made from: it is given again
// as long as they stand in the index as they did then. What is looked at each
// time comes first, beside each other.
type kept struct {
	produced time.Time
	seen     atomic.Uint64 // epoch of the index that the rows stand in
	issuer   *Issuer       // of all rows; nil: they have several
	early    time.Time     // from then on it is renewed before its renewal comes; zero: never
	answer   Answer
	rows     []row
	renewing atomic.Bool // a newer one is being signed, or was
}

// stillTrue reports whether the answer may be given at now: its renewal has
// not come, and every row behind it reads as it did.
func (k *kept) stillTrue(now time.Time) bool {
	if !k.current(now) {
		return false
	}
	epoch := k.epoch(now)
	if epoch != 0 && k.seen.Load() == epoch {
		return true // the fast path: nothing has changed since they were looked up
	}
	if !stand(k.rows) {
		return false
	}
	k.seen.Store(epoch)
	return true
}

// epoch is that of the index behind all rows; 0: there is no such number.
func (k *kept) epoch(now time.Time) uint64 {
	if k.issuer == nil || k.issuer.epochs == nil {
		return 0
	}
	return k.issuer.epochs.Epoch(now)
}

// stand reports whether every row reads as it did.
func stand(rows []row) bool {
	for i := range rows {
		row := &rows[i]
		entry, err := row.issuer.Index.Lookup(row.serial)
		if found := err == nil; found != row.found || entry != row.entry {
			return false
		}
		if err != nil && !errors.Is(err, index.ErrNotFound) {
			return false
		}
	}
	return true
}

// current reports whether the answer's renewal has not come, and its making has.
func (k *kept) current(now time.Time) bool {
	return !now.Before(k.produced) && now.Add(time.Second).Before(k.answer.Renewal)
}

// aging reports whether it is time to have the answer renewed by nobody who
// waits for it.
func (k *kept) aging(now time.Time) bool { return !k.early.IsZero() && !now.Before(k.early) }

// signOnce signs one answer for all who ask for it at the same time, and keeps
// it for key. Who has seen other rows than it was made from, or has come when its time
// is over, gets one of their own.
func (r *Responder) signOnce(s *served, key []byte, req *wire.Request, rows []row, id *identity, now time.Time) *kept {
	shared, _, _ := s.signing.Do(string(key), func() (any, error) {
		if k := s.cache.Get(key); k != nil && k.madeFrom(rows) && k.stillTrue(now) && !k.renewing.Load() {
			return k, nil // somebody was faster, and rows may be a while old
		}
		k := &kept{answer: *r.sign(req, rows, id, now), produced: now.Truncate(time.Second), rows: rows}
		if k.answer.Keepable() {
			r.keep(s, key, k, now)
		}
		return k, nil
	})
	if k := shared.(*kept); k.madeFrom(rows) && k.lasts(now) {
		return k
	}
	return &kept{answer: *r.sign(req, rows, id, now)}
}

// lasts reports whether an answer that was just signed is one for who asks at now, who
// may have come a while after the first one that waits for it. One that may not be kept
// is for the second of its making; that there is none is told to all.
func (k *kept) lasts(now time.Time) bool {
	return k.answer.Err != nil || now.Before(k.produced.Add(time.Second)) || k.current(now)
}

// questionSize is the length of a question: no request that is answered is as short.
const questionSize = sha256.Size

// question is a key for what a request asks, whatever else is in it.
func question(rows []row, id *identity) []byte {
	hash := sha256.New()
	hash.Write(id.signer.Certificate.Raw)
	for i := range rows {
		hash.Write(rows[i].id.Raw)
	}
	return hash.Sum(nil)
}

// madeFrom reports whether the answer says what rows say.
func (k *kept) madeFrom(rows []row) bool {
	return slices.EqualFunc(k.rows, rows, func(a, b row) bool { return a.found == b.found && a.entry == b.entry })
}

const (
	// longestKept bounds how old an answer gets whose lifetime is long: some
	// clients refuse what is older than a week.
	longestKept = 84 * time.Hour
	// unknownKept is for what may be in the index in a moment.
	unknownKept = time.Minute
)

// setTimes says how long the answer may be kept: until half of what was left
// when it was made, if that is any time at all and not too long.
func setTimes(a *Answer, rows []row, singles []wire.Single, produced time.Time) {
	next := singles[0].NextUpdate
	for _, single := range singles[1:] {
		if single.NextUpdate.Before(next) {
			next = single.NextUpdate
		}
	}
	half := min((next.Sub(produced) / 2).Truncate(time.Second), longestKept)
	if slices.ContainsFunc(rows, func(row row) bool { return !row.found }) {
		half = min(half, unknownKept)
	}
	if half < 2*time.Second {
		return
	}
	a.ThisUpdate, a.NextUpdate, a.Renewal = singles[0].ThisUpdate, next, produced.Add(half)
	a.setETag()
}

// setETag names the answer by its bytes.
func (a *Answer) setETag() {
	digest := sha256.Sum256(a.DER)
	a.ETag = `"` + hex.EncodeToString(digest[:]) + `"`
}

// keep puts k into the cache, with nothing of the request's buffer in it.
func (r *Responder) keep(s *served, der []byte, k *kept, now time.Time) {
	var e store.Entry[kept]
	own := &e.Value
	own.answer, own.produced, own.rows = k.answer, k.produced, slices.Clone(k.rows)
	own.answer.Cached = true
	own.early = k.answer.Renewal.Add(-k.answer.Renewal.Sub(k.produced) / 8)
	own.issuer = only(own.rows)
	if r.Fields != nil {
		own.answer.Fields = r.Fields(&own.answer)
	}
	// Beside each other: one is compared, the others are copied right after that.
	all := slices.Concat(der, own.answer.Fields, own.answer.DER)
	e.Key, all = cut(all, len(der))
	own.answer.Fields, own.answer.DER = cut(all, len(own.answer.Fields))
	for i := range own.rows {
		own.rows[i].id, own.rows[i].serial = nil, bytes.Clone(own.rows[i].serial)
	}
	if epoch := own.epoch(now); epoch != 0 && stand(own.rows) {
		own.seen.Store(epoch) // whoever is given it first need not look
	}
	const each = 400 // a row, its texts for the log, what the allocator rounds up
	s.cache.Put(&e, len(all)+each*(1+len(own.rows)))
}

// cut divides b, so that nothing can be appended over the second part.
func cut(b []byte, n int) (first, second []byte) { return b[:n:n], b[n:] }

// only is the issuer of all rows, nil if they have several.
func only(rows []row) *Issuer {
	first := rows[0].issuer
	if slices.ContainsFunc(rows, func(row row) bool { return row.issuer != first }) {
		return nil
	}
	return first
}
