package responder

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"ocspcgi/lib/index"
	"ocspcgi/lib/wire"
)

// kept is a signed answer with the rows it was made from: it is given again
// as long as they stand in the index as they did then.
type kept struct {
	answer   Answer
	produced time.Time
	rows     []row
}

// stillTrue reports whether the answer may be given at now: its renewal has
// not come, and every row behind it reads as it did.
func (k *kept) stillTrue(now time.Time) bool {
	if !k.current(now) {
		return false
	}
	for i := range k.rows {
		row := &k.rows[i]
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

// signOnce signs one answer for all who ask for it at the same time, and keeps
// it. Who has seen other rows than it was made from gets one of their own.
func (r *Responder) signOnce(s *served, der []byte, req *wire.Request, rows []row, id *identity, now time.Time) *Answer {
	shared, _, _ := s.signing.Do(string(der), func() (any, error) {
		if k, ok := s.cache.Get(der); ok && k.current(now) && k.madeFrom(rows) {
			return k, nil // somebody was faster
		}
		k := &kept{answer: *r.sign(req, rows, id, now), produced: now.Truncate(time.Second), rows: rows}
		if k.answer.Keepable() {
			s.keep(der, k)
		}
		return k, nil
	})
	if k := shared.(*kept); k.madeFrom(rows) {
		return &k.answer
	}
	return r.sign(req, rows, id, now)
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
func (s *served) keep(der []byte, k *kept) {
	own := &kept{answer: k.answer, produced: k.produced, rows: slices.Clone(k.rows)}
	own.answer.Cached = true
	for i := range own.rows {
		own.rows[i].id, own.rows[i].serial = nil, bytes.Clone(own.rows[i].serial)
	}
	const each = 256 // a row, its texts for the log
	s.cache.Put(der, own, len(own.answer.DER)+each*(1+len(own.rows)))
}
