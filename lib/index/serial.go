package index

import "slices"

// maxKey is the size in octets of the longest serial that a row may have;
// RFC 5280 §4.1.2.2 allows 20.
const maxKey = 255

// appendKey appends the serial that a row writes in hex, as content octets of
// a DER INTEGER, or returns nil. Any letter case, any number of leading zeros
// and a sign are taken; no digits at all are zero, as qpki writes it.
func appendKey(dst, hex []byte) []byte {
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
	start := len(dst)
	dst = append(dst, 0) // room for the sign
	var bad byte
	if len(hex)%2 == 1 {
		d := hexDigits[hex[0]]
		bad |= d
		dst, hex = append(dst, d), hex[1:]
	}
	for i := 0; i+1 < len(hex); i += 2 {
		hi, lo := hexDigits[hex[i]], hexDigits[hex[i+1]]
		bad |= hi | lo
		dst = append(dst, hi<<4|lo)
	}
	if bad&0xf0 != 0 {
		return nil
	}
	key := dst[start:]
	if negative {
		negate(key)
	}
	least := minimal(key)
	if len(least) > maxKey {
		return nil
	}
	return append(dst[:start], least...)
}

// hexDigits maps a hex digit to its value and every other byte to ff.
var hexDigits = func() (table [256]byte) {
	for i := range table {
		table[i] = 0xff
	}
	for i, c := range "0123456789abcdef" {
		table[c] = byte(i)
	}
	for i, c := range "ABCDEF" {
		table[c] = byte(10 + i)
	}
	return table
}()

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
