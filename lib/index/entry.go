package index

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// entry is what the row says. A flaw other than sound means that its status
// cannot be told, and the entry has none; flaws that leave the status standing go to note, which may
// be nil.
func (r *row) entry(note func(flaw, []byte)) (Entry, flaw) {
	if note == nil {
		note = func(flaw, []byte) {}
	}
	e := Entry{Status: r.status(), Reason: -1}
	var ok bool
	if e.Expires, ok = parseTime(r.expires); !ok {
		note(badExpiry, r.expires)
	}
	switch {
	case e.Status == Revoked:
	case e.Status != Valid && e.Status != Expired:
		return Entry{Expires: e.Expires}, badType
	case r.flaw == joined:
		return Entry{Expires: e.Expires}, joined
	}
	if len(r.kind) > 1 {
		note(longType, r.kind)
	}
	if e.Status == Revoked {
		e.revocation(r.revoked, note)
	} else if len(r.revoked) > 0 {
		note(filled, r.revoked)
	}
	return e, sound
}

// finding is what the row says, a doubt under its line number.
func (r *row) finding(path string, line int, note func(flaw, []byte)) finding {
	e, fault := r.entry(note)
	if fault != sound {
		return finding{entry: e, doubt: fault.doubt(path, line)}
	}
	return finding{entry: e}
}

// revocation reads the third column of a revoked row: date[,reason[,extra]].
func (e *Entry) revocation(col []byte, note func(flaw, []byte)) {
	date, rest, more := bytes.Cut(col, []byte{','})
	var ok bool
	if e.Revoked, ok = parseTime(date); !ok {
		e.Revoked = time.Unix(0, 0).UTC()
		note(badRevoked, date)
	}
	if !more {
		return
	}
	name, extra, _ := bytes.Cut(rest, []byte{','})
	reason := reasonNamed(name)
	switch reason.extra {
	case nothing:
		e.Reason = reason.code
	case oid:
		if e.Hold = holdInstruction(extra); e.Hold == "" {
			note(badHold, extra)
			return
		}
		e.Reason = reason.code
	case when:
		if e.Invalid, ok = parseTime(extra); !ok {
			note(badInvalid, extra)
			return
		}
		e.Reason = reason.code
	case refused:
		note(removed, name)
	case unknown:
		note(badReason, name)
	}
}

// reason is a name that a revocation may have.
type reason struct {
	name  string
	code  int8
	extra extra
}

// extra is what follows the name of a reason.
type extra byte

const (
	unknown extra = iota // no such name
	nothing
	oid     // of a hold instruction
	when    // the key was compromised
	refused // the name has no place in an index
)

// reasonNamed finds the names that `openssl ca` writes, and those that RFC 5280
// §5.3.1 has besides, in any letter case.
func reasonNamed(name []byte) reason {
	for _, r := range reasons {
		if len(r.name) == len(name) && strings.EqualFold(r.name, string(name)) {
			return r
		}
	}
	return reason{}
}

var reasons = [...]reason{
	{"unspecified", -1, nothing},
	{"keyCompromise", 1, nothing},
	{"CACompromise", 2, nothing},
	{"affiliationChanged", 3, nothing},
	{"superseded", 4, nothing},
	{"cessationOfOperation", 5, nothing},
	{"certificateHold", 6, nothing},
	{"removeFromCRL", -1, refused},
	{"privilegeWithdrawn", 9, nothing},
	{"AACompromise", 10, nothing},
	{"holdInstruction", 6, oid},
	{"keyTime", 1, when},
	{"CAkeyTime", 2, when},
}

// holdInstruction returns the OID that an extra gives in dots or by one of the
// three names of X9.57, short or long as openssl has them; empty: neither.
func holdInstruction(extra []byte) string {
	switch string(extra) {
	case "holdInstructionNone", "Hold Instruction None":
		return "1.2.840.10040.2.1"
	case "holdInstructionCallIssuer", "Hold Instruction Call Issuer":
		return "1.2.840.10040.2.2"
	case "holdInstructionReject", "Hold Instruction Reject":
		return "1.2.840.10040.2.3"
	}
	if !isOID(string(extra)) {
		return ""
	}
	return string(extra)
}

// isOID tells whether s is an object identifier in dots whose arcs fit int32.
func isOID(s string) bool {
	arcs := strings.Split(s, ".")
	if len(arcs) < 2 || len(arcs) > 32 {
		return false
	}
	var first [2]uint64
	for i, arc := range arcs {
		n, err := strconv.ParseUint(arc, 10, 31)
		if err != nil || len(arc) > 1 && arc[0] == '0' {
			return false
		}
		if i < 2 {
			first[i] = n
		}
	}
	return first[0] < 2 && first[1] < 40 || first[0] == 2
}
