package responder_test

import (
	"bytes"
	"context"
	"crypto"
	"math/big"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/index"
	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/responder"
	"ocspcgi/lib/wire"
)

// byLastOctet is an index in which the last octet of a serial number says all.
type byLastOctet struct{}

func (byLastOctet) Lookup(serial []byte) (index.Entry, error) {
	revoked := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	switch serial[len(serial)-1] % 4 {
	case 0:
		return index.Entry{Status: index.Valid}, nil
	case 1:
		return index.Entry{Status: index.Revoked, Revoked: revoked, Reason: 1}, nil
	case 2:
		return index.Entry{}, index.ErrNotFound
	}
	return index.Entry{}, &index.DoubtError{Path: "index.txt", Line: 1, Reason: "no date"}
}

// status is what an answer may say of a serial number that byLastOctet knows.
func status(serial []byte) wire.CertStatus {
	switch serial[len(serial)-1] % 4 {
	case 0:
		return wire.Good
	case 1:
		return wire.Revoked
	case 2:
		return wire.Unknown
	}
	return 0 // none
}

// seeds are requests of every kind that is answered, and some that are not.
func seeds(t testing.TB, ca *pkitest.CA) (all [][]byte) {
	t.Helper()
	issuer, err := wire.NewIssuer(ca.Certificate.RawSubject, ca.Certificate.RawSubjectPublicKeyInfo)
	if err != nil {
		t.Fatal(err)
	}
	nonce, err := wire.NonceValue(bytes.Repeat([]byte{7}, 16))
	if err != nil {
		t.Fatal(err)
	}
	add := func(r *wire.Request) {
		der, err := r.Marshal(nil)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, der)
	}
	var several wire.Request
	for _, hash := range []crypto.Hash{crypto.SHA1, crypto.SHA256, crypto.SHA384, crypto.SHA512, crypto.SHA3_256} {
		for serial := range int64(4) {
			id, err := issuer.CertID(hash, big.NewInt(0x1000+serial))
			if err != nil {
				t.Fatal(err)
			}
			add(&wire.Request{CertIDs: []wire.CertID{id}})
			if several.CertIDs = append(several.CertIDs, id); hash == crypto.SHA1 {
				add(&wire.Request{CertIDs: []wire.CertID{id}, Nonce: nonce})
			}
		}
	}
	add(&several)
	several.CertIDs = []wire.CertID{several.CertIDs[0], several.CertIDs[2], several.CertIDs[0], several.CertIDs[1]}
	add(&several)
	return append(all, nil, []byte("x"), all[0][:40], append(bytes.Clone(all[0]), 0))
}

func TestSeeds(t *testing.T) {
	if n := len(seeds(t, pkitest.New(t))); n < 30 {
		t.Errorf("%d seeds", n)
	}
}

// Whatever is asked, what is said of a serial number is what the index has for
// it, in an answer that others can read; and the same again from the cache.
func FuzzRespond(f *testing.F) {
	ca := pkitest.New(f)
	signer := ca.OCSPSigner("ocsp")
	issuer, err := responder.Open(filesOf(ca, signer), byLastOctet{})
	if err != nil {
		f.Fatal(err)
	}
	now := signer.Certificate.NotBefore.Add(time.Hour)
	r := &responder.Responder{Now: func() time.Time { return now }, Backdate: 5 * time.Minute, CacheBytes: 1 << 20}
	r.Serve(issuer)
	for _, der := range seeds(f, ca) {
		f.Add(der)
	}
	f.Fuzz(func(t *testing.T, request []byte) {
		for range 2 {
			answer := r.Respond(context.Background(), request)
			resp, err := wire.ParseResponse(answer.DER)
			if err != nil || resp.Status != answer.Status {
				t.Fatalf("%v, status %v of %x", err, answer.Status, answer.DER)
			}
			for _, single := range resp.Singles {
				id, err := wire.ParseCertID(single.CertID)
				if err != nil || !bytes.Contains(request, single.CertID) || single.Status != status(id.Serial) {
					t.Fatalf("%v of serial %x, %v", single.Status, id.Serial, err)
				}
				if len(resp.Singles) == 1 && goKnows(id.Hash) {
					checkAgainstGo(t, answer.DER, ca, single.Status)
				}
			}
		}
	})
}

// goKnows says which hashes golang.org/x/crypto/ocsp knows.
func goKnows(hash crypto.Hash) bool {
	return hash == crypto.SHA1 || hash == crypto.SHA256 || hash == crypto.SHA384 || hash == crypto.SHA512
}

// checkAgainstGo has golang.org/x/crypto/ocsp verify an answer.
func checkAgainstGo(t *testing.T, der []byte, ca *pkitest.CA, status wire.CertStatus) {
	t.Helper()
	theirs, err := ocsp.ParseResponse(der, ca.Certificate)
	want := map[wire.CertStatus]int{wire.Good: ocsp.Good, wire.Revoked: ocsp.Revoked, wire.Unknown: ocsp.Unknown}[status]
	if err != nil || theirs.Status != want {
		t.Fatalf("x/crypto: %v of %x", err, der)
	}
}
