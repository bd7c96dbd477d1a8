package index

import "bytes"

// maxLine is the size in bytes of the longest line that is read.
const maxLine = 64 << 10

// row is a line cut into the columns that count.
type row struct {
	kind    []byte // V, R, E
	expires []byte
	revoked []byte // date[,reason[,extra]]
	serial  []byte // in hex
	key     []byte // the serial as a look-up has it; nil: the line has no row
	joined  bool   // a second row may hide in the line
}

// cut cuts a line into its columns, the serial's octets into key. A line that
// is not whole has lost its end: it counts only as a revocation that is
// complete up to the serial. With a flaw, a serial may hide in the line that
// nobody can read.
func cut(line []byte, whole bool, key []byte) (row, flaw) {
	if len(line) > maxLine {
		return row{}, tooLong
	}
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	if len(line) == 0 || line[0] == '#' {
		return row{}, sound
	}
	if bytes.IndexByte(line, 0) >= 0 || bytes.IndexByte(line, '\r') >= 0 {
		return row{}, notText
	}
	var r row
	var ok1, ok2, ok3, more bool
	r.kind, line, ok1 = column(line)
	r.expires, line, ok2 = column(line)
	r.revoked, line, ok3 = column(line)
	r.serial, line, more = column(line)
	switch {
	case !whole && !(more && r.letter() == byte(Revoked)):
		return row{}, sound
	case ok1 && ok2 && ok3:
	case blank(r.kind) && !ok1:
		return row{}, sound
	default:
		return row{}, tooFew
	}
	r.joined = more && hides(r.serial, line)
	if r.joined && len(r.serial) == 0 {
		return row{}, joined
	}
	if r.key = appendKey(key[:0], r.serial); r.key == nil {
		return row{serial: r.serial}, badSerial
	}
	if r.joined {
		return r, joined
	}
	return r, sound
}

// column cuts the first column off a line. A TAB behind a backslash belongs to
// the column.
func column(line []byte) (col, rest []byte, more bool) {
	for from := 0; ; {
		i := bytes.IndexByte(line[from:], '\t')
		if i < 0 {
			return line, nil, false
		}
		i += from
		if i == 0 || line[i-1] != '\\' {
			return line[:i], line[i+1:], true
		}
		from = i + 1
	}
}

// letter is the type of the row, in upper case; 0: none.
func (r *row) letter() byte {
	if len(r.kind) == 0 {
		return 0
	}
	return r.kind[0] &^ 0x20
}

// hides tells whether another row may have run into this one, behind its
// serial or before it: the line has more than six columns, and an expiry where
// none belongs.
func hides(serial, rest []byte) bool {
	file, rest, more := column(rest)
	if !more {
		return false
	}
	subject, rest, more := column(rest)
	if !more {
		return false
	}
	if len(serial) == 0 || isTime(file) || isTime(subject) {
		return true
	}
	for col := []byte(nil); more; {
		if col, rest, more = column(rest); isTime(col) {
			return true
		}
	}
	return false
}

func isTime(col []byte) bool {
	_, ok := parseTime(col)
	return ok
}

func blank(b []byte) bool { return len(bytes.TrimSpace(b)) == 0 }
