// Package fcgi answers FastCGI 1.0 on sockets until told to stop.
package fcgi

import "encoding/binary"

// The section numbers in this package are those of the FastCGI Specification,
// version 1.0.

// Record types (§8).
const (
	typeBeginRequest    = 1
	typeAbortRequest    = 2
	typeEndRequest      = 3
	typeParams          = 4
	typeStdin           = 5
	typeStdout          = 6
	typeGetValues       = 9
	typeGetValuesResult = 10
	typeUnknownType     = 11
)

// Values of the protocolStatus of END_REQUEST (§5.5).
const (
	statusRequestComplete = 0
	statusCantMpxConn     = 1
	statusOverloaded      = 2
	statusUnknownRole     = 3
)

const (
	version       = 1
	roleResponder = 1
	flagKeepConn  = 1
	headerLen     = 8
	beginLen      = 8
	maxContent    = 1<<16 - 1
)

// putHeader writes the header of a record without padding to b (§3.3).
func putHeader(b []byte, kind uint8, id uint16, size int) {
	b[0] = version
	b[1] = kind
	binary.BigEndian.PutUint16(b[2:], id)
	binary.BigEndian.PutUint16(b[4:], uint16(size))
	b[6] = 0
	b[7] = 0
}

// appendRecord appends a record whose content is at most maxContent bytes.
func appendRecord(dst []byte, kind uint8, id uint16, content []byte) []byte {
	var header [headerLen]byte
	putHeader(header[:], kind, id, len(content))
	return append(append(dst, header[:]...), content...)
}

// appendEnd appends END_REQUEST with appStatus 0.
func appendEnd(dst []byte, id uint16, protocolStatus uint8) []byte {
	body := [8]byte{4: protocolStatus}
	return appendRecord(dst, typeEndRequest, id, body[:])
}

// closeStdout makes STDOUT records of the content that stands in out behind
// start and the headerLen bytes left free there, then ends the stream. There
// is at least one byte of content.
func closeStdout(out []byte, start int, id uint16) []byte {
	size := len(out) - start - headerLen
	last := (size - 1) / maxContent
	out = append(out, make([]byte, last*headerLen)...)
	for i := last; i >= 0; i-- {
		from := start + headerLen + i*maxContent
		to := from + i*headerLen
		n := min(maxContent, size-i*maxContent)
		copy(out[to:], out[from:from+n])
		putHeader(out[to-headerLen:], typeStdout, id, n)
	}
	return appendRecord(out, typeStdout, id, nil)
}

// nextPair cuts the first name-value pair off b (§3.4). It is not ok when a
// length says more than there is.
func nextPair(b []byte) (name, value, rest []byte, ok bool) {
	if len(b) >= 2 && (b[0]|b[1]) < 0x80 { // the most: both lengths have one byte
		n := 2 + int(b[0])
		end := n + int(b[1])
		if end > len(b) {
			return nil, nil, nil, false
		}
		return b[2:n], b[n:end], b[end:], true
	}
	nameLen, b, ok := pairLength(b)
	if !ok {
		return nil, nil, nil, false
	}
	valueLen, b, ok := pairLength(b)
	if !ok || nameLen > len(b) || valueLen > len(b)-nameLen {
		return nil, nil, nil, false
	}
	return b[:nameLen], b[nameLen : nameLen+valueLen], b[nameLen+valueLen:], true
}

// pairLength reads a length of one byte or, with the top bit set, of four.
func pairLength(b []byte) (n int, rest []byte, ok bool) {
	switch {
	case len(b) >= 1 && b[0] < 0x80:
		return int(b[0]), b[1:], true
	case len(b) >= 4:
		return int(binary.BigEndian.Uint32(b) & 0x7fffffff), b[4:], true
	}
	return 0, nil, false
}

// appendPair appends a name-value pair (§3.4).
func appendPair(dst []byte, name, value string) []byte {
	dst = appendLength(appendLength(dst, len(name)), len(value))
	return append(append(dst, name...), value...)
}

// appendLength appends a length as pairLength reads it.
func appendLength(dst []byte, n int) []byte {
	if n < 0x80 {
		return append(dst, byte(n))
	}
	return binary.BigEndian.AppendUint32(dst, uint32(n)|1<<31)
}
