package index

import (
	"fmt"
	"strconv"
)

// Fault is something amiss in an index, for the log. Its texts hold no control
// characters of the file.
type Fault struct {
	Line   int    // from 1; 0: the file as a whole
	Text   string // what is amiss, with what comes of it
	Remedy string // what a person can do
}

func (f Fault) String() string {
	return fmt.Sprintf("line %d: %s (%s)", f.Line, f.Text, f.Remedy)
}

// flaw is a kind of fault of a line.
type flaw byte

const (
	sound flaw = iota

	// The serial cannot be read, or a second one may hide in the line.
	tooLong
	tooFew
	notText
	badSerial
	joined

	// The status cannot be told.
	badType

	// The status holds.
	longType
	badExpiry
	filled
	badRevoked
	future
	badReason
	removed
	badHold
	badInvalid
	duplicate
)

const (
	remedyRow    = "put the row right, as index.txt.old or newcerts/ has it"
	remedyDate   = "write YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ"
	remedyReason = "write one of the reasons that openssl ca knows, or none"
)

var flaws = [...]struct{ text, effect, remedy string }{
	tooLong:    {"line of more than 64 KiB", "no serial can be said to be missing", remedyRow},
	tooFew:     {"fewer than 4 columns divided by TAB", "no serial can be said to be missing", remedyRow},
	notText:    {"NUL or CR inside the line", "no serial can be said to be missing", remedyRow},
	badSerial:  {"serial is not a hex number", "no serial can be said to be missing", remedyRow},
	joined:     {"two rows in one line", "no serial can be said to be missing", remedyRow},
	badType:    {"type is none of V, R, E", "the status of this serial cannot be told", remedyRow},
	longType:   {"type is longer than one letter", "the first letter counts", "write V, R or E"},
	badExpiry:  {"expiry cannot be read", "answered without it", remedyDate},
	filled:     {"revocation of a row that is not R", "not revoked", "write R in the first column if it is revoked"},
	badRevoked: {"revocation date cannot be read", "revoked since 1970", remedyDate},
	future:     {"revocation date lies in the future", "revoked as of now", "set the clock, here or at the CA"},
	badReason:  {"revocation reason is not known", "revoked without reason", remedyReason},
	removed:    {"removeFromCRL is for delta CRLs", "revoked without reason", remedyReason},
	badHold:    {"hold instruction is no OID", "revoked without reason", "write holdInstruction,OID"},
	badInvalid: {"time of compromise cannot be read", "revoked without reason", "write YYYYMMDDHHMMSSZ"},
	duplicate:  {"serial is in the index twice", "revoked if either row is", "remove one of the rows"},
}

// fault describes a flaw of a line, quoting the start of the column it is in.
func (f flaw) fault(line int, column []byte) Fault {
	d := flaws[f]
	text := d.text
	if column != nil {
		text += ": " + quote(column)
	}
	return Fault{Line: line, Text: text + "; " + d.effect, Remedy: d.remedy}
}

// doubt is the error of a look-up that meets the flaw.
func (f flaw) doubt(path string, line int) *DoubtError {
	return &DoubtError{Path: path, Line: line, Reason: flaws[f].text}
}

// quote makes bytes of the file fit for a log.
func quote(b []byte) string {
	const most = 40
	if len(b) > most {
		return strconv.QuoteToASCII(string(b[:most])) + "..."
	}
	return strconv.QuoteToASCII(string(b))
}
