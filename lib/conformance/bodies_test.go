package conformance_test

import (
	"crypto"
	_ "crypto/sha3"
	_ "crypto/sha512"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"testing"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/wire"
)

// body is what is POSTed, with what has to come back.
type body struct {
	row  string
	der  []byte
	want want
}

var (
	foreign  = want{status: ocsp.Unauthorized}
	tooLarge = want{page: 413}
)

// bodies are all of them.
func (k *kit) bodies() (all []body) {
	for _, part := range [][]body{k.encodings(), k.requests(), k.serials(), k.hashes(), k.extensions(), k.nonces(), k.preferences()} {
		all = append(all, part...)
	}
	return all
}

// encodings are about DER (REQ-01, REQ-02, REQ-44 to REQ-46).
func (k *kit) encodings() []body {
	good := request(list(k.ca.id(k.good...)))
	text := base64.StdEncoding.EncodeToString(good)
	return []body{
		{"REQ-01 K:ber-indefinite", append(append([]byte{0x30, 0x80}, good[2:]...), 0, 0), malformed},
		{"REQ-01 K:ber-long-length", append([]byte{0x30, 0x81}, good[1:]...), malformed},
		{"REQ-02 K:trailing-bytes", append(good[:len(good):len(good)], 0, 0), malformed},
		{"REQ-02 K:trailing-newline", append(good[:len(good):len(good)], '\n'), malformed},
		{"REQ-44 K:zeros-64k", make([]byte, 64<<10), malformed},
		{"REQ-44 one byte more than 64 KiB", make([]byte, 64<<10+1), tooLarge},
		{"REQ-44 K:zeros-2M", make([]byte, 2<<20), tooLarge},
		{"REQ-45 K:len-overflow", []byte{0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0x30}, malformed},
		{"REQ-45 K:len-64bit", []byte{0x30, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x30}, malformed},
		{"REQ-45 K:deep-nesting-10000", nested(10000), malformed},
		{"REQ-45 deep nesting in the requestorName", request(explicit(1, nested(10000)), list(k.ca.id(k.good...))), k.said(wire.Good, k.ca.id(k.good...), nil)},
		{"REQ-45 K:one-byte", []byte{0x30}, malformed},
		{"REQ-45 K:empty-sequence", seq(), malformed},
		{"REQ-45 K:empty-body", nil, malformed},
		{"HTTP-15 K:empty-body", nil, malformed},
		{"REQ-46 K:pem-body", pem.EncodeToMemory(&pem.Block{Type: "OCSP REQUEST", Bytes: good}), malformed},
		{"REQ-46 K:base64-body", []byte(text), malformed},
		{"REQ-46 K:not-asn1", []byte("GET / HTTP/1.0\r\n\r\n"), malformed},
		{"RSP-03 a request cut short", good[:len(good)-1], malformed},
	}
}

// requests are about the frame of OCSPRequest (REQ-03 to REQ-13).
func (k *kit) requests() []body {
	id, rev, other := k.ca.id(k.good...), k.ca.id(k.revoked...), k.foreign.id(k.good...)
	v1, good := explicit(0, integer(0)), k.said(wire.Good, id, nil)
	hundred, many := [][]byte{}, [][]byte{}
	for i := range 2000 {
		if many = append(many, id); i < 100 {
			hundred = many
		}
	}
	both := k.said(wire.Revoked, rev, nil)
	both.ids, both.said = append(both.ids, id), append(both.said, wire.Good)
	return []body{
		{"REQ-03 K:version-explicit-v1", request(v1, list(id)), good},
		{"REQ-04 K:version-v2", request(explicit(0, integer(1)), list(id)), malformed},
		{"REQ-04 K:version-255", request(explicit(0, integer(0, 255)), list(id)), malformed},
		{"REQ-05 K:requestorName-unsigned", request(explicit(1, directory("client")), list(id)), good},
		{"REQ-06 K:version+requestorName", request(v1, explicit(1, directory("client")), list(id)), good},
		{"REQ-06 K:requestorName-badtag", request(explicit(1, tlv(0x9e, []byte("client"))), list(id)), good},
		{"REQ-07 K:signed-garbage-signature", signed(nil, explicit(1, directory("client")), list(id)), good},
		{"REQ-07 K:signed-no-requestorName", signed(nil, list(id)), good},
		{"RSP-06 never sigRequired", signed(nil, list(id)), good},
		{"REQ-08 twenty certificates with the signature", signed(explicit(0, seq(twenty(seq(fill(0, 900)))...)), explicit(1, directory("client")), list(id)), good},
		{"REQ-09 K:two-requests-same", request(list(id, id)), k.all([][]byte{id, id})},
		{"REQ-09 K:two-requests-rev+good", request(list(rev, id)), both},
		{"REQ-10 K:two-requests-good+foreign", request(list(id, other)), foreign},
		{"REQ-10 the foreign one first", request(list(other, id)), foreign},
		{"REQ-11 K:requests-100", request(list(hundred...)), k.all(hundred)},
		{"REQ-11 101 requests", request(list(many[:101]...)), malformed},
		{"REQ-11 K:requests-2000", request(list(many...)), tooLarge},
		{"REQ-12 K:empty-requestList", request(list()), malformed},
		{"REQ-13 K:tbs-trailing-element", request(list(id), null), malformed},
		{"REQ-13 K:certid-trailing-element", request(list(seq(sha1NULL, octets(fill(1, 20)), octets(fill(2, 20)), integer(1), null))), malformed},
		{"REQ-13 K:ocspreq-trailing-element", seq(seq(list(id)), null), malformed},
		{"REQ-13 K:elements-out-of-order", request(explicit(2, seq(extension(oidNonce, octets(fill(1, 16))))), list(id)), malformed},
		{"RSP-16 good", request(list(id)), good},
		{"RSP-21 revoked", request(list(rev)), k.said(wire.Revoked, rev, nil)},
		{"RSP-17 K:unassigned-serial", request(list(k.ca.id(0x47, 0x11))), k.said(wire.Unknown, k.ca.id(0x47, 0x11), nil)},
		{"RSP-07 K:certid-foreign-issuer", request(list(other)), foreign},
	}
}

func twenty(element []byte) (all [][]byte) {
	for range 20 {
		all = append(all, element)
	}
	return all
}

// serials are about numbers that nobody was given (REQ-14 to REQ-16).
func (k *kit) serials() (all []body) {
	negative := make([]byte, len(k.good)) // two's complement of minus the good one
	carry := 1
	for i := len(k.good) - 1; i >= 0; i-- {
		carry += int(^k.good[i])
		negative[i], carry = byte(carry), carry>>8
	}
	for _, unknown := range []struct {
		row    string
		serial []byte
	}{
		{"REQ-14 K:serial-zero", []byte{0}},
		{"REQ-14 K:serial-negative", []byte{0xff}},
		{"REQ-14 K:serial-negative-of-good", negative},
		{"REQ-15 K:serial-21-octets", fill(0x11, 21)},
		{"REQ-15 K:serial-1000-octets", fill(0x11, 1000)},
	} {
		id := k.ca.id(unknown.serial...)
		all = append(all, body{unknown.row, request(list(id)), k.said(wire.Unknown, id, nil)})
	}
	return append(all,
		body{"REQ-16 K:serial-padded-00", request(list(k.ca.id(append([]byte{0}, k.good...)...))), malformed},
		body{"REQ-16 K:serial-empty-integer", request(list(k.ca.id())), malformed},
		body{"REQ-16 K:serial-wrong-tag", request(list(seq(sha1NULL, octets(sum(crypto.SHA1, k.ca.subject)), octets(sum(crypto.SHA1, k.ca.key)), octets(k.good)))), malformed},
	)
}

// hashes are about the CertID (REQ-17 to REQ-25).
func (k *kit) hashes() (all []body) {
	add := func(row string, id []byte, w want) { all = append(all, body{row, request(list(id)), w}) }
	for _, h := range []struct {
		row, name, oid string
		hash           crypto.Hash
	}{
		{"REQ-18", "sha1", oidSHA1, crypto.SHA1},
		{"REQ-17", "sha256", oidSHA + "\x01", crypto.SHA256},
		{"REQ-19", "sha384", oidSHA + "\x02", crypto.SHA384},
		{"REQ-19", "sha512", oidSHA + "\x03", crypto.SHA512},
		{"REQ-19", "sha224", oidSHA + "\x04", crypto.SHA224},
		{"REQ-19", "sha512_256", oidSHA + "\x06", crypto.SHA512_256},
		{"REQ-19", "sha3_256", oidSHA + "\x08", crypto.SHA3_256},
		{"REQ-19", "sha3_384", oidSHA + "\x09", crypto.SHA3_384},
		{"REQ-19", "sha3_512", oidSHA + "\x0a", crypto.SHA3_512},
	} {
		withNull, without := k.ca.certID(h.hash, seq(oid(h.oid), null), k.good), k.ca.certID(h.hash, seq(oid(h.oid)), k.good)
		add(h.row+" K:certid-"+h.name+"-null", withNull, k.said(wire.Good, withNull, nil))
		add("REQ-20 K:certid-"+h.name+"-absent", without, k.said(wire.Good, without, nil))
		add("RSP-13 K:certid-"+h.name+"-absent", without, k.said(wire.Good, without, nil))
		add("REQ-48 K:certid-"+h.name+"-null", withNull, k.said(wire.Good, withNull, nil))
	}
	nameHash, keyHash, serial := octets(sum(crypto.SHA1, k.ca.subject)), octets(sum(crypto.SHA1, k.ca.key)), integer(k.good...)
	add("REQ-19 K:certid-md5-null", k.ca.certID(crypto.MD5, seq(oid(oidMD5), null), k.good), foreign)
	add("REQ-21 K:certid-unknown-hash-oid", seq(seq(oid(oidUnknown), null), nameHash, keyHash, serial), foreign)
	add("REQ-22 K:certid-name-only-match", seq(sha1NULL, nameHash, octets(fill(1, 20)), serial), foreign)
	add("REQ-22 K:certid-key-only-match", seq(sha1NULL, octets(fill(1, 20)), keyHash, serial), foreign)
	add("REQ-23 the key with its unused bits", seq(sha1NULL, nameHash, octets(sum(crypto.SHA1, append([]byte{0}, k.ca.key...))), serial), foreign)
	add("REQ-25 K:certid-short-hashes", seq(sha1NULL, nameHash[:12], keyHash[:12], serial), malformed)
	add("REQ-25 hashes of 10 octets", seq(sha1NULL, octets(nameHash[2:12]), octets(keyHash[2:12]), serial), foreign)
	add("REQ-25 K:certid-empty-hashes", seq(sha1NULL, octets(), octets(), serial), foreign)
	add("REQ-25 K:certid-alg-garbage-params", seq(seq(oid(oidSHA1), octets([]byte("garbage"))), nameHash, keyHash, serial), foreign)
	return all
}

// extensions are those of requests, nonces apart (REQ-30 to REQ-34, REQ-41, REQ-42).
func (k *kit) extensions() []body {
	id := k.ca.id(k.good...)
	good := k.said(wire.Good, id, nil)
	with := func(all ...[]byte) []byte { return request(list(id), explicit(2, seq(all...))) }
	one := func(all ...[]byte) []byte { return request(seq(single(id, all...))) }
	acceptable := func(kind byte) []byte { return extension(oidOCSP+"\x04", seq(oid(oidOCSP+string(rune(kind))))) }
	location := tlv(0x86, []byte("http://"+k.trap.address+"/"))
	access := seq(seq(oid(oidOCSP), location))
	return []body{
		{"REQ-30 K:ext-unknown-noncritical", with(extension(oidUnknown, null)), good},
		{"REQ-30 K:singleext-unknown-noncritical", one(extension(oidUnknown, null)), good},
		{"REQ-31 K:ext-unknown-critical", with(critical(oidUnknown, 0xff, null)), malformed},
		{"REQ-31 K:singleext-unknown-critical", one(critical(oidUnknown, 0xff, null)), malformed},
		{"REQ-32 K:ext-unknown-duplicate-noncritical", with(extension(oidUnknown, null), extension(oidUnknown, null)), malformed},
		{"REQ-33 K:ext-critical-BOOLEAN-01", with(critical(oidUnknown, 0x01, null)), malformed},
		{"REQ-33 K:ext-critical-FALSE-encoded", with(critical(oidUnknown, 0x00, null)), good},
		{"REQ-34 K:ext-empty-Extensions", with(), malformed},
		{"REQ-41 K:ext-acceptable-basic", with(acceptable(1)), good},
		{"REQ-41 K:ext-acceptable-without-basic", with(acceptable(99)), good},
		{"REQ-42 K:singleext-serviceLocator", one(extension(oidOCSP+"\x07", seq(name("CA"), access))), good},
		{"REQ-42 a critical serviceLocator", one(critical(oidOCSP+"\x07", 0xff, seq(name("CA"), access))), good},
	}
}

// nonces are about RFC 9654 (REQ-32, REQ-35 to REQ-40).
func (k *kit) nonces() (all []body) {
	id := k.ca.id(k.good...)
	with := func(all ...[]byte) []byte { return request(list(id), explicit(2, seq(all...))) }
	nonce := func(n int) []byte { return octets(fill(0x5c, n)) }
	for _, n := range []int{1, 8, 15, 16, 23, 32, 33, 64, 127, 128} {
		row := "REQ-37"
		if n >= 16 && n <= 32 {
			row = "REQ-36"
		}
		all = append(all, body{fmt.Sprintf("%s K:nonce-%d", row, n), with(extension(oidNonce, nonce(n))), k.said(wire.Good, id, nonce(n))})
	}
	for _, n := range []int{0, 129, 4096} {
		all = append(all, body{fmt.Sprintf("REQ-38 K:nonce-%d", n), with(extension(oidNonce, nonce(n))), malformed})
	}
	echoed := k.said(wire.Good, id, nonce(16))
	return append(all,
		body{"REQ-32 K:nonce-duplicate", with(extension(oidNonce, nonce(16)), extension(oidNonce, nonce(16))), malformed},
		body{"REQ-35 K:nonce-in-singleRequestExtensions", request(seq(single(id, extension(oidNonce, nonce(16))))), k.said(wire.Good, id, nil)},
		body{"REQ-39 K:nonce-empty-extnValue", with(extension(oidNonce, nil)), malformed},
		body{"REQ-39 K:nonce-trailing-in-extnValue", with(extension(oidNonce, append(nonce(16), 0))), malformed},
		body{"REQ-39 K:nonce-raw-not-octetstring", with(extension(oidNonce, fill(0x5c, 16))), k.said(wire.Good, id, fill(0x5c, 16))},
		body{"REQ-40 K:nonce-critical", with(critical(oidNonce, 0xff, nonce(16))), echoed},
		body{"RSP-34 nonces are on", with(extension(oidNonce, nonce(16))), echoed},
		body{"RSP-33 with an unknown extension before it", with(extension(oidUnknown, null), extension(oidNonce, nonce(16))), echoed},
	)
}

// preferences are about preferredSignatureAlgorithms (REQ-43, SGN-14, SGN-20).
func (k *kit) preferences() []body {
	id := k.ca.id(k.good...)
	usual := k.said(wire.Good, id, nil)
	byRSA := usual
	byRSA.by = k.rsa.Certificate
	rsa256, rsaSHA1, ecdsa256 := seq(oid(oidRSA+"\x0b"), null), seq(oid(oidRSA+"\x05"), null), seq(oid(oidECDSA256))
	value := func(value []byte) []byte { return request(list(id), explicit(2, seq(extension(oidPreferred, value)))) }
	wishes := func(algorithms ...[]byte) []byte {
		var all [][]byte
		for _, a := range algorithms {
			all = append(all, seq(a))
		}
		return value(seq(all...))
	}
	return []body{
		{"REQ-43 K:prefsig-rsa256-ecdsa256", wishes(rsa256, ecdsa256), byRSA},
		{"SGN-20 K:prefsig-rsa256-ecdsa256", wishes(rsa256, ecdsa256), byRSA},
		{"SGN-20 K:prefsig-ecdsa256-rsa256", wishes(ecdsa256, rsa256), usual},
		{"REQ-43 K:prefsig-only-unknown", wishes(seq(oid(oidUnknown))), usual},
		{"REQ-43 K:prefsig-garbage", value([]byte("sha256")), usual},
		{"SGN-14 K:prefsig-only-sha1rsa", wishes(rsaSHA1), usual},
	}
}

func TestBodies(t *testing.T) {
	k := newKit(t)
	for _, b := range k.bodies() {
		t.Run(b.row, func(t *testing.T) {
			for _, way := range over {
				if err := b.want.check(way.post(k.served, t, b.der), false); err != nil {
					t.Errorf("over %s: %v\nfor %x", way.name, err, first(b.der))
				}
			}
		})
	}
	t.Run("REQ-42 nobody was connected to", func(t *testing.T) { k.trap.empty(t) })
}
