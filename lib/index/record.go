package index

import (
	"encoding/binary"
	"sort"
	"time"
)

// chunk holds the records of one stretch of the file, in its order. A record is
//
//	length of the serial, 1 octet
//	serial
//	what: status (2 bits), reason+1 (4 bits), whether there is an expiry, whether an extra
//	expiry, 5 octets, if there is one
//	revocation date, 5 octets, if revoked
type chunk struct {
	records []byte
	extras  []extraOf
	before  int      // lines of the file before this stretch
	rows    int      // records
	skipped []uint32 // lines of the stretch that have no record, ascending from 1
}

// extraOf is what few records have, under the place of the record.
type extraOf struct {
	at      uint32
	hold    string
	invalid time.Time
	doubt   *DoubtError
}

// The bits of what.
const (
	statusBits = 0x03 // 0: doubtful, then in the order of statuses
	reasonBits = 0x3c
	hasExpiry  = 0x40
	hasExtra   = 0x80
)

var statuses = [4]Status{0, Valid, Expired, Revoked}

// add appends a record.
func (c *chunk) add(key []byte, f finding) {
	at := uint32(len(c.records))
	e := &f.entry
	what := byte(e.Reason+1) << 2
	for i, s := range statuses {
		if s == e.Status {
			what |= byte(i)
		}
	}
	if !e.Expires.IsZero() {
		what |= hasExpiry
	}
	if x := (extraOf{at, e.Hold, e.Invalid, f.doubt}); x != (extraOf{at: at}) {
		what |= hasExtra
		c.extras = append(c.extras, x)
	}
	b := append(c.records, byte(len(key)))
	b = append(b, key...)
	b = append(b, what)
	if what&hasExpiry != 0 {
		b = appendTime(b, e.Expires)
	}
	if e.Status == Revoked {
		b = appendTime(b, e.Revoked)
	}
	c.records = b
	c.rows++
}

// record is a record in a chunk.
type record struct {
	chunk *chunk
	at    uint32
}

func (r record) key() []byte {
	b := r.chunk.records[r.at:]
	return b[1 : 1+int(b[0])]
}

// what is the octet behind the serial.
func (r record) what() byte {
	b := r.chunk.records[r.at:]
	return b[1+int(b[0])]
}

// next is where the record ends.
func (r record) next() uint32 {
	n := 2 + uint32(r.chunk.records[r.at])
	what := r.what()
	if what&hasExpiry != 0 {
		n += timeSize
	}
	if statuses[what&statusBits] == Revoked {
		n += timeSize
	}
	return r.at + n
}

// rank is that of the finding, without making one.
func (r record) rank() rank {
	switch s := statuses[r.what()&statusBits]; {
	case s == Revoked && r.reason() == certificateHold:
		return held
	case s == Revoked:
		return final
	case s == 0:
		return doubtful
	}
	return listed
}

func (r record) reason() int8 { return int8(r.what()&reasonBits>>2) - 1 }

func (r record) finding() finding {
	var f finding
	what := r.what()
	b := r.chunk.records[r.at+2+uint32(len(r.key())):]
	e := &f.entry
	e.Status = statuses[what&statusBits]
	e.Reason = r.reason()
	if what&hasExpiry != 0 {
		e.Expires, b = timeOf(b), b[timeSize:]
	}
	if e.Status == Revoked {
		e.Revoked = timeOf(b)
	}
	if what&hasExtra != 0 {
		x := r.extra()
		e.Hold, e.Invalid, f.doubt = x.hold, x.invalid, x.doubt
	}
	return f
}

func (r record) end() int64 { return r.finding().end() }

func (r record) past(now time.Time) bool { return r.finding().past(now) }

func (r record) extra() *extraOf {
	all := r.chunk.extras
	return &all[sort.Search(len(all), func(i int) bool { return all[i].at >= r.at })]
}

// nowhere is before of a chunk whose rows are on no line.
const nowhere = -1

// line is where the row stood in the file; 0: nowhere.
func (r record) line() int {
	if r.chunk.before == nowhere {
		return 0
	}
	n := uint32(0) // records up to this one
	for at := uint32(0); at <= r.at; n++ {
		at = record{r.chunk, at}.next()
	}
	for _, skipped := range r.chunk.skipped {
		if skipped <= n {
			n++
		}
	}
	return r.chunk.before + int(n)
}

// timeSize is the size of a time in a record: seconds from 1970, less timeBase.
const (
	timeSize = 5
	timeBase = -1 << 36 // before the year 0
)

func appendTime(b []byte, t time.Time) []byte {
	var octets [8]byte
	binary.LittleEndian.PutUint64(octets[:], uint64(t.Unix()-timeBase))
	return append(b, octets[:timeSize]...)
}

func timeOf(b []byte) time.Time {
	low := binary.LittleEndian.Uint32(b)
	return time.Unix(int64(b[4])<<32+int64(low)+timeBase, 0).UTC()
}
