package fcgi

import (
	"encoding/binary"
	"errors"
)

const (
	firstBuffer = 4 << 10  // holds the usual request whole
	idleBuffer  = 16 << 10 // the most that an idle connection holds on to
)

var errVersion = errors.New("record of another version than 1")

// input is what a connection has received. Records are read where they lie,
// and the streams of the request under way are put together in the same
// buffer. It holds, in this order and with gaps: params, body, then the bytes
// not looked at yet, buf[r:w].
type input struct {
	buf          []byte
	params, body span
	r, w         int
	need         int  // length of the record at r, as far as it is known
	moved        bool // the streams are no longer where they were
}

// span is a piece of the buffer.
type span struct{ from, to int }

func (s span) len() int { return s.to - s.from }

// record is a record whose content lies in the buffer at span.
type record struct {
	kind uint8
	id   uint16
	span
}

// next takes the next record, padding and all (§3.3). It is not ok while the
// record is not completely there.
func (in *input) next() (rec record, ok bool, err error) {
	b := in.buf[in.r:in.w]
	if len(b) < headerLen {
		in.need = headerLen
		return record{}, false, nil
	}
	if b[0] != version {
		return record{}, false, errVersion
	}
	size := int(binary.BigEndian.Uint16(b[4:]))
	in.need = headerLen + size + int(b[6])
	if len(b) < in.need {
		return record{}, false, nil
	}
	from := in.r + headerLen
	in.r += in.need
	return record{b[1], binary.BigEndian.Uint16(b[2:]), span{from, from + size}}, true, nil
}

// pending tells whether a part of a record waits for its rest.
func (in *input) pending() bool { return in.r < in.w }

func (in *input) bytes(s span) []byte { return in.buf[s.from:s.to] }

// extend appends a piece of the buffer to stream. The first piece stays where
// it is; the others move down to it.
func (in *input) extend(stream *span, piece span) {
	if stream.len() == 0 {
		*stream = piece
		return
	}
	stream.to += copy(in.buf[stream.to:], in.bytes(piece))
}

// release lets go of the request's streams.
func (in *input) release() { in.params, in.body = span{}, span{} }

// free makes room for the rest of the record at r, and returns it.
func (in *input) free() []byte {
	if in.params.len()+in.body.len() == 0 && !in.pending() {
		in.r, in.w = 0, 0
		if len(in.buf) > idleBuffer {
			in.buf = nil
		}
	}
	if in.r+in.need > len(in.buf) {
		in.compact()
	}
	if in.r+in.need > len(in.buf) {
		grown := make([]byte, max(firstBuffer, 2*len(in.buf), in.r+in.need))
		copy(grown, in.buf[:in.w])
		in.buf, in.moved = grown, true
	}
	return in.buf[in.w:]
}

// compact closes the gaps.
func (in *input) compact() {
	unread := span{in.r, in.w}
	end := 0
	for _, s := range []*span{&in.params, &in.body, &unread} {
		n := copy(in.buf[end:], in.bytes(*s))
		*s = span{end, end + n}
		end += n
	}
	in.r, in.w, in.moved = unread.from, unread.to, true
}
