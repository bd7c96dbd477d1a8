package wire_test

import (
	"bytes"
	"crypto"
	encoding_hex "encoding/hex"
	"testing"

	"ocspcgi/lib/wire"
)

func hex(b []byte) string { return encoding_hex.EncodeToString(b) }

// accepted are requests that are answered, with what is read from them. Every
// one asks for serial 2a01 first, unless serials says otherwise.
var accepted = []struct {
	row       string
	der       []byte
	serials   string // in hex; empty: 2a01
	nonce     []byte // extnValue content
	preferred [][]byte
	signed    bool
}{
	{row: "REQ-03 version v1 written out", der: request(explicit(0, integer(0)), one())},
	{row: "REQ-05 requestorName unsigned", der: request(explicit(1, explicit(4, name("client"))), one())},
	{row: "REQ-06 version and requestorName", der: request(explicit(0, integer(0)), explicit(1, tlv(0x82, text("client.example"))), one())},
	{row: "REQ-06 requestorName otherName", der: request(explicit(1, explicit(0, oid(oidUnknown), explicit(0, null))), one())},
	{row: "REQ-06 requestorName rfc822Name", der: request(explicit(1, tlv(0x81, text("a@b.example"))), one())},
	{row: "REQ-06 requestorName URI", der: request(explicit(1, tlv(0x86, text("http://a.example"))), one())},
	{row: "REQ-06 requestorName iPAddress", der: request(explicit(1, tlv(0x87, []byte{127, 0, 0, 1})), one())},
	{row: "REQ-06 requestorName with a bad tag", der: request(explicit(1, name("client")), one())},
	{row: "REQ-07 garbage signature", der: signed(fill(0xee, 256), nil, explicit(1, explicit(4, name("client"))), one()), signed: true},
	{row: "REQ-07 signed without requestorName", der: signed(fill(0xee, 256), nil, one()), signed: true},
	{row: "REQ-07 empty signature", der: signed(nil, nil, one()), signed: true},
	{row: "REQ-08 twenty certs", der: signed(fill(0xee, 256), explicit(0, seq(bytes.Repeat(seq(fill(0, 900)), 20))), one()), signed: true},
	{row: "REQ-08 garbage for a certificate", der: signed(fill(0xee, 256), explicit(0, seq(seq(fill(0xff, 9)))), one()), signed: true},
	{row: "REQ-09 the same twice", der: request(list(single(certID(0x2a, 1)), single(certID(0x2a, 1)))), serials: "2a01 2a01"},
	{row: "REQ-09 in order", der: request(list(single(certID(0x2a, 5)), single(certID(0x2a, 1)), single(certID(3)))), serials: "2a05 2a01 03"},
	{row: "REQ-14 serial zero", der: request(list(single(certID(0)))), serials: "00"},
	{row: "REQ-14 serial negative", der: request(list(single(certID(0xff)))), serials: "ff"},
	{row: "REQ-14 serial is minus 2a01", der: request(list(single(certID(0xd5, 0xff)))), serials: "d5ff"},
	{row: "REQ-14 serial with a needed 00", der: request(list(single(certID(0, 0x80)))), serials: "0080"},
	{row: "REQ-14 serial with a needed FF", der: request(list(single(certID(0xff, 0x7f)))), serials: "ff7f"},
	{row: "REQ-15 serial of 21 octets", der: request(list(single(certID(fill(0x11, 21)...)))), serials: hex(fill(0x11, 21))},
	{row: "REQ-15 serial of 1000 octets", der: request(list(single(certID(fill(0x11, 1000)...)))), serials: hex(fill(0x11, 1000))},
	{row: "REQ-30 unknown", der: extended(extension(oidUnknown, null))},
	{row: "REQ-30 unknown with any content", der: extended(extension(oidUnknown, []byte{0xff}))},
	{row: "REQ-30 unknown single", der: request(list(single(certID(0x2a, 1), extension(oidUnknown, null))))},
	{row: "REQ-30 32 unknown", der: extended(manyExtensions(32)...)},
	{row: "REQ-33 critical FALSE written out", der: extended(critical(oidNonce, 0, octets(fill(0x5c, 16)))), nonce: octets(fill(0x5c, 16))},
	{row: "REQ-33 unknown, critical FALSE written out", der: extended(critical(oidUnknown, 0, null))},
	{row: "REQ-35 nonce in singleRequestExtensions", der: request(list(single(certID(0x2a, 1), nonce(16))))},
	{row: "REQ-35 critical nonce in singleRequestExtensions", der: request(list(single(certID(0x2a, 1), critical(oidNonce, 0xff, null))))},
	{row: "REQ-35 nonce at both levels", der: request(list(single(certID(0x2a, 1), extension(oidNonce, octets(fill(1, 16))))), explicit(2, seq(nonce(17)))), nonce: octets(fill(0x5c, 17))},
	{row: "REQ-36 nonce of 16", der: extended(nonce(16)), nonce: octets(fill(0x5c, 16))},
	{row: "REQ-36 nonce of 23", der: extended(nonce(23)), nonce: octets(fill(0x5c, 23))},
	{row: "REQ-36 nonce of 32", der: extended(nonce(32)), nonce: octets(fill(0x5c, 32))},
	{row: "REQ-37 nonce of 1", der: extended(nonce(1)), nonce: octets(fill(0x5c, 1))},
	{row: "REQ-37 nonce of 8", der: extended(nonce(8)), nonce: octets(fill(0x5c, 8))},
	{row: "REQ-37 nonce of 15", der: extended(nonce(15)), nonce: octets(fill(0x5c, 15))},
	{row: "REQ-37 nonce of 33", der: extended(nonce(33)), nonce: octets(fill(0x5c, 33))},
	{row: "REQ-37 nonce of 64", der: extended(nonce(64)), nonce: octets(fill(0x5c, 64))},
	{row: "REQ-37 nonce of 127", der: extended(nonce(127)), nonce: octets(fill(0x5c, 127))},
	{row: "REQ-37 nonce of 128", der: extended(nonce(128)), nonce: octets(fill(0x5c, 128))},
	{row: "REQ-39 raw nonce", der: extended(extension(oidNonce, fill(0x5c, 16))), nonce: fill(0x5c, 16)},
	{row: "REQ-39 raw nonce of 1", der: extended(extension(oidNonce, fill(0x5c, 1))), nonce: fill(0x5c, 1)},
	{row: "REQ-39 raw nonce of 128", der: extended(extension(oidNonce, fill(0x5c, 128))), nonce: fill(0x5c, 128)},
	{row: "REQ-40 nonce critical", der: extended(critical(oidNonce, 0xff, octets(fill(0x5c, 16)))), nonce: octets(fill(0x5c, 16))},
	{row: "REQ-41 acceptable basic", der: extended(extension(oidOCSP+"\x04", seq(oid(oidOCSP+"\x01"))))},
	{row: "REQ-41 acceptable without basic", der: extended(extension(oidOCSP+"\x04", seq(oid(oidUnknown))))},
	{row: "REQ-41 acceptable critical", der: extended(critical(oidOCSP+"\x04", 0xff, seq(oid(oidOCSP+"\x01"))))},
	{row: "REQ-41 acceptable garbage", der: extended(extension(oidOCSP+"\x04", text("basic")))},
	{row: "REQ-42 serviceLocator", der: request(list(single(certID(0x2a, 1), extension(oidOCSP+"\x07", seq(name("CA"))))))},
	{row: "REQ-42 serviceLocator critical", der: request(list(single(certID(0x2a, 1), critical(oidOCSP+"\x07", 0xff, seq(name("CA"))))))},
	{row: "REQ-43 preferred rsa256, ecdsa256", der: prefers(seq(rsa256), seq(ecdsa256)), preferred: [][]byte{rsa256, ecdsa256}},
	{row: "REQ-43 preferred with a key", der: prefers(seq(ecdsa256, seq(oid(oidUnknown), oid(oidUnknown)))), preferred: [][]byte{ecdsa256}},
	{row: "REQ-43 preferred unknown", der: prefers(seq(seq(oid(oidUnknown)))), preferred: [][]byte{seq(oid(oidUnknown))}},
	{row: "REQ-43 preferred empty", der: prefers()},
	{row: "REQ-43 preferred garbage", der: extended(extension(oidPreferred, text("sha256")))},
	{row: "REQ-43 preferred garbage after one", der: prefers(seq(rsa256), integer(1))},
	{row: "REQ-43 preferred without an OID", der: prefers(seq(rsa256), seq(seq(integer(1))))},
	{row: "REQ-43 preferred with an element more", der: prefers(seq(rsa256, seq(oid(oidUnknown)), null))},
	{row: "REQ-43 preferred and bytes after it", der: extended(extension(oidPreferred, append(seq(seq(rsa256)), 0)))},
	{row: "REQ-43 preferred flat", der: prefers(rsa256)},
	{row: "REQ-43 preferred critical", der: extended(critical(oidPreferred, 0xff, seq(seq(rsa256)))), preferred: [][]byte{rsa256}},
	{row: "REQ-43 preferred and a nonce", der: extended(nonce(16), extension(oidPreferred, seq(seq(rsa256)))), nonce: octets(fill(0x5c, 16)), preferred: [][]byte{rsa256}},
}

var (
	rsa256   = seq(oid(oidRSA+"\x0b"), null)
	ecdsa256 = seq(oid(oidECDSA256))
)

// prefers is a request with these entries of preferredSignatureAlgorithms.
func prefers(entries ...[]byte) []byte {
	return extended(extension(oidPreferred, seq(entries...)))
}

func TestAcceptedRequests(t *testing.T) {
	var again wire.Request // used for all rows, so that nothing is left over from the last
	for _, test := range accepted {
		t.Run(test.row, func(t *testing.T) {
			r, err := wire.ParseRequest(test.der)
			if err != nil {
				t.Fatal(err)
			}
			if err := again.Unmarshal(test.der); err != nil {
				t.Fatalf("the second time: %v", err)
			}
			want := test.serials
			if want == "" {
				want = "2a01"
			}
			for _, r := range []*wire.Request{r, &again} {
				if got := serials(r); got != want {
					t.Errorf("serials %s, want %s", got, want)
				}
				if !bytes.Equal(r.Nonce, test.nonce) || (r.Nonce == nil) != (test.nonce == nil) {
					t.Errorf("nonce %x, want %x", r.Nonce, test.nonce)
				}
				if got, want := bytes.Join(r.Preferred, nil), bytes.Join(test.preferred, nil); !bytes.Equal(got, want) {
					t.Errorf("preferred %x, want %x", got, want)
				}
				if r.Signed != test.signed {
					t.Errorf("signed is %v", r.Signed)
				}
			}
		})
	}
}

// certIDs are CertIDs whose hashes or algorithms differ.
var certIDs = []struct {
	row       string
	algorithm []byte
	name, key []byte
	want      crypto.Hash
}{
	{"REQ-18 SHA-1 NULL", seq(oid(oidSHA1), null), fill(1, 20), fill(2, 20), crypto.SHA1},
	{"REQ-20 SHA-1 absent", seq(oid(oidSHA1)), fill(1, 20), fill(2, 20), crypto.SHA1},
	{"REQ-17 SHA-256 NULL", seq(oid(oidSHA2+"\x01"), null), fill(1, 32), fill(2, 32), crypto.SHA256},
	{"REQ-20 SHA-256 absent", seq(oid(oidSHA2 + "\x01")), fill(1, 32), fill(2, 32), crypto.SHA256},
	{"REQ-19 SHA-384 NULL", seq(oid(oidSHA2+"\x02"), null), fill(1, 48), fill(2, 48), crypto.SHA384},
	{"REQ-20 SHA-384 absent", seq(oid(oidSHA2 + "\x02")), fill(1, 48), fill(2, 48), crypto.SHA384},
	{"REQ-19 SHA-512 NULL", seq(oid(oidSHA2+"\x03"), null), fill(1, 64), fill(2, 64), crypto.SHA512},
	{"REQ-20 SHA-512 absent", seq(oid(oidSHA2 + "\x03")), fill(1, 64), fill(2, 64), crypto.SHA512},
	{"REQ-19 SHA-224", seq(oid(oidSHA2+"\x04"), null), fill(1, 28), fill(2, 28), crypto.SHA224},
	{"REQ-19 SHA-512/256", seq(oid(oidSHA2 + "\x06")), fill(1, 32), fill(2, 32), crypto.SHA512_256},
	{"REQ-19 SHA3-256", seq(oid(oidSHA2 + "\x08")), fill(1, 32), fill(2, 32), crypto.SHA3_256},
	{"REQ-19 SHA3-384", seq(oid(oidSHA2 + "\x09")), fill(1, 48), fill(2, 48), crypto.SHA3_384},
	{"REQ-19 SHA3-512", seq(oid(oidSHA2 + "\x0a")), fill(1, 64), fill(2, 64), crypto.SHA3_512},
	{"REQ-19 MD5", seq(oid(oidMD5), null), fill(1, 16), fill(2, 16), 0},
	{"REQ-21 unknown hash OID", seq(oid(oidUnknown), null), fill(1, 20), fill(2, 20), 0},
	{"REQ-25 short hashes", seq(oid(oidSHA1), null), fill(1, 19), fill(2, 19), crypto.SHA1},
	{"REQ-25 empty hashes", seq(oid(oidSHA1), null), nil, nil, crypto.SHA1},
	{"REQ-25 garbage parameters", seq(oid(oidSHA1), octets(text("garbage"))), fill(1, 20), fill(2, 20), 0},
	{"REQ-25 NULL with content", seq(oid(oidSHA1), []byte{5, 1, 0}), fill(1, 20), fill(2, 20), 0},
}

func TestCertIDs(t *testing.T) {
	for _, test := range certIDs {
		t.Run(test.row, func(t *testing.T) {
			raw := seq(test.algorithm, octets(test.name), octets(test.key), integer(0x2a, 0x01))
			r, err := wire.ParseRequest(request(list(single(raw))))
			if err != nil {
				t.Fatal(err)
			}
			id := r.CertIDs[0]
			if id.Hash != test.want {
				t.Errorf("hash %v, want %v", id.Hash, test.want)
			}
			if !bytes.Equal(id.IssuerNameHash, test.name) || !bytes.Equal(id.IssuerKeyHash, test.key) {
				t.Errorf("hashes %x, %x", id.IssuerNameHash, id.IssuerKeyHash)
			}
			if hex(id.Serial) != "2a01" {
				t.Errorf("serial %x", id.Serial)
			}
			if !bytes.Equal(id.Raw, raw) {
				t.Errorf("REQ-48 raw %x, want %x", id.Raw, raw)
			}
			again, err := wire.ParseCertID(raw)
			if err != nil || again.Hash != id.Hash || !bytes.Equal(again.Serial, id.Serial) {
				t.Errorf("ParseCertID: %+v, %v", again, err)
			}
		})
	}
}

func TestSignedRequest(t *testing.T) {
	certificate := seq(fill(7, 30))
	name := explicit(4, name("client"))
	tbs := seq(explicit(1, name), one())
	der := signed(fill(0xee, 256), explicit(0, seq(certificate, certificate)), explicit(1, name), one())
	r, err := wire.ParseRequest(der)
	if err != nil {
		t.Fatal(err)
	}
	for what, pair := range map[string][2][]byte{
		"TBS":                {r.TBS, tbs},
		"RequestorName":      {r.RequestorName, name},
		"SignatureAlgorithm": {r.SignatureAlgorithm, rsa256},
		"Signature":          {r.Signature, fill(0xee, 256)},
		"Certificates":       {r.Certificates, append(certificate, certificate...)},
	} {
		if !bytes.Equal(pair[0], pair[1]) {
			t.Errorf("%s is %x, want %x", what, pair[0], pair[1])
		}
	}
}

// Botan 2.19 writes the version, and its requests for a serial of two octets
// begin so.
func TestBotanVersion(t *testing.T) {
	der := request(explicit(0, integer(0)), one())
	if got := hex(der[:11]); got != "30483046a003020100303f" {
		t.Fatalf("the request begins with %s", got)
	}
	if _, err := wire.ParseRequest(der); err != nil {
		t.Error(err)
	}
}
