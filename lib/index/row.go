package index

import (
	"bytes"
	"encoding/binary"
)

// maxLine is the size in bytes of the longest line that is read.
const maxLine = 64 << 10

// row is a line cut into the columns that count.
type row struct {
	kind    []byte // V, R, E
	expires []byte
	revoked []byte // date[,reason[,extra]]
	serial  []byte // in hex
	key     []byte // the serial as a look-up has it; nil: the line has no row
	flaw    flaw   // other than sound: a serial may hide in the line that nobody can read
	room    [1 + maxKey]byte
}

// cut cuts a line into its columns. A line that is not whole has lost its end:
// it counts only as a revocation that is complete up to the serial.
func (r *row) cut(line []byte, whole bool) {
	r.key, r.flaw = nil, sound
	if len(line) == 0 || line[0] == '#' {
		return
	}
	if len(line) > maxLine {
		r.serial, r.flaw = nil, tooLong
		return
	}
	rest, found := r.head(line)
	if !found {
		if r.serial = nil; whole && !blank(line) {
			r.flaw = tooFew
		}
		return
	}
	end := tab(rest)
	if end < 0 {
		end = len(rest)
	}
	r.serial, rest = rest[:end], rest[end:]
	if !whole && (len(rest) == 0 || r.status() != Revoked) {
		return
	}
	if hides(r.serial, rest) {
		r.flaw = joined
		if len(r.serial) == 0 {
			return
		}
	}
	if r.key = decode(&r.room, r.serial); r.key == nil {
		r.flaw = badSerial
	}
}

// head cuts off the columns before the serial.
func (r *row) head(line []byte) (rest []byte, found bool) {
	// Most rows are plain: a letter, then a UTCTime.
	if len(line) > 16 && line[1] == '\t' && line[15] == '\t' && isUTCTime(line[2:15]) && line[0] != '\\' {
		r.kind, r.expires, rest = line[:1], line[2:15], line[16:]
	} else {
		i := tab(line)
		if i < 0 {
			return nil, false
		}
		r.kind, rest = line[:i], line[i+1:]
		if i = tab(rest); i < 0 {
			return nil, false
		}
		r.expires, rest = rest[:i], rest[i+1:]
	}
	i := 0
	if len(rest) == 0 || rest[0] != '\t' {
		i = tab(rest)
	}
	if i < 0 {
		return nil, false
	}
	r.revoked = rest[:i]
	return rest[i+1:], true
}

// isUTCTime tells whether 13 bytes look like YYMMDDHHMMSSZ.
func isUTCTime(b []byte) bool {
	return areDigits(binary.LittleEndian.Uint64(b)) && areDigits(binary.LittleEndian.Uint64(b[4:])) && b[12] == 'Z'
}

// areDigits tells whether 8 bytes are decimal digits.
func areDigits(w uint64) bool {
	d := w ^ 0x30*ones
	return (d|(d+0x76*ones))&(0x80*ones) == 0
}

// tab is the index of the first TAB, or -1. One behind a backslash belongs to
// its column.
func tab(b []byte) int {
	i := bytes.IndexByte(b, '\t')
	for i > 0 && b[i-1] == '\\' {
		next := bytes.IndexByte(b[i+1:], '\t')
		if next < 0 {
			return -1
		}
		i += 1 + next
	}
	return i
}

// status is the first letter of the type, in upper case; 0: none.
func (r *row) status() Status {
	if len(r.kind) == 0 {
		return 0
	}
	return Status(r.kind[0] &^ 0x20)
}

// hides tells whether another row may have run into this one, behind its
// serial or before it: the line has more than six columns, and a time where
// none belongs. The rest begins with the TAB behind the serial.
func hides(serial, rest []byte) bool {
	if bytes.Count(rest, []byte{'\t'}) <= 2 {
		return false
	}
	cols, timed := 0, len(serial) == 0
	for ; len(rest) > 0; cols++ {
		rest = rest[1:]
		end := tab(rest)
		if end < 0 {
			end = len(rest)
		}
		if _, ok := parseTime(rest[:end]); ok {
			timed = true
		}
		rest = rest[end:]
	}
	return timed && cols > 2
}

func blank(b []byte) bool { return len(bytes.TrimSpace(b)) == 0 }
