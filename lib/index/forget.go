package index

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

const remedyForgotten = "if this is meant, send SIGHUP or restart to accept the file as it is"

// forgets notes what a newer index has forgotten: rows that have vanished
// before their expiry, and serials that are no longer revoked, or only on hold, although
// they were not on hold.
func (f *faults) forgets(old, newer *Table, now time.Time) {
	was, is := cursor{table: old}, cursor{table: newer}
	for r, ok := was.next(); ok; r, ok = was.next() {
		// Both are mostly in the same order.
		if next, ok := is.peek(); ok && bytes.Equal(next.key(), r.key()) {
			is.at = next.next()
			if !freed(r, next) {
				continue
			}
		}
		next, slot, found := newer.row(r.key())
		switch {
		case !found && !past(r, now):
			f.forgotten(0, r, "has vanished; its old status stays")
		case found && freed(r, next) && next.rank() == held:
			f.forgotten(next.line(), r, "is on hold only; it stays revoked for good")
		case found && freed(r, next):
			f.forgotten(next.line(), r, "is no longer revoked; it stays revoked")
		}
		if found {
			is.jump(slot)
		}
	}
}

// freed tells whether a revocation other than a hold is taken back, or made one that
// might be.
func freed(was, is record) bool { return was.rank() == final && is.rank() < final }

// past tells whether the certificate of a row has expired: an index need not
// keep it.
func past(r record, now time.Time) bool {
	e := r.finding().entry
	if e.Expires.IsZero() {
		return e.Status == Expired
	}
	return e.Expires.Before(now)
}

func (f *faults) forgotten(line int, was record, what string) {
	f.count++
	if len(f.first) == maxFaults {
		return
	}
	serial := strings.ToUpper(hex.EncodeToString(was.key()))
	if len(serial) > 64 {
		serial = serial[:64] + "..."
	}
	text := fmt.Sprintf("serial %s %s", serial, what)
	if n := was.line(); n > 0 {
		text = fmt.Sprintf("serial %s, believed from line %d, %s", serial, n, what)
	}
	f.first = append(f.first, Fault{Line: line, Text: text, Remedy: remedyForgotten})
}
