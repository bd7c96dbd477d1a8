package wire_test

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/wire"
)

// basicResponse is an OCSPResponse of that status, type and content.
func basicResponse(status byte, kind string, basic []byte) []byte {
	return seq([]byte{0x0a, 1, status}, explicit(0, seq(oid(kind), octets(basic))))
}

func tbsOf(elements ...[]byte) []byte { return whole(seq(elements...)) }

// responseOf says this of one certificate.
func responseOf(elements ...[]byte) []byte {
	return tbsOf(byKey, produced, seq(seq(elements...)))
}

var thisUpdate = generalized(atText)

// badResponses have one fault each.
var badResponses = []struct {
	row  string
	der  []byte
	want string
}{
	{"empty", nil, "no complete DER SEQUENCE"},
	{"RSP-35 a byte more", append(tbsOf(byKey, produced, seq(goodDER)), 0), "bytes after the OCSPResponse: 1"},
	{"no status", seq(), "responseStatus is not"},
	{"status is an INTEGER", seq(integer(1)), "responseStatus is not"},
	{"RSP-01 an error with an answer", basicResponse(1, oidOCSP+"\x01", seq()), "responseBytes do not go with it"},
	{"successful without an answer", seq([]byte{0x0a, 1, 0}), "responseBytes do not go with it"},
	{"element after responseBytes", seq([]byte{0x0a, 1, 1}, null), "follows responseStatus"},
	{"another response type", basicResponse(0, oidUnknown, seq()), "responseType 1.3.6.1.4.1.54912.1"},
	{"no BasicOCSPResponse", basicResponse(0, oidOCSP+"\x01", nil), "BasicOCSPResponse is not"},
	{"empty BasicOCSPResponse", basicResponse(0, oidOCSP+"\x01", seq()), "tbsResponseData is not"},
	{"two OCTET STRINGs", seq([]byte{0x0a, 1, 0}, explicit(0, seq(oid(oidOCSP+"\x01"), octets(), octets()))), "responseBytes are not"},
	{"no signature", basicResponse(0, oidOCSP+"\x01", seq(seq(), ecdsa256)), "signature is not"},
	{"element after certs", basicResponse(0, oidOCSP+"\x01", seq(seq(), ecdsa256, tlv(0x03, []byte{0, 1}), explicit(0, seq()), null)), "follows the signature"},
	{"certs are not certificates", basicResponse(0, oidOCSP+"\x01", seq(seq(), ecdsa256, tlv(0x03, []byte{0, 1}), explicit(0, seq(null)))), "certs are not"},
	{"version v2", tbsOf(explicit(0, integer(1)), byKey, produced, seq(goodDER)), "version is not v1"},
	{"no responderID", tbsOf(produced, seq(goodDER)), "responderID"},
	{"nothing to be signed", tbsOf(), "no responderID"},
	{"RSP-12 name is no Name", tbsOf(explicit(1, octets(text("signer"))), produced, seq(goodDER)), "responderID"},
	{"RSP-11 SHA-256 of the key", tbsOf(explicit(2, octets(fill(1, 32))), produced, seq(goodDER)), "responderID"},
	{"no producedAt", tbsOf(byKey, seq(goodDER)), "producedAt"},
	{"TIM-01 fraction", tbsOf(byKey, generalized("20261121013000.5Z"), seq(goodDER)), "producedAt"},
	{"TIM-01 no seconds", tbsOf(byKey, generalized("202611210130Z"), seq(goodDER)), "producedAt"},
	{"TIM-01 other zone", tbsOf(byKey, generalized("20261121013000+0100"), seq(goodDER)), "producedAt"},
	{"TIM-01 UTCTime", tbsOf(byKey, tlv(0x17, text("261121013000Z")), seq(goodDER)), "producedAt"},
	{"no responses", tbsOf(byKey, produced), "responses are not"},
	{"element after the extensions", tbsOf(byKey, produced, seq(goodDER), explicit(1, seq(nonce(1))), null), "follows the responses"},
	{"nonce twice", tbsOf(byKey, produced, seq(goodDER), explicit(1, seq(nonce(1), nonce(1)))), "occurs twice"},
	{"RSP-31 unknown critical", tbsOf(byKey, produced, seq(goodDER), explicit(1, seq(critical(oidUnknown, 0xff, null)))), "responseExtensions: extension 1.3.6.1.4.1.54912.1 is critical"},
	{"RSP-31 unknown critical single", responseOf(certID(1), tlv(0x80), thisUpdate, explicit(1, seq(critical(oidUnknown, 0xff, null)))), "single response 1: singleExtensions"},
	{"single is no SEQUENCE", tbsOf(byKey, produced, seq(null)), "single response 1: not a SEQUENCE"},
	{"second single is no SEQUENCE", tbsOf(byKey, produced, seq(goodDER, null)), "single response 2: not a SEQUENCE"},
	{"no CertID", responseOf(tlv(0x80), thisUpdate), "CertID"},
	{"no certStatus", responseOf(certID(1)), "no certStatus"},
	{"certStatus left out", responseOf(certID(1), thisUpdate), "certStatus is neither"},
	{"certStatus [3]", responseOf(certID(1), tlv(0x83), thisUpdate), "certStatus is neither"},
	{"good with content", responseOf(certID(1), tlv(0x80, []byte{0}), thisUpdate), "certStatus is neither"},
	{"unknown with content", responseOf(certID(1), tlv(0x82, []byte{0}), thisUpdate), "certStatus is neither"},
	{"revoked without a time", responseOf(certID(1), tlv(0xa1), thisUpdate), "certStatus is neither"},
	{"revoked with an element more", responseOf(certID(1), tlv(0xa1, revokedTime, null), thisUpdate), "certStatus is neither"},
	{"reason is an INTEGER", responseOf(certID(1), tlv(0xa1, revokedTime, explicit(0, integer(1))), thisUpdate), "certStatus is neither"},
	{"two reasons", responseOf(certID(1), tlv(0xa1, revokedTime, explicit(0, tlv(0x0a, []byte{1}), tlv(0x0a, []byte{1}))), thisUpdate), "certStatus is neither"},
	{"no thisUpdate", responseOf(certID(1), tlv(0x80), explicit(0, thisUpdate)), "thisUpdate"},
	{"nextUpdate twice", responseOf(certID(1), tlv(0x80), thisUpdate, explicit(0, thisUpdate, thisUpdate)), "nextUpdate"},
	{"element after the single", responseOf(certID(1), tlv(0x80), thisUpdate, null), "follows the times"},
	{"archiveCutoff is no time", responseOf(certID(1), tlv(0x80), thisUpdate, explicit(1, seq(extension(oidOCSP+"\x06", null)))), "archiveCutoff"},
}

func TestBadResponses(t *testing.T) {
	for _, test := range badResponses {
		t.Run(test.row, func(t *testing.T) {
			r, err := wire.ParseResponse(test.der)
			if err == nil || r != nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%+v, %v, want %q", r, err, test.want)
			}
		})
	}
}

// Responses of others may hold what we never write.
func TestForeignResponses(t *testing.T) {
	unknownExtension := explicit(1, seq(extension(oidUnknown, null)))
	for _, test := range []struct {
		row    string
		der    []byte
		status wire.CertStatus
		reason int
	}{
		{"version written out", tbsOf(explicit(0, integer(0)), byKey, produced, seq(goodDER)), wire.Good, -1},
		{"unknown extension", tbsOf(byKey, produced, seq(goodDER), unknownExtension), wire.Good, -1},
		{"unknown extension of a single", responseOf(certID(1), tlv(0x82), thisUpdate, unknownExtension), wire.Unknown, -1},
		{"reason unspecified", responseOf(certID(1), tlv(0xa1, revokedTime, explicit(0, tlv(0x0a, []byte{0}))), thisUpdate), wire.Revoked, 0},
		{"reason removeFromCRL", responseOf(certID(1), tlv(0xa1, revokedTime, explicit(0, tlv(0x0a, []byte{8}))), thisUpdate), wire.Revoked, 8},
		{"extended revoke critical", tbsOf(byKey, produced, seq(goodDER), explicit(1, seq(critical(oidOCSP+"\x09", 0xff, null)))), wire.Good, -1},
	} {
		t.Run(test.row, func(t *testing.T) {
			r, err := wire.ParseResponse(test.der)
			if err != nil {
				t.Fatal(err)
			}
			if s := r.Singles[0]; s.Status != test.status || s.Reason != test.reason {
				t.Errorf("%v, reason %d", s.Status, s.Reason)
			}
		})
	}
}

func TestParseErrorResponses(t *testing.T) {
	for status := ocsp.Malformed; status <= ocsp.Unauthorized; status++ {
		r, err := wire.ParseResponse(seq([]byte{0x0a, 1, byte(status)}))
		if err != nil || r.Status != status || r.Singles != nil {
			t.Errorf("%d is read as %+v, %v", int(status), r, err)
		}
	}
}

func TestParsedFields(t *testing.T) {
	want := oneResponse(goodSingle(), revokedSingle(3))
	want.Nonce, want.ExtendedRevoke = octets(fill(1, 32)), true
	want.Certificates = [][]byte{seq(fill(1, 9))}
	der, err := want.Marshal(fixed)
	if err != nil {
		t.Fatal(err)
	}
	r, err := wire.ParseResponse(der)
	if err != nil {
		t.Fatal(err)
	}
	second := at.Truncate(time.Second)
	if r.Status != ocsp.Success || !r.ProducedAt.Equal(second) || r.KeyHash != want.KeyHash || r.ByName != nil || !r.ExtendedRevoke {
		t.Errorf("%+v", r)
	}
	if hex(r.Nonce) != hex(want.Nonce) || len(r.Certificates) != 1 || hex(r.Certificates[0]) != hex(want.Certificates[0]) {
		t.Errorf("nonce %x, certificates %x", r.Nonce, r.Certificates)
	}
	if string(r.Signature) != "signature" || hex(r.SignatureAlgorithm) != hex(ecdsa256) || !strings.Contains(hex(der), hex(r.TBS)) {
		t.Errorf("signature %q, algorithm %x, tbs %x", r.Signature, r.SignatureAlgorithm, r.TBS)
	}
	if s := r.Singles[0]; s.Status != wire.Good || s.Reason != -1 || !s.ThisUpdate.Equal(second) || !s.NextUpdate.Equal(second.Add(12*time.Hour)) {
		t.Errorf("%+v", s)
	}
	if s := r.Singles[1]; s.Status != wire.Revoked || s.Reason != 3 || !s.RevokedAt.Equal(second.Add(-time.Hour)) || !s.NextUpdate.IsZero() {
		t.Errorf("%+v", s)
	}
}
