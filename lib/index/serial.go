package index

import (
	"encoding/binary"
	"slices"
)

// maxKey is the size in octets of the longest serial that a row may have;
// RFC 5280 §4.1.2.2 allows 20.
const maxKey = 255

// decode turns a serial that a row writes in hex into the content octets of a
// DER INTEGER, in room, or returns nil. Any letter case, any number of leading
// zeros and a sign are taken; no digits at all are zero, as qpki writes it.
func decode(room *[1 + maxKey]byte, hex []byte) []byte {
	negative := len(hex) > 0 && hex[0] == '-'
	if negative {
		if hex = hex[1:]; len(hex) == 0 {
			return nil
		}
	}
	for len(hex) > 0 && hex[0] == '0' {
		hex = hex[1:]
	}
	if len(hex) > 2*maxKey {
		return nil
	}
	n := 1 // room for the sign
	room[0] = 0
	if len(hex)%2 == 1 {
		if room[1] = hexDigit(hex[0]); room[1] > 15 {
			return nil
		}
		n, hex = 2, hex[1:]
	}
	if !decodePairs(room[n:], hex) {
		return nil
	}
	key := room[:n+len(hex)/2]
	if negative {
		negate(key)
	}
	if key = minimal(key); len(key) > maxKey {
		return nil
	}
	return key
}

// decodePairs turns pairs of digits into octets, eight digits at a time: an
// index of a million rows has many of them.
func decodePairs(dst, hex []byte) bool {
	const high = 0x80 * ones
	bad := uint64(0)
	for len(hex) >= 8 && len(dst) >= 4 {
		w := binary.LittleEndian.Uint64(hex)
		digit := w ^ 0x30*ones                // 0 to 9 for a decimal digit
		letter := (w | 0x20*ones) ^ 0x60*ones // 1 to 6 for a letter
		other := digit + 0x76*ones            // high bit: not a decimal digit
		above := letter + 0x79*ones           // high bit: above f
		least := letter + 0x7f*ones           // high bit: not the one below a
		bad |= (w | other&^(least&^above)) & high
		nibbles := w&(0x0f*ones) + 9*(other&high>>7)
		pairs := (nibbles<<4 | nibbles>>8) & 0x00ff00ff00ff00ff
		pairs = (pairs | pairs>>8) & 0x0000ffff0000ffff
		binary.LittleEndian.PutUint32(dst, uint32(pairs|pairs>>16))
		dst, hex = dst[4:], hex[8:]
	}
	for ; len(hex) >= 2; hex = hex[2:] {
		hi, lo := hexDigit(hex[0]), hexDigit(hex[1])
		if hi|lo > 15 {
			return false
		}
		dst[0], dst = hi<<4|lo, dst[1:]
	}
	return bad == 0
}

const ones = 0x0101010101010101 // in each of 8 bytes

// hexDigit is the value of a digit, or ff.
func hexDigit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 0xff
}

// negate turns a two's complement number into its negative.
func negate(key []byte) {
	carry := true
	for i := range slices.Backward(key) {
		key[i] = ^key[i]
		if carry {
			key[i]++
			carry = key[i] == 0
		}
	}
}

// minimal cuts the leading octets off that say nothing (X.690 §8.3.2).
func minimal(key []byte) []byte {
	for len(key) > 1 && (key[0] == 0 && key[1] < 0x80 || key[0] == 0xff && key[1] >= 0x80) {
		key = key[1:]
	}
	return key
}
