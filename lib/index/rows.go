package index

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// Row is one row as the file has it, for who looks at the file itself. Its
// slices are valid until the next one.
type Row struct {
	Entry               // what it says; without Status: that cannot be told
	Line         int    // from 1
	Columns      int    // divided by TAB
	CR           bool   // the line ends in CR LF
	Expiry, Date []byte // the columns that Expires and Revoked are read from
	Serial       []byte // content octets of its INTEGER; nil: it cannot be read
}

// tooLongLine stands for a line that no row has room in.
const tooLongLine = "?"

// Rows calls each with every row of a file, in its order, until it says no. What
// the rows make of a look-up is for [Live] to say: here they are read as they
// stand, the last one also when it is cut off. The error is that of reading.
func Rows(path string, each func(*Row) bool) error {
	s, err := open(path)
	if err != nil {
		return err
	}
	defer s.file.Close()
	in := bufio.NewReaderSize(s.file, maxLine+tail)
	for n := 1; ; n++ {
		line, err := in.ReadSlice('\n')
		for errors.Is(err, bufio.ErrBufferFull) { // too long for a row
			line = []byte(tooLongLine)
			_, err = in.ReadSlice('\n')
		}
		if err != nil && err != io.EOF {
			return err
		}
		if r := rowOf(line, n); r != nil && !each(r) {
			return nil
		}
		if err == io.EOF {
			return nil
		}
	}
}

// rowOf reads a line; nil: there is no row in it.
func rowOf(line []byte, n int) *Row {
	line = bytes.TrimSuffix(line, []byte{'\n'})
	out := &Row{Line: n, CR: bytes.HasSuffix(line, []byte{'\r'})}
	line = bytes.TrimSuffix(line, []byte{'\r'})
	if n == 1 {
		line = bytes.TrimPrefix(line, []byte("\ufeff"))
	}
	if blank(line) || line[0] == '#' {
		return nil
	}
	for rest := line; rest != nil; out.Columns++ {
		if i := tab(rest); i >= 0 {
			rest = rest[i+1:]
		} else {
			rest = nil
		}
	}
	var r row
	if bytes.ContainsAny(line, "\x00\r") {
		return out // no row: see notText
	}
	if r.cut(line, true); r.key != nil {
		out.Entry, _ = r.entry(nil)
		out.Expiry, out.Date, out.Serial = r.expires, r.revoked, r.key
	}
	return out
}
