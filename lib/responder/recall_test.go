package responder_test

import (
	"bytes"
	"context"
	"io/fs"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/index"
	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/responder"
	"ocspcgi/lib/wire"
)

// record is a Shared that has one record for all who ask.
type record struct{ data []byte }

func (r *record) Get([]byte) ([]byte, error) {
	if r.data == nil {
		return nil, fs.ErrNotExist
	}
	return r.data, nil
}

func (r *record) Put(_, data []byte) error {
	r.data = bytes.Clone(data)
	return nil
}

// FuzzRecord: what is kept of an answer reads the same again, and is given to
// nobody whose certificate the index says another thing of.
func FuzzRecord(f *testing.F) {
	ca := pkitest.New(f)
	signer := ca.OCSPSigner("ocsp")
	issuer, err := responder.Open(filesOf(ca, signer), byLastOctet{})
	if err != nil {
		f.Fatal(err)
	}
	now := signer.Certificate.NotBefore.Add(time.Hour)
	shared := &record{}
	r := &responder.Responder{Now: func() time.Time { return now }, Backdate: 5 * time.Minute, Shared: shared}
	r.Serve(issuer)
	for _, der := range seeds(f, ca) {
		shared.data = nil
		r.Respond(context.Background(), der)
		if data := shared.data; data != nil {
			f.Add(der, data)
			f.Add(der, data[:len(data)/3])
			f.Add(der, append([]byte{0, 1}, data[2:]...))
		}
	}
	f.Fuzz(func(t *testing.T, request, data []byte) {
		if again, ok := responder.Rewritten(data); ok && !bytes.Equal(again, data) {
			t.Fatalf("%x is written as %x", data, again)
		}
		shared.data = data
		answer := r.Recall(context.Background(), request, []responder.Index{byLastOctet{}})
		if answer == nil {
			return
		}
		req, err := wire.ParseRequest(request)
		if err != nil || len(req.CertIDs) != 1 || req.Nonce != nil {
			t.Fatalf("%x is answered from what is kept: %v", request, err)
		}
		entry, err := byLastOctet{}.Lookup(req.CertIDs[0].Serial)
		said := answer.Certs[0].Status
		if err != nil || (said == "revoked") != (entry.Status == index.Revoked) || answer.Status != ocsp.Success || !bytes.HasSuffix(data, answer.DER) {
			t.Fatalf("%x is %s by %x: %+v, %v", request, said, data, entry, err)
		}
		if !answer.Renewal.After(now) {
			t.Fatalf("an answer that was to be renewed at %v", answer.Renewal)
		}
	})
}
