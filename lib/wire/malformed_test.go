package wire_test

import (
	"bytes"
	"encoding/base64"
	"encoding/pem"
	"strings"
	"testing"

	"ocspcgi/lib/wire"
)

// malformed are requests with one fault each, with what the error says.
var malformed = []struct {
	row  string
	der  []byte
	want string
}{
	{"REQ-01 indefinite length", append(append([]byte{0x30, 0x80}, seq(one())...), 0, 0), "no complete DER SEQUENCE"},
	{"REQ-01 indefinite length inside", seq(append(append([]byte{0x30, 0x80}, one()...), 0, 0)), "tbsRequest is not"},
	{"REQ-01 long length", append([]byte{0x30, 0x81}, request(one())[1:]...), "no complete DER SEQUENCE"},
	{"REQ-01 long length with a zero", append([]byte{0x30, 0x82, 0x00}, request(explicit(1, octets(fill(0, 100))), one())[2:]...), "no complete DER SEQUENCE"},
	{"REQ-02 trailing bytes", append(request(one()), 0x00, 0x00), "bytes after the OCSPRequest: 2"},
	{"REQ-02 trailing newline", append(request(one()), '\n'), "bytes after the OCSPRequest: 1"},
	{"REQ-02 two requests in one body", append(request(one()), request(one())...), "bytes after the OCSPRequest"},
	{"REQ-04 version v2", request(explicit(0, integer(1)), one()), "version is not v1"},
	{"REQ-04 version 255", request(explicit(0, integer(0, 255)), one()), "version is not v1"},
	{"REQ-04 version padded", request(explicit(0, integer(0, 0)), one()), "version is not v1"},
	{"REQ-04 version empty", request(explicit(0), one()), "version is not v1"},
	{"REQ-04 version with a byte more", request(explicit(0, integer(0), []byte{0}), one()), "version is not v1"},
	{"REQ-06 requestorName empty", request(explicit(1), one()), "requestorName is not one element"},
	{"REQ-06 requestorName twice", request(explicit(1, name("a"), name("b")), one()), "requestorName is not one element"},
	{"REQ-06 requestorName cut", request(explicit(1, []byte{0x86, 0x05, 'h'}), one()), "requestorName is not one element"},
	{"REQ-11 101 requests", requests(101), "more than 100 requests"},
	{"REQ-11 2000 requests", requests(2000), "more than 100 requests"},
	{"REQ-12 empty requestList", request(list()), "requestList is empty"},
	{"REQ-13 tbs trailing element", request(one(), null), "follows requestList"},
	{"REQ-13 CertID trailing element", request(list(single(seq(sha1ID, octets(nameHash), octets(keyHash), integer(1), null)))), "follows the serialNumber"},
	{"REQ-13 OCSPRequest trailing element", seq(seq(one()), null), "follows tbsRequest"},
	{"REQ-13 Request trailing element", request(list(seq(certID(1), null))), "follows the CertID"},
	{"REQ-13 hashAlgorithm trailing element", request(list(single(seq(seq(oid(oidSHA1), null, null), octets(nameHash), octets(keyHash), integer(1))))), "hashAlgorithm"},
	{"REQ-13 Extension trailing element", extended(seq(oid(oidNonce), octets(octets(fill(1, 8))), null)), "follows the extnValue of extension 1.3.6.1.5.5.7.48.1.2"},
	{"REQ-13 requestorName after requestList", request(one(), explicit(1, name("a"))), "follows requestList"},
	{"REQ-13 version after requestorName", request(explicit(1, name("a")), explicit(0, integer(0)), one()), "requestList is not"},
	{"REQ-13 extensions before requestList", request(explicit(2, seq(nonce(8))), one()), "requestList is not"},
	{"REQ-13 CertID out of order", request(list(single(seq(octets(nameHash), sha1ID, octets(keyHash), integer(1))))), "hashAlgorithm"},
	{"REQ-13 unknown tag in tbs", request(explicit(3, null), one()), "requestList is not"},
	{"REQ-13 tbsRequest is a SET", seq(tlv(0x31, one())), "tbsRequest is not"},
	{"REQ-13 high tag number", request([]byte{0xbf, 0x1f, 0x00}, one()), "requestList is not"},
	{"REQ-13 issuerNameHash is no OCTET STRING", request(list(single(seq(sha1ID, tlv(0x0c, nameHash), octets(keyHash), integer(1))))), "issuerNameHash"},
	{"REQ-13 issuerKeyHash is no OCTET STRING", request(list(single(seq(sha1ID, octets(nameHash), tlv(0x03, keyHash), integer(1))))), "issuerKeyHash"},
	{"REQ-13 hash OID empty", request(list(single(seq(seq(oid(""), null), octets(nameHash), octets(keyHash), integer(1))))), "hashAlgorithm"},
	{"REQ-13 hash OID cut", request(list(single(seq(seq(oid("\x2b\x8e"), null), octets(nameHash), octets(keyHash), integer(1))))), "hashAlgorithm"},
	{"REQ-13 hash OID padded", request(list(single(seq(seq(oid("\x2b\x80\x0e\x03"), null), octets(nameHash), octets(keyHash), integer(1))))), "hashAlgorithm"},
	{"REQ-16 serial padded with 00", request(list(single(certID(0x00, 0x2a)))), "serialNumber"},
	{"REQ-16 serial padded with FF", request(list(single(certID(0xff, 0xaa)))), "serialNumber"},
	{"REQ-16 serial of zero length", request(list(single(certID()))), "serialNumber"},
	{"REQ-16 serial with the wrong tag", request(list(single(seq(sha1ID, octets(nameHash), octets(keyHash), octets([]byte{1}))))), "serialNumber"},
	{"REQ-16 no serial", request(list(single(seq(sha1ID, octets(nameHash), octets(keyHash))))), "serialNumber"},
	{"REQ-31 unknown critical", extended(critical(oidUnknown, 0xff, null)), "extension 1.3.6.1.4.1.54912.1 is critical and not known"},
	{"REQ-31 unknown critical after the nonce", extended(nonce(16), critical(oidUnknown, 0xff, null)), "is critical and not known"},
	{"REQ-31 unknown critical single", request(list(single(certID(1), critical(oidUnknown, 0xff, null)))), "singleRequestExtensions: extension 1.3.6.1.4.1.54912.1 is critical"},
	{"REQ-31 unknown critical in the second request", request(list(single(certID(1)), single(certID(2), critical(oidUnknown, 0xff, null)))), "request 2: singleRequestExtensions"},
	{"REQ-31 extension of responses, critical", extended(critical(oidOCSP+"\x09", 0xff, null)), "is critical and not known"},
	{"REQ-32 nonce twice", extended(nonce(16), nonce(16)), "48.1.2 occurs twice"},
	{"REQ-32 unknown twice", extended(extension(oidUnknown, null), nonce(16), extension(oidUnknown, null)), "54912.1 occurs twice"},
	{"REQ-32 unknown twice in single", request(list(single(certID(1), extension(oidUnknown, null), extension(oidUnknown, null)))), "54912.1 occurs twice"},
	{"REQ-33 critical BOOLEAN 01", extended(critical(oidNonce, 0x01, octets(fill(1, 16)))), "not a DER BOOLEAN"},
	{"REQ-33 critical BOOLEAN of two octets", extended(seq(oid(oidNonce), tlv(0x01, []byte{0xff, 0xff}), octets(octets(fill(1, 16))))), "not a DER BOOLEAN"},
	{"REQ-34 empty Extensions", extended(), "extensions are empty"},
	{"REQ-34 [2] empty", request(one(), explicit(2)), "extensions are not one SEQUENCE"},
	{"REQ-34 two Extensions", request(one(), explicit(2, seq(nonce(16)), seq(nonce(16)))), "extensions are not one SEQUENCE"},
	{"REQ-34 empty singleRequestExtensions", request(list(seq(certID(1), explicit(0, seq())))), "singleRequestExtensions: extensions are empty"},
	{"REQ-34 extension without extnID", extended(seq(octets(null))), "extnID"},
	{"REQ-34 extension without extnValue", extended(seq(oid(oidUnknown))), "extnValue of extension 1.3.6.1.4.1.54912.1"},
	{"REQ-34 33 extensions", extended(manyExtensions(33)...), "more than 32 extensions"},
	{"REQ-38 nonce of 0", extended(nonce(0)), "the nonce has 0 octets"},
	{"REQ-38 nonce of 129", extended(nonce(129)), "the nonce has 129 octets"},
	{"REQ-38 nonce of 4096", extended(nonce(4096)), "the nonce has 4096 octets"},
	{"REQ-38 raw nonce of 129", extended(extension(oidNonce, fill(0x5c, 129))), "the nonce has 129 octets"},
	{"REQ-39 nonce with empty extnValue", extended(extension(oidNonce, nil)), "the nonce has 0 octets"},
	{"REQ-39 trailing bytes in extnValue", extended(extension(oidNonce, append(octets(fill(0x5c, 16)), 0))), "not one OCTET STRING"},
	{"REQ-39 OCTET STRING longer than extnValue", extended(extension(oidNonce, append([]byte{4, 17}, fill(0x5c, 16)...))), "not one OCTET STRING"},
	{"REQ-39 OCTET STRING with a long length", extended(extension(oidNonce, append([]byte{4, 0x81, 16}, fill(0x5c, 16)...))), "not one OCTET STRING"},
	{"REQ-45 empty body", nil, "no complete DER SEQUENCE"},
	{"REQ-45 one byte", []byte{0x30}, "no complete DER SEQUENCE"},
	{"REQ-45 empty SEQUENCE", seq(), "tbsRequest is not"},
	{"REQ-45 empty tbsRequest", request(), "requestList is not"},
	{"REQ-45 length overflow", []byte{0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0x30}, "no complete DER SEQUENCE"},
	{"REQ-45 64-bit length", []byte{0x30, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x30}, "no complete DER SEQUENCE"},
	{"REQ-45 cut short", request(one())[:40], "no complete DER SEQUENCE"},
	{"REQ-45 10000 deep", deep(10000), "no complete DER SEQUENCE"},
	{"REQ-45 64K zeros", make([]byte, 64<<10), "no complete DER SEQUENCE"},
	{"REQ-46 PEM", pem.EncodeToMemory(&pem.Block{Type: "OCSP REQUEST", Bytes: request(one())}), "no complete DER SEQUENCE"},
	{"REQ-46 base64", []byte(base64.StdEncoding.EncodeToString(request(one()))), "no complete DER SEQUENCE"},
	{"REQ-46 text", []byte("hello, are you there?"), "no complete DER SEQUENCE"},
	{"REQ-13 Request is no SEQUENCE", request(list(null)), "request 1: not a SEQUENCE"},
	{"REQ-13 second Request is no SEQUENCE", request(list(single(certID(1)), null)), "request 2: not a SEQUENCE"},
	{"REQ-13 CertID is no SEQUENCE", request(list(seq(null))), "CertID is not a SEQUENCE"},
	{"REQ-13 Extension is no SEQUENCE", extended(null), "extension is not a SEQUENCE"},
	{"REQ-31 unknown critical, an OID with large arcs", extended(critical("\x2b\xff\xff\xff\xff\xff\x7f", 0xff, null)), "extension 2bffffffffff7f is critical"},
	{"REQ-45 optionalSignature longer than the rest", seq(seq(one()), []byte{0xa0, 5, 0}), "optionalSignature is not complete"},
	{"REQ-45 requestExtensions longer than the rest", request(one(), []byte{0xa2, 5, 0}), "requestExtensions are not complete"},
	{"REQ-45 singleRequestExtensions longer than the rest", request(list(seq(certID(1), []byte{0xa0, 5, 0}))), "singleRequestExtensions are not complete"},
	{"REQ-07 algorithm is no SEQUENCE", seq(seq(one()), explicit(0, seq(null))), "signatureAlgorithm is not a SEQUENCE"},
	{"REQ-07 certs twice in one", signed(fill(1, 64), explicit(0, seq(), seq()), one()), "certs are not"},
	{"REQ-07 certs are no SEQUENCE", signed(fill(1, 64), explicit(0, null), one()), "certs are not"},
	{"REQ-07 signature with unused bits", seq(seq(one()), explicit(0, seq(rsa256, tlv(0x03, []byte{1, 2})))), "not a BIT STRING of whole octets"},
	{"REQ-07 optionalSignature empty", seq(seq(one()), explicit(0)), "optionalSignature is not one SEQUENCE"},
	{"REQ-07 signature missing", seq(seq(one()), explicit(0, seq(sha1ID))), "signature is not a BIT STRING"},
	{"REQ-07 algorithm without OID", seq(seq(one()), explicit(0, seq(seq(), tlv(0x03, []byte{0, 1})))), "signatureAlgorithm is not"},
	{"REQ-07 element after certs", signed(fill(1, 64), append(explicit(0, seq(seq())), null...), one()), "follows the signature"},
	{"REQ-07 certs hold an INTEGER", signed(fill(1, 64), explicit(0, seq(integer(1))), one()), "certs are not"},
	{"REQ-07 signature twice", seq(seq(one()), signature(), signature()), "follows tbsRequest"},
}

// deep is n SEQUENCEs of indefinite length, one in the other.
func deep(n int) []byte {
	return append(bytes.Repeat([]byte{0x30, 0x80}, n), make([]byte, 2*n)...)
}

// signature is an optionalSignature.
func signature() []byte {
	return explicit(0, seq(seq(oid(oidRSA+"\x0b"), null), tlv(0x03, []byte{0}, fill(1, 64))))
}

// manyExtensions are n unknown extensions that are not critical.
func manyExtensions(n int) [][]byte {
	var all [][]byte
	for i := range n {
		all = append(all, extension(oidUnknown+string(rune(i)), null))
	}
	return all
}

func TestMalformedRequests(t *testing.T) {
	for _, test := range malformed {
		t.Run(test.row, func(t *testing.T) {
			r, err := wire.ParseRequest(test.der)
			if err == nil {
				t.Fatalf("accepted: %+v", r)
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %q, want %q in it", err, test.want)
			}
		})
	}
}

// A request that is cut anywhere is malformed.
func TestCutRequests(t *testing.T) {
	whole := signed(fill(1, 64), explicit(0, seq(seq())), explicit(0, integer(0)), explicit(1, name("a")),
		list(single(certID(1), extension(oidUnknown, null))), explicit(2, seq(nonce(16))))
	if _, err := wire.ParseRequest(whole); err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if _, err := wire.ParseRequest(whole[:n]); err == nil {
			t.Errorf("accepted %d of %d bytes", n, len(whole))
		}
	}
}

func TestMostRequests(t *testing.T) {
	r, err := wire.ParseRequest(requests(wire.MaxRequests))
	if err != nil || len(r.CertIDs) != 100 || hex(r.CertIDs[99].Serial) != "2a0063" {
		t.Errorf("REQ-11 100 requests: %+v, %v", r, err)
	}
}

// Too many requests are found before there is room for them.
func TestTooManyRequestsAllocate(t *testing.T) {
	der := requests(2000)
	var r wire.Request
	if err := r.Unmarshal(der); err == nil {
		t.Fatal("accepted 2000 requests")
	}
	if cap(r.CertIDs) >= 2*wire.MaxRequests {
		t.Errorf("room for %d CertIDs", cap(r.CertIDs))
	}
}
