package ocsphttp_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/ocsphttp"
	"ocspcgi/lib/responder"
	"ocspcgi/lib/wire"
)

// plainHash is one without slashes in base64.
var plainHash = bytes.Repeat([]byte("A"), 20)

// slashed is an OCSPRequest about a serial number whose base64 has a slash and,
// further on, two. Behind it are extensions whose values have two slashes each, or in
// the last one as many as are wanted. Before all that are so many octets.
func slashed(t *testing.T, pads [5]int, alone int) []byte {
	t.Helper()
	const one, two = "\x03\xf0\x00", "\x03\xff\xc0" // in base64 A/AA and A//A
	var b cryptobyte.Builder
	sequence := func(b *cryptobyte.Builder, in cryptobyte.BuilderContinuation) { b.AddASN1(asn1.SEQUENCE, in) }
	sequence(&b, func(b *cryptobyte.Builder) {
		sequence(b, func(b *cryptobyte.Builder) {
			sequence(b, func(b *cryptobyte.Builder) {
				sequence(b, func(b *cryptobyte.Builder) {
					sequence(b, func(b *cryptobyte.Builder) {
						sequence(b, func(b *cryptobyte.Builder) { b.AddBytes([]byte("\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00")) })
						b.AddASN1OctetString(plainHash)
						b.AddASN1OctetString(plainHash)
						b.AddASN1(asn1.INTEGER, func(b *cryptobyte.Builder) {
							b.AddBytes([]byte(strings.Repeat("A", 1+pads[4]) + one + "\x00\x00\x00" + two + "\x00\x00\x00"))
						})
					})
				})
			})
			b.AddASN1(asn1.Tag(2).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
				sequence(b, func(b *cryptobyte.Builder) {
					for i, pad := range pads[:4] {
						value := strings.Repeat("A", pad) + two
						if i == 3 {
							value = strings.Repeat("A", pad) + strings.Repeat(one, alone)
						}
						sequence(b, func(b *cryptobyte.Builder) {
							b.AddBytes([]byte{0x06, 0x03, 0x2a, 0x03, byte(i)})
							b.AddASN1OctetString([]byte(value + "\x00\x00\x00"))
						})
					}
				})
			})
		})
	})
	der, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// mergeable is such a request, with its base64, in which nothing else has slashes.
func mergeable(t *testing.T, alone int) (der []byte, std string) {
	t.Helper()
	for n := range 3 * 3 * 3 * 3 * 3 {
		der = slashed(t, [5]int{n % 3, n / 3 % 3, n / 9 % 3, n / 27 % 3, n / 81}, alone)
		std = base64.StdEncoding.EncodeToString(der)
		if strings.Count(std, "//") == 4 && strings.Count(std, "/") == 4*2+1+alone {
			return der, std
		}
	}
	t.Fatal("no request has such base64")
	return nil, ""
}

// TestGETMergedInTooManyWays has more ways to put slashes back than are looked at, two
// of which ask a served issuer: the one that comes first is about another certificate.
func TestGETMergedInTooManyWays(t *testing.T) {
	der, std := mergeable(t, 26)
	answered := 0
	h := &ocsphttp.Handler{Respond: func(ctx context.Context, der []byte) *responder.Answer {
		req, err := wire.ParseRequest(der)
		if err != nil || !bytes.Equal(req.CertIDs[0].IssuerNameHash, plainHash) || !bytes.Equal(req.CertIDs[0].IssuerKeyHash, plainHash) {
			return refused(ctx, der)
		}
		answered++
		return answerWith(ctx, der)
	}}
	if resp := get(h, "/ocsp/"+std); !bytes.Equal(resp.Body, concat([]byte("answer to "), der)) {
		t.Fatalf("whole: %q", resp.Body)
	}
	answered = 0
	if resp := get(h, "/ocsp/"+strings.ReplaceAll(std, "//", "/")); !bytes.Equal(resp.Body, ocsp.MalformedRequestErrorResponse) {
		t.Errorf("merged: %x, want malformedRequest", resp.Body)
	}
	if answered != 1 {
		t.Errorf("%d ways were answered: the test is to have one before the last that is tried", answered)
	}
}

// TestGETMergedWithAFault answers what cannot be answered for a fault of its own with
// that, though there are two ways to read the path.
func TestGETMergedWithAFault(t *testing.T) {
	h := &ocsphttp.Handler{Respond: func(context.Context, []byte) *responder.Answer { return responder.Fault(errors.New("no key")) }}
	_, std := mergeable(t, 1)
	if resp := get(h, "/ocsp/"+strings.ReplaceAll(std, "//", "/")); !bytes.Equal(resp.Body, ocsp.InternalErrorErrorResponse) {
		t.Errorf("%x, want internalError", resp.Body)
	}
}
