package responder_test

import (
	"bytes"
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/responder"
	"ocspcgi/lib/signer"
	"ocspcgi/lib/wire"
)

// A request may be signed with whatever keys answers are signed with, by whom a CA
// with such a key has issued, itself.
func TestRequireSignedPostQuantum(t *testing.T) {
	for _, kinds := range [][2]string{
		{"ML-DSA-65", "ML-DSA-65"}, {"ML-DSA-65", "P-256"}, {"P-256", "ML-DSA-44"}, {"MLDSA65-ECDSA-P256-SHA512", "ML-DSA-87"},
	} {
		t.Run(kinds[0]+" "+kinds[1], func(t *testing.T) {
			clients, others := pkitest.HandCA(t, t.TempDir(), kinds[0]), pkitest.HandCA(t, t.TempDir(), kinds[0])
			client, other := clients.OCSPSigner(t, "client", kinds[1]), others.OCSPSigner(t, "client", kinds[1])
			b := newBench(t, func(r *responder.Responder, _ *responder.Files) {
				var err error
				if r.Requestors, err = responder.OpenRequestors([]string{clients.Cert}); err != nil {
					t.Fatal(err)
				}
			})
			b.now = client.Certificate.NotBefore.Add(2 * time.Hour) // when all certificates are valid
			der := b.request(t, b.Good, "-no_nonce")
			good := signedRequest(t, der, client)
			b.ask(t, good, ocsp.Success)
			b.ask(t, signedRequest(t, der, other), ocsp.Unauthorized)
			good[bytes.Index(good, b.Good.Certificate.SerialNumber.Bytes())+1]++
			b.ask(t, good, ocsp.Unauthorized)
			b.now = client.Certificate.NotAfter.Add(time.Hour)
			b.ask(t, signedRequest(t, der, client), ocsp.Unauthorized)
		})
	}
}

// What a client brings to look at is looked at within bounds.
func TestRequireSignedBounded(t *testing.T) {
	clients := pkitest.HandCA(t, t.TempDir(), "P-256")
	client := clients.OCSPSigner(t, "client", "P-256")
	b := newBench(t, func(r *responder.Responder, _ *responder.Files) {
		var err error
		if r.Requestors, err = responder.OpenRequestors([]string{clients.Cert}); err != nil {
			t.Fatal(err)
		}
	})
	b.now = client.Certificate.NotBefore.Add(2 * time.Hour)
	der := b.request(t, b.Good, "-no_nonce")
	b.ask(t, signedRequest(t, der, client, pkitest.RSACertificate(t, 16384, 65537)), ocsp.Success)
	answer, _ := b.ask(t, signedRequest(t, der, client, pkitest.RSACertificate(t, 65537, 65537)), ocsp.Unauthorized)
	if why := answer.Err.Error(); !strings.Contains(why, `"CN=absurd": an RSA key of 65537 bits`) {
		t.Errorf("the log says: %s", why)
	}
}

// signedRequest signs a request again, and puts more certificates before that of who
// does.
func signedRequest(t *testing.T, der []byte, by *pkitest.Hand, more ...*x509.Certificate) []byte {
	t.Helper()
	who, err := signer.Load(by.Cert, by.Key, nil, signer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	req, err := wire.ParseRequest(der)
	if err != nil {
		t.Fatal(err)
	}
	req.RequestorName = append([]byte{0xa4, byte(len(by.Certificate.RawSubject))}, by.Certificate.RawSubject...)
	req.Certificates = nil
	for _, cert := range append(more, by.Certificate) {
		req.Certificates = append(req.Certificates, cert.Raw...)
	}
	signed, err := req.Marshal(who.Sign)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}
