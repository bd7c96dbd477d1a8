package truth_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"ocspcgi/lib/wire"
)

// claim is what may be said of a certificate. Claims are comparable with ==.
type claim struct {
	status  wire.CertStatus
	revoked int64 // seconds since 1970, of a revoked one
	reason  int   // of a revoked one; -1: none
}

var (
	never = claim{status: wire.Unknown, reason: -1}
	good  = claim{status: wire.Good, reason: -1}

	untold = claim{} // nothing but that it cannot be told
)

func (c claim) String() string {
	if c == untold {
		return "nothing"
	}
	if c.status != wire.Revoked {
		return c.status.String()
	}
	return fmt.Sprintf("revoked %s reason %d", time.Unix(c.revoked, 0).UTC().Format(time.TimeOnly), c.reason)
}

// state is a claim from when it begins to come true, which ends those before it
// when it is finished.
type state struct {
	claim
	began    time.Time
	finished time.Time // zero: not yet
}

// history is what was true when, of all serials of a CA. One that is not in it
// was never issued.
type history struct {
	mu     sync.Mutex
	states map[string][]state
	open   map[string]bool // serials of which nothing is finished: what was true and what has begun may both be said
	since  time.Time       // what is begun has begun then; zero: now
}

// remembered is how long nobody asks who began to ask before.
const remembered = time.Minute

// begin says that c is about to become true of a serial: from now on it may be
// said, besides what was true before.
func (h *history) begin(serial string, c claim) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	s := h.states[serial]
	if s == nil {
		s = []state{{claim: never}}
	}
	for len(s) > 1 && !s[1].finished.IsZero() && now.Sub(s[1].finished) > remembered {
		s = s[1:]
	}
	if !h.since.IsZero() {
		now = h.since
	}
	h.states[serial] = append(s, state{claim: c, began: now})
}

// finish says that all that has begun for a serial is true now, and what was
// true before no more.
func (h *history) finish(serial string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.finishStates(serial, time.Now())
}

// finishAll finishes all that has begun.
func (h *history) finishAll() {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	for serial := range h.states {
		h.finishStates(serial, now)
	}
}

func (h *history) finishStates(serial string, now time.Time) {
	states := h.states[serial]
	for i := len(states) - 1; i >= 0 && states[i].finished.IsZero() && !h.open[serial]; i-- {
		states[i].finished = now
	}
}

// doubt lets c be said of a serial besides what is true, until resume.
func (h *history) doubt(serial string, c claim) {
	h.begin(serial, c)
	h.leave(serial)
}

// leave leaves open what of a serial has begun and what is about to, until resume.
func (h *history) leave(serial string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open[serial] = true
}

// resume begins what is true of the serials that were left open.
func (h *history) resume(t testing.TB, rows []row) {
	is := bySerial(rows)
	for serial := range h.open {
		c := never
		if r, ok := is[serial]; ok {
			c = r.claim(t)
		}
		h.begin(serial, c)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.open)
}

// may lists what a responder may say that was asked and has answered then, and
// that has to know of a change once it is finished for as long as grace.
func (h *history) may(serial string, asked, answered time.Time, grace time.Duration) (claims []claim) {
	h.mu.Lock()
	defer h.mu.Unlock()
	states := h.states[serial]
	if states == nil {
		return []claim{never}
	}
	for i, s := range states {
		over := i+1 < len(states) && !states[i+1].finished.IsZero() && asked.After(states[i+1].finished.Add(grace))
		if !s.began.After(answered) && !over {
			claims = append(claims, s.claim)
		}
	}
	return claims
}

// change begins what is different in next. Rows that are gone then, or until next
// is there, say gone; through tells which of those that stay are gone meanwhile,
// as those are that come, and nil that none is.
func (h *history) change(t testing.TB, before, next []row, gone claim, through func(row) bool) {
	was := bySerial(before)
	for _, r := range next {
		old, there := was[r.serial]
		delete(was, r.serial)
		gap := through != nil && (!there || through(old))
		if gap {
			h.begin(r.serial, gone)
		}
		if gap || !there || old.claim(t) != r.claim(t) {
			h.begin(r.serial, r.claim(t))
		}
	}
	for serial := range was {
		if h.begin(serial, gone); through != nil {
			h.begin(serial, never)
		}
	}
}

// absent lets unknown be said of all that is in rows, since then and until it is
// finished.
func (h *history) absent(t testing.TB, rows []row, since time.Time) {
	h.since = since
	for _, r := range rows {
		h.begin(r.serial, never)
		h.begin(r.serial, r.claim(t))
	}
	h.since = time.Time{}
}

// whole is for a row that is complete on disk, with more to come: what it says is
// true, but for a release, which holds when all is there.
func (h *history) whole(serial string, c claim) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.states[serial]
	if len(s) == 0 || s[len(s)-1].claim != c {
		return
	}
	for _, before := range s {
		if c == good && before.status == wire.Revoked {
			return
		}
	}
	h.finishStates(serial, time.Now())
}

// tell is the history of a serial as of now, for people.
func (h *history) tell(serial string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var b strings.Builder
	now := time.Now()
	const most = 6
	states := h.states[serial]
	for _, s := range states[max(0, len(states)-most):] {
		fmt.Fprintf(&b, "\n\t%v: began %v ago", s.claim, now.Sub(s.began).Round(time.Microsecond))
		if !s.finished.IsZero() {
			fmt.Fprintf(&b, ", finished %v ago", now.Sub(s.finished).Round(time.Microsecond))
		}
	}
	return b.String()
}

// work is when a CA is at its index: then a status may be not to be told.
type work struct {
	mu    sync.Mutex
	under bool
	ended time.Time
}

func (w *work) set(under bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.under, w.ended = under, time.Now()
}

// excuses tells whether who asked then may have been told to come back.
func (w *work) excuses(asked time.Time, grace time.Duration) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.under || !asked.After(w.ended.Add(grace))
}
