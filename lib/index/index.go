// Package index reads the index.txt that `openssl ca` keeps.
//
// [File] looks a serial up by one scan of the file. [Table] holds a whole
// index in memory. [Live] is the index of a long-lived process: it is told when
// to read the file again, judges what it reads, never forgets a revocation.
//
// A serial is given as the content octets of its DER INTEGER (X.690 §8.3):
// two's complement, for instance 00 9F for 159, never empty.
package index

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Status is the first letter of a row. The zero Status is none of them.
type Status byte

const (
	Valid   Status = 'V'
	Revoked Status = 'R'
	Expired Status = 'E' // what `openssl ca -updatedb` makes of a valid row past its expiry
)

// Entry is what one row says. Entries are comparable with ==.
type Entry struct {
	Status  Status
	Expires time.Time // notAfter of the certificate, UTC; zero: the column cannot be read
	Revoked time.Time // UTC, of a Revoked row: may lie in the future; 1970-01-01 where the date cannot be read
	Reason  int8      // CRLReason (RFC 5280 §5.3.1); -1: none, unspecified or unreadable; never 7 or 8
	Hold    string    // hold instruction (RFC 5280 appendix A, OID in dots) of a row with Reason 6; empty: none
	Invalid time.Time // invalidityDate (RFC 5280 §5.3.2), UTC; zero: none
}

// ErrNotFound says that the index was read and believed, and that it has no
// such serial.
var ErrNotFound = errors.New("serial is not in the index")

// DoubtError says that the status of a serial cannot be told: neither good,
// nor revoked, nor unknown. The OCSP answer is tryLater.
type DoubtError struct {
	Path   string
	Line   int // from 1; 0: the file as a whole
	Reason string
}

func (e *DoubtError) Error() string {
	if e.Line == 0 {
		return e.Path + ": " + e.Reason
	}
	return fmt.Sprintf("%s:%d: %s", e.Path, e.Line, e.Reason)
}

// finding is what one row, or one index, says of a serial. The zero finding
// is: no such serial.
type finding struct {
	entry Entry
	doubt *DoubtError // not nil: the row is there, but its status cannot be told
}

// rank orders findings by how strict they are.
type rank int

const (
	missing  rank = iota
	listed        // valid or expired
	doubtful      // the row is there, but its status cannot be told
	held          // revoked, as one on hold, which may be released
	final         // revoked for good
)

// certificateHold is a reason (RFC 5280 §5.3.1).
const certificateHold = 6

func (f finding) rank() rank {
	switch {
	case f.entry.Status == Revoked && f.entry.Reason == certificateHold:
		return held
	case f.entry.Status == Revoked:
		return final
	case f.doubt != nil:
		return doubtful
	case f.entry.Status != 0:
		return listed
	}
	return missing
}

// stricter returns the stricter of two findings, a where they are equally
// strict.
func stricter(a, b finding) finding {
	if b.rank() > a.rank() {
		return b
	}
	return a
}

// end is the last second of Unix time in which an index has to keep a finding: that in
// which its certificate expires.
func (f finding) end() int64 {
	switch {
	case !f.entry.Expires.IsZero():
		return f.entry.Expires.Unix()
	case f.entry.Status == Expired:
		return math.MinInt64
	}
	return math.MaxInt64
}

// past tells whether an index need not keep it any more.
func (f finding) past(now time.Time) bool { return f.end() < now.Unix() }

// until is a finding that lasts as long as another one, no stricter, of its serial.
func (f finding) until(other finding) finding {
	if f.end() >= other.end() {
		return f
	}
	f.entry.Expires = other.entry.Expires
	if f.entry.Status == Expired { // which says that it is past where there is no date
		f.entry.Status = Valid
	}
	return f
}

// limits is what is amiss with an index besides single serials.
type limits struct {
	blind   *DoubtError // the first line whose serial cannot be read: nothing is surely missing
	changed *DoubtError // the file is another one than was read: as well
	whole   *DoubtError // the file moved, is cut off, or was not read: only revocations hold
}

// apply returns what is left of a finding in an index with these limits.
func (l limits) apply(f finding) finding {
	if l.whole != nil {
		return stricter(f, finding{doubt: l.whole})
	}
	if f.rank() == missing {
		f.doubt = first(l.blind, l.changed)
	}
	return f
}

// answer is the finding as a look-up returns it.
func (f finding) answer() (Entry, error) {
	switch f.rank() {
	case doubtful:
		return Entry{}, f.doubt
	case missing:
		return Entry{}, ErrNotFound
	}
	return f.entry, nil
}
