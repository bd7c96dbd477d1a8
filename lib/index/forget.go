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
		case !found && !r.past(now):
			f.forgotten(r, nil, "has vanished; its old status stays")
		case found && freed(r, next) && next.rank() == held:
			f.forgotten(r, &next, "is on hold only; it stays revoked for good")
		case found && freed(r, next):
			f.forgotten(r, &next, "is no longer revoked; it stays revoked")
		}
		if found {
			is.jump(slot)
		}
	}
}

// freed tells whether a revocation other than a hold is taken back, or made one that
// might be.
func freed(was, is record) bool { return was.rank() == final && is.rank() < final }

// forgotten notes what has become of a row, and of it in the newer index; nil: it is not
// there.
func (f *faults) forgotten(was record, is *record, what string) {
	f.count++
	if len(f.first) == maxFaults {
		return
	}
	line := 0
	if is != nil {
		line = is.line()
	}
	text := fmt.Sprintf("serial %s %s", was.serial(), what)
	if n := was.line(); n > 0 {
		text = fmt.Sprintf("serial %s, believed from line %d, %s", was.serial(), n, what)
	}
	f.first = append(f.first, Fault{Line: line, Text: text, Remedy: remedyForgotten})
}

// lacks notes that there are serials which only files had that were not believed.
func (f *faults) lacks(issued *Table) {
	c := cursor{table: issued}
	first, ok := c.next()
	if !ok {
		return
	}
	f.count++
	if len(f.first) < maxFaults {
		f.first = append(f.first, Fault{Text: fmt.Sprintf("serials in doubt, that only files had which were not believed: %d; one is %s",
			issued.Len(), first.serial()), Remedy: remedyForgotten})
	}
}

// serial is that of a row, for people.
func (r record) serial() string {
	serial := strings.ToUpper(hex.EncodeToString(r.key()))
	if len(serial) > 64 {
		serial = serial[:64] + "..."
	}
	return serial
}
