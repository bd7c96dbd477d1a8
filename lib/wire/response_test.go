package wire_test

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/wire"
)

func TestErrorResponse(t *testing.T) {
	for status, want := range map[ocsp.ResponseStatus]string{
		ocsp.Malformed:         "30030a0101",
		ocsp.InternalError:     "30030a0102",
		ocsp.TryLater:          "30030a0103",
		ocsp.SignatureRequired: "30030a0105",
		ocsp.Unauthorized:      "30030a0106",
		ocsp.Success:           "30030a0102", // no error, and no answer without responseBytes
		4:                      "30030a0102",
		7:                      "30030a0102",
		-1:                     "30030a0102",
		math.MaxInt:            "30030a0102",
	} {
		t.Run("RSP-01 "+status.String(), func(t *testing.T) {
			der := wire.ErrorResponse(status)
			if hex(der) != want {
				t.Errorf("%d is %x, want %s", int(status), der, want)
			}
			if cap(der) != 5 {
				t.Error("an append would write into the next one")
			}
		})
	}
}

func TestNeverFour(t *testing.T) {
	t.Run("RSP-02 no status makes 4", func(t *testing.T) {
		for status := ocsp.ResponseStatus(-300); status < 300; status++ {
			if der := wire.ErrorResponse(status); der[4] == 4 || der[4] == 0 {
				t.Errorf("%d makes %x", int(status), der)
			}
		}
	})
}

// at is a time that is neither UTC nor in whole seconds: 20261121013000Z.
var at = time.Date(2026, 11, 21, 2, 30, 0, 999_999_999, time.FixedZone("", 3600))

const atText = "20261121013000Z"

// goodSingle says good of serial 2a01 at that time.
func goodSingle() wire.Single {
	return wire.Single{CertID: certID(0x2a, 0x01), Status: wire.Good, Reason: -1, ThisUpdate: at, NextUpdate: at.Add(12 * time.Hour)}
}

func revokedSingle(reason int) wire.Single {
	return wire.Single{CertID: certID(0x2a, 0x05), Status: wire.Revoked, RevokedAt: at.Add(-time.Hour), Reason: reason, ThisUpdate: at}
}

func oneResponse(singles ...wire.Single) *wire.Response {
	return &wire.Response{KeyHash: [20]byte(keyHash), ProducedAt: at, Singles: singles}
}

// fixed signs everything with the same octets.
func fixed([]byte) (algorithm, signature []byte, err error) {
	return ecdsa256, text("signature"), nil
}

func generalized(s string) []byte { return tlv(0x18, text(s)) }

// The DER of what goodSingle and its like are.
var (
	byKey       = explicit(2, octets(keyHash))
	produced    = generalized(atText)
	goodDER     = seq(certID(0x2a, 0x01), tlv(0x80), generalized(atText), explicit(0, generalized("20261121133000Z")))
	revokedTime = generalized("20261121003000Z")
)

func revokedDER(reason ...byte) []byte { return revokedWith(nil, reason...) }

// revokedWith has singleExtensions too.
func revokedWith(extensions []byte, reason ...byte) []byte {
	info := [][]byte{revokedTime}
	if reason != nil {
		info = append(info, explicit(0, tlv(0x0a, reason)))
	}
	if extensions != nil {
		extensions = explicit(1, seq(extensions))
	}
	return seq(certID(0x2a, 0x05), tlv(0xa1, info...), generalized(atText), extensions)
}

// whole is an OCSPResponse with that tbsResponseData, signed by fixed.
func whole(tbs []byte, certs ...[]byte) []byte {
	basic := seq(tbs, ecdsa256, tlv(0x03, []byte{0}, text("signature")), bytes.Join(certs, nil))
	return seq([]byte{0x0a, 1, 0}, explicit(0, seq(oid(oidOCSP+"\x01"), octets(basic))))
}

// responses are responses with their DER, made by hand.
func responses() []responseTest {
	withNonce := oneResponse(goodSingle())
	withNonce.Nonce = octets(fill(0x5c, 16))
	byName := oneResponse(goodSingle())
	byName.ByName = name("signer")
	certified := oneResponse(goodSingle())
	certified.Certificates = [][]byte{seq(fill(1, 200)), seq(fill(2, 9))}
	nonIssued := oneResponse(wire.Single{CertID: certID(9), Status: wire.Revoked, RevokedAt: time.Unix(0, 0), Reason: 6, ThisUpdate: at})
	nonIssued.ExtendedRevoke = true
	both := oneResponse(goodSingle())
	both.Nonce, both.ExtendedRevoke = fill(0x5c, 3), true
	archived := goodSingle()
	archived.ArchiveCutoff = at.Add(-90 * 24 * time.Hour)
	dated := revokedSingle(1)
	dated.InvalidityDate = at.Add(-90 * 24 * time.Hour)
	held := revokedSingle(6)
	held.HoldInstruction = asn1.ObjectIdentifier{1, 2, 840, 10040, 2, 3}
	absent := goodSingle()
	absent.CertID = seq(seq(oid(oidSHA1)), octets(nameHash), octets(keyHash), integer(0x2a, 0x01))
	return []responseTest{
		{"RSP-09 good, RSP-10 no version, RSP-11 byKey, RSP-32 no extensions, SGN-10 no certs, TIM-01", oneResponse(goodSingle()),
			whole(seq(byKey, produced, seq(goodDER)))},
		{"RSP-12 byName", byName, whole(seq(explicit(1, name("signer")), produced, seq(goodDER)))},
		{"RSP-13 parameters absent", oneResponse(absent),
			whole(seq(byKey, produced, seq(seq(absent.CertID, tlv(0x80), generalized(atText), explicit(0, generalized("20261121133000Z"))))))},
		{"RSP-14 three", oneResponse(goodSingle(), revokedSingle(1), goodSingle()),
			whole(seq(byKey, produced, seq(goodDER, revokedDER(1), goodDER)))},
		{"RSP-18 unknown", oneResponse(wire.Single{CertID: certID(9), Status: wire.Unknown, ThisUpdate: at}),
			whole(seq(byKey, produced, seq(seq(certID(9), tlv(0x82), generalized(atText)))))},
		{"RSP-19 extended revoke, RSP-20 not critical", nonIssued,
			whole(seq(byKey, produced, seq(seq(certID(9), []byte("\xa1\x16\x18\x0f19700101000000Z\xa0\x03\x0a\x01\x06"), generalized(atText))),
				explicit(1, seq(extension(oidOCSP+"\x09", null)))))},
		{"RSP-23 no reason", oneResponse(revokedSingle(-1)), whole(seq(byKey, produced, seq(revokedDER())))},
		{"RSP-28 archiveCutoff", oneResponse(archived),
			whole(seq(byKey, produced, seq(seq(certID(0x2a, 0x01), tlv(0x80), generalized(atText), explicit(0, generalized("20261121133000Z")),
				explicit(1, seq(extension(oidOCSP+"\x06", generalized("20260823013000Z"))))))))},
		{"RSP-30 invalidityDate", oneResponse(dated), whole(seq(byKey, produced,
			seq(revokedWith(extension("\x55\x1d\x18", generalized("20260823013000Z")), 1))))},
		{"RSP-30 holdInstructionCode", oneResponse(held), whole(seq(byKey, produced,
			seq(revokedWith(extension("\x55\x1d\x17", oid("\x2a\x86\x48\xce\x38\x02\x03")), 6))))},
		{"RSP-33 nonce", withNonce, whole(seq(byKey, produced, seq(goodDER), explicit(1, seq(nonce(16)))))},
		{"RSP-33 raw nonce with extended revoke", both,
			whole(seq(byKey, produced, seq(goodDER), explicit(1, seq(extension(oidNonce, fill(0x5c, 3)), extension(oidOCSP+"\x09", null)))))},
		{"SGN-08 certs in order", certified,
			whole(seq(byKey, produced, seq(goodDER)), explicit(0, seq(certified.Certificates...)))},
	}
}

type responseTest struct {
	row      string
	response *wire.Response
	der      []byte
}

func TestMarshalResponse(t *testing.T) {
	for _, test := range responses() {
		t.Run(test.row, func(t *testing.T) {
			der, err := test.response.Marshal(fixed)
			if err != nil || !bytes.Equal(der, test.der) {
				t.Fatalf("got  %x, %v\nwant %x", der, err, test.der)
			}
			r, err := wire.ParseResponse(der)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := r.Response.Marshal(fixed); err != nil || !bytes.Equal(again, der) {
				t.Errorf("written again: %x, %v", again, err)
			}
		})
	}
}

func TestReasonsWritten(t *testing.T) {
	for _, reason := range []int{1, 2, 3, 4, 5, 6, 9, 10} {
		want := whole(seq(byKey, produced, seq(revokedDER(byte(reason)))))
		if der, err := oneResponse(revokedSingle(reason)).Marshal(fixed); err != nil || !bytes.Equal(der, want) {
			t.Errorf("RSP-22 reason %d: %x, %v", reason, der, err)
		}
	}
}

// Reasons that say nothing, or could be read as not revoked, are left out.
func TestReasonsLeftOut(t *testing.T) {
	want := whole(seq(byKey, produced, seq(revokedDER())))
	for row, reason := range map[string]int{"RSP-23 unspecified": 0, "RSP-24 reason 7": 7, "RSP-24 removeFromCRL": 8, "RSP-24 reason 11": 11, "RSP-24 reason -2": -2} {
		t.Run(row, func(t *testing.T) {
			der, err := oneResponse(revokedSingle(reason)).Marshal(fixed)
			if err != nil || !bytes.Equal(der, want) {
				t.Errorf("got  %x, %v\nwant %x", der, err, want)
			}
		})
	}
}

// What would say nothing, or something wrong, is never signed.
func TestMarshalResponseRefuses(t *testing.T) {
	tests := []struct {
		row   string
		spoil func(*wire.Response)
		want  string
	}{
		{"no status", func(r *wire.Response) { r.Singles[0].Status = 0 }, "no status"},
		{"status 4", func(r *wire.Response) { r.Singles[0].Status = 4 }, "no status"},
		{"no time of revocation", func(r *wire.Response) { r.Singles[0].Status = wire.Revoked }, "revoked at no time"},
		{"no thisUpdate", func(r *wire.Response) { r.Singles[0].ThisUpdate = time.Time{} }, "thisUpdate is not"},
		{"no CertID", func(r *wire.Response) { r.Singles[0].CertID = nil }, "single response 1: the CertID"},
		{"CertID with a byte more", func(r *wire.Response) { r.Singles[0].CertID = append(certID(1), 0) }, "the CertID"},
		{"no producedAt", func(r *wire.Response) { r.ProducedAt = time.Time{} }, "producedAt is not"},
		{"nextUpdate in the year 10000", func(r *wire.Response) { r.Singles[0].NextUpdate = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }, "nextUpdate is not"},
		{"archiveCutoff in the year 10000", func(r *wire.Response) { r.Singles[0].ArchiveCutoff = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }, "archiveCutoff is not"},
		{"invalidityDate in the year 10000", func(r *wire.Response) { r.Singles[0].InvalidityDate = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }, "invalidityDate is not"},
		{"a hold instruction that is none", func(r *wire.Response) { r.Singles[0].HoldInstruction = asn1.ObjectIdentifier{9, 9} }, "hold instruction is not"},
		{"revoked before the year 0", func(r *wire.Response) {
			r.Singles[0].Status, r.Singles[0].RevokedAt = wire.Revoked, time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)
		}, "revoked at no time"},
		{"no singles", func(r *wire.Response) { r.Singles = nil }, "no single response"},
		{"no responder", func(r *wire.Response) { r.KeyHash = [20]byte{} }, "names no responder"},
		{"name is no Name", func(r *wire.Response) { r.ByName = text("signer") }, "not a DER Name"},
		{"empty name", func(r *wire.Response) { r.ByName = []byte{} }, "not a DER Name"},
		{"empty certificate", func(r *wire.Response) { r.Certificates = [][]byte{seq(null), nil} }, "certificate 2"},
	}
	for _, test := range tests {
		t.Run(test.row, func(t *testing.T) {
			r, called := oneResponse(goodSingle()), false
			test.spoil(r)
			der, err := r.Marshal(func([]byte) ([]byte, []byte, error) {
				called = true
				return ecdsa256, text("signature"), nil
			})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%x, %v, want %q", der, err, test.want)
			}
			if called {
				t.Error("it was signed")
			}
		})
	}
}

func TestSignerFails(t *testing.T) {
	broken := errors.New("the token was pulled out")
	for _, test := range []struct {
		row       string
		algorithm []byte
		signature []byte
		err       error
		want      string
	}{
		{"error", ecdsa256, text("signature"), broken, "pulled out"},
		{"no algorithm", nil, text("signature"), nil, "AlgorithmIdentifier"},
		{"no signature", ecdsa256, nil, nil, "empty signature"},
	} {
		t.Run(test.row, func(t *testing.T) {
			sign := func([]byte) ([]byte, []byte, error) { return test.algorithm, test.signature, test.err }
			der, err := oneResponse(goodSingle()).Marshal(sign)
			if err == nil || !strings.Contains(err.Error(), test.want) || der != nil {
				t.Errorf("%x, %v", der, err)
			}
			if test.err != nil && !errors.Is(err, test.err) {
				t.Error("the signer's error is lost")
			}
		})
	}
}

func TestCertStatusString(t *testing.T) {
	for status, want := range map[wire.CertStatus]string{wire.Good: "good", wire.Revoked: "revoked", wire.Unknown: "unknown", 0: "CertStatus(0)"} {
		if got := status.String(); got != want {
			t.Errorf("%d is %q, want %q", int(status), got, want)
		}
	}
}
