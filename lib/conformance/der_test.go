package conformance_test

import (
	"bytes"
	"crypto"
	_ "crypto/md5"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"

	"ocspcgi/lib/pkitest"
)

// The DER of these tests is made by hand, so that it can also be wrong.

// tlv is one element with a definite length in the fewest octets.
func tlv(tag byte, content ...[]byte) []byte {
	body := bytes.Join(content, nil)
	return append(header(tag, len(body)), body...)
}

func header(tag byte, n int) []byte {
	switch {
	case n < 0x80:
		return []byte{tag, byte(n)}
	case n < 0x100:
		return []byte{tag, 0x81, byte(n)}
	case n < 0x10000:
		return []byte{tag, 0x82, byte(n >> 8), byte(n)}
	}
	return []byte{tag, 0x83, byte(n >> 16), byte(n >> 8), byte(n)}
}

func seq(content ...[]byte) []byte        { return tlv(0x30, content...) }
func octets(content ...[]byte) []byte     { return tlv(0x04, content...) }
func integer(content ...byte) []byte      { return tlv(0x02, content) }
func oid(content string) []byte           { return tlv(0x06, []byte(content)) }
func explicit(n byte, c ...[]byte) []byte { return tlv(0xa0+n, c...) }
func fill(b byte, n int) []byte           { return bytes.Repeat([]byte{b}, n) }

// nested is n SEQUENCEs, one in the other.
func nested(n int) []byte {
	var headers [][]byte
	for size := 0; n > 0; n-- {
		h := header(0x30, size)
		headers = append(headers, h)
		size += len(h)
	}
	var out []byte
	for i := len(headers) - 1; i >= 0; i-- {
		out = append(out, headers[i]...)
	}
	return out
}

var null = []byte{0x05, 0x00}

// Content octets of OIDs.
const (
	oidSHA1      = "\x2b\x0e\x03\x02\x1a"
	oidSHA       = "\x60\x86\x48\x01\x65\x03\x04\x02" // and one octet: SHA-2 and SHA-3
	oidMD5       = "\x2a\x86\x48\x86\xf7\x0d\x02\x05"
	oidRSA       = "\x2a\x86\x48\x86\xf7\x0d\x01\x01" // and one octet
	oidECDSA256  = "\x2a\x86\x48\xce\x3d\x04\x03\x02"
	oidOCSP      = "\x2b\x06\x01\x05\x05\x07\x30\x01" // and one octet
	oidUnknown   = "\x2b\x06\x01\x04\x01\x83\xad\x00\x01"
	oidNonce     = oidOCSP + "\x02"
	oidPreferred = oidOCSP + "\x08"
)

// authority is the CA that is asked about, by the octets that name it.
type authority struct {
	subject, key []byte
}

func authorityOf(ca *x509.Certificate) authority {
	var spki struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(ca.RawSubjectPublicKeyInfo, &spki); err != nil {
		panic(err) // crypto/x509 has read it
	}
	return authority{ca.RawSubject, spki.Key.Bytes}
}

func sum(hash crypto.Hash, octets []byte) []byte {
	h := hash.New()
	h.Write(octets)
	return h.Sum(nil)
}

// certID names a certificate of the authority, with any AlgorithmIdentifier.
func (a authority) certID(hash crypto.Hash, algorithm, serial []byte) []byte {
	return seq(algorithm, octets(sum(hash, a.subject)), octets(sum(hash, a.key)), integer(serial...))
}

var sha1NULL = seq(oid(oidSHA1), null)

// id names a certificate as clients do, by SHA-1.
func (a authority) id(serial ...byte) []byte { return a.certID(crypto.SHA1, sha1NULL, serial) }

// single is a Request for a CertID.
func single(id []byte, extensions ...[]byte) []byte {
	if extensions == nil {
		return seq(id)
	}
	return seq(id, explicit(0, seq(extensions...)))
}

func list(ids ...[]byte) []byte {
	var all [][]byte
	for _, id := range ids {
		all = append(all, single(id))
	}
	return seq(all...)
}

// request is an unsigned OCSPRequest whose tbsRequest has these elements.
func request(tbs ...[]byte) []byte { return seq(seq(tbs...)) }

// signed is an OCSPRequest with a signature that nobody made.
func signed(certs []byte, tbs ...[]byte) []byte {
	return seq(seq(tbs...), explicit(0, seq(seq(oid(oidRSA+"\x0b"), null), tlv(0x03, []byte{0}, fill(0xee, 256)), certs)))
}

func extension(id string, value []byte) []byte { return seq(oid(id), octets(value)) }

func critical(id string, boolean byte, value []byte) []byte {
	return seq(oid(id), tlv(0x01, []byte{boolean}), octets(value))
}

// directory is a directoryName with a common name.
func directory(common string) []byte { return explicit(4, name(common)) }

func name(common string) []byte {
	return seq(tlv(0x31, seq(oid("\x55\x04\x03"), tlv(0x0c, []byte(common)))))
}

// content is the content of a serial number's INTEGER.
func content(leaf *pkitest.Leaf) []byte {
	n := leaf.Certificate.SerialNumber.Bytes()
	if n[0] >= 0x80 {
		return append([]byte{0}, n...)
	}
	return n
}
