package wire

import (
	encoding_asn1 "encoding/asn1"
	"math/bits"
	"time"

	"golang.org/x/crypto/cryptobyte/asn1"
)

// writer appends DER. An element is begun by its tag and ended when its content
// is there, for only then is its length known.
type writer []byte

// begin begins an element and returns where its content starts.
func (w *writer) begin(tag asn1.Tag) int {
	*w = append(*w, byte(tag), 0)
	return len(*w)
}

// end writes the length of the element whose content starts at start. One octet
// is there for it; where more are needed, the content moves.
func (w *writer) end(start int) {
	n := len(*w) - start
	if n < 0x80 {
		(*w)[start-1] = byte(n)
		return
	}
	size := (bits.Len(uint(n)) + 7) / 8
	var room [8]byte
	*w = append(*w, room[:size]...)
	copy((*w)[start+size:], (*w)[start:start+n])
	(*w)[start-1] = 0x80 | byte(size)
	for i := start + size - 1; i >= start; i-- {
		(*w)[i] = byte(n)
		n >>= 8
	}
}

// raw appends what is DER already.
func (w *writer) raw(der []byte) { *w = append(*w, der...) }

// element appends an element with that content.
func (w *writer) element(tag asn1.Tag, content []byte) {
	start := w.begin(tag)
	w.raw(content)
	w.end(start)
}

// oid appends an OBJECT IDENTIFIER of those content octets.
func (w *writer) oid(content string) {
	*w = append(*w, byte(asn1.OBJECT_IDENTIFIER), byte(len(content)))
	*w = append(*w, content...)
}

// bits appends a BIT STRING of whole octets.
func (w *writer) bits(octets []byte) {
	start := w.begin(asn1.BIT_STRING)
	*w = append(*w, 0)
	w.raw(octets)
	w.end(start)
}

// enumerated appends an ENUMERATED from 0 to 127.
func (w *writer) enumerated(n byte) { *w = append(*w, byte(asn1.ENUM), 1, n) }

// time appends a GeneralizedTime, always YYYYMMDDHHMMSSZ (RFC 9919 §3.2.4).
func (w *writer) time(t time.Time) {
	start := w.begin(asn1.GeneralizedTime)
	*w = appendGeneralized(*w, t.UTC())
	w.end(start)
}

// timeDER is a GeneralizedTime alone.
func timeDER(t time.Time) []byte {
	var w writer
	w.time(t)
	return w
}

// oidDER is an OBJECT IDENTIFIER alone, or nil if id is none.
func oidDER(id encoding_asn1.ObjectIdentifier) []byte {
	der, err := encoding_asn1.Marshal(id)
	if err != nil {
		return nil
	}
	return der
}

// isTime reports whether a GeneralizedTime can hold t, and t is a time at all.
func isTime(t time.Time) bool {
	year := t.UTC().Year()
	return !t.IsZero() && year >= 0 && year <= 9999
}

// extension appends an Extension that is not critical.
func (w *writer) extension(oid string, value []byte) {
	start := w.begin(asn1.SEQUENCE)
	w.oid(oid)
	w.element(asn1.OCTET_STRING, value)
	w.end(start)
}

// certificates appends certs, each one DER or some in a row, or nothing where
// there are none: clients refuse an empty SEQUENCE.
func (w *writer) certificates(certificates ...[]byte) {
	before := len(*w)
	outer := w.begin(explicit(0))
	list := w.begin(asn1.SEQUENCE)
	for _, der := range certificates {
		w.raw(der)
	}
	if len(*w) == list {
		*w = (*w)[:before]
		return
	}
	w.end(list)
	w.end(outer)
}

// appendGeneralized is t.AppendFormat(b, "20060102150405Z") for a time in UTC,
// without a layout to be read: a response has three times, which took longer
// than all else in it but the signature.
func appendGeneralized(b []byte, t time.Time) []byte {
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return t.AppendFormat(b, "20060102150405Z")
	}
	hour, minute, second := t.Clock()
	for _, two := range [...]int{year / 100, year % 100, int(month), day, hour, minute, second} {
		b = append(b, byte('0'+two/10), byte('0'+two%10))
	}
	return append(b, 'Z')
}
