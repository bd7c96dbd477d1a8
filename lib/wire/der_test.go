package wire_test

import (
	"bytes"
	"math/big"
	"strings"

	"ocspcgi/lib/wire"
)

// The DER of these tests is made by hand, so that it can also be wrong.

// tlv is one element with a definite length in the fewest octets.
func tlv(tag byte, content ...[]byte) []byte {
	body := bytes.Join(content, nil)
	switch n := len(body); {
	case n < 0x80:
		return append([]byte{tag, byte(n)}, body...)
	case n < 0x100:
		return append([]byte{tag, 0x81, byte(n)}, body...)
	case n < 0x10000:
		return append([]byte{tag, 0x82, byte(n >> 8), byte(n)}, body...)
	default:
		return append([]byte{tag, 0x83, byte(n >> 16), byte(n >> 8), byte(n)}, body...)
	}
}

func seq(content ...[]byte) []byte        { return tlv(0x30, content...) }
func octets(content ...[]byte) []byte     { return tlv(0x04, content...) }
func integer(content ...byte) []byte      { return tlv(0x02, content) }
func oid(content string) []byte           { return tlv(0x06, []byte(content)) }
func explicit(n byte, c ...[]byte) []byte { return tlv(0xa0+n, c...) }
func fill(b byte, n int) []byte           { return bytes.Repeat([]byte{b}, n) }
func text(s string) []byte                { return []byte(s) }

var null = []byte{0x05, 0x00}

// OIDs as content octets.
const (
	oidSHA1      = "\x2b\x0e\x03\x02\x1a"
	oidSHA2      = "\x60\x86\x48\x01\x65\x03\x04\x02" // and one octet
	oidMD5       = "\x2a\x86\x48\x86\xf7\x0d\x02\x05"
	oidRSA       = "\x2a\x86\x48\x86\xf7\x0d\x01\x01" // and one octet
	oidECDSA256  = "\x2a\x86\x48\xce\x3d\x04\x03\x02"
	oidOCSP      = "\x2b\x06\x01\x05\x05\x07\x30\x01" // and one octet
	oidUnknown   = "\x2b\x06\x01\x04\x01\x83\xad\x00\x01"
	oidNonce     = oidOCSP + "\x02"
	oidPreferred = oidOCSP + "\x08"
)

// A CertID of a CA that exists only here.
var (
	nameHash = fill(0xa1, 20)
	keyHash  = fill(0xb2, 20)
	sha1ID   = seq(oid(oidSHA1), null)
)

func certID(serial ...byte) []byte {
	return seq(sha1ID, octets(nameHash), octets(keyHash), integer(serial...))
}

// single is a Request for that CertID.
func single(id []byte, extensions ...[]byte) []byte {
	if extensions == nil {
		return seq(id)
	}
	return seq(id, explicit(0, seq(extensions...)))
}

func list(requests ...[]byte) []byte { return seq(requests...) }

// request is an unsigned OCSPRequest whose tbsRequest has these elements.
func request(tbs ...[]byte) []byte { return seq(seq(tbs...)) }

// one asks for serial 2a01 alone.
func one() []byte { return list(single(certID(0x2a, 0x01))) }

// extended asks for serial 2a01 with these extensions.
func extended(extensions ...[]byte) []byte {
	return request(one(), explicit(2, seq(extensions...)))
}

func extension(id string, value []byte) []byte { return seq(oid(id), octets(value)) }

func critical(id string, boolean byte, value []byte) []byte {
	return seq(oid(id), tlv(0x01, []byte{boolean}), octets(value))
}

func nonce(n int) []byte { return extension(oidNonce, octets(fill(0x5c, n))) }

// signed is an OCSPRequest with those octets as its signature.
func signed(signature []byte, certs []byte, tbs ...[]byte) []byte {
	return seq(seq(tbs...), explicit(0, seq(seq(oid(oidRSA+"\x0b"), null), tlv(0x03, []byte{0}, signature), certs)))
}

// requests asks for n serials.
func requests(n int) []byte {
	var all [][]byte
	for i := range n {
		all = append(all, single(certID(0x2a, byte(i>>8), byte(i))))
	}
	return request(list(all...))
}

// name is a Name with this common name alone.
func name(common string) []byte {
	return seq(tlv(0x31, seq(oid("\x55\x04\x03"), tlv(0x0c, text(common)))))
}

// serials returns the serials of r in hex, in order.
func serials(r *wire.Request) string {
	var all []string
	for i := range r.CertIDs {
		all = append(all, hex(r.CertIDs[i].Serial))
	}
	return strings.Join(all, " ")
}

// twosComplement is the number in the content of an INTEGER.
func twosComplement(content []byte) *big.Int {
	n := new(big.Int).SetBytes(content)
	if content[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(content))))
	}
	return n
}
