package index

import "bytes"

// pass goes over the plain rows that come next, as far as they are of another
// serial: most of an index, for which next is three times slower. A row that it
// stops at may be anything.
func (b *block) pass(serial []byte) {
	if b.odd {
		return
	}
	last := serial[len(serial)-1]
	for {
		end := bytes.IndexByte(b.text, '\n')
		if end < 0 || !plain(b.text[:end], last) {
			return
		}
		b.line++
		b.text = b.text[end+1:]
	}
}

// plain tells whether a line is a sound row as openssl ca writes them, not
// revoked, of six columns, and its serial does not end in that octet.
func plain(line []byte, last byte) bool {
	const serialAt = 17 // V, UTCTime and nothing, each with its TAB
	if len(line) < serialAt || len(line) > maxLine || line[0] != 'V' || line[1] != '\t' || line[15] != '\t' || line[16] != '\t' ||
		!isUTCTime(line[2:15]) {
		return false
	}
	rest := line[serialAt:]
	n := bytes.IndexByte(rest, '\t')
	const most = 64 // digits
	if n <= 0 || n > most || n%2 != 0 {
		return false
	}
	var room [most / 2]byte
	return decodePairs(room[:n/2], rest[:n]) && room[n/2-1] != last && bytes.Count(rest[n:], []byte{'\t'}) == 2
}
