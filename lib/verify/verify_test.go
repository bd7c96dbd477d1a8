package verify_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"ocspcgi/lib/verify"
	"ocspcgi/lib/wire"
)

var now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// pair is a certificate with its key.
type pair struct {
	*x509.Certificate
	key *ecdsa.PrivateKey
}

// newPair makes a certificate, signed by its own key where by is nil.
func newPair(t testing.TB, name string, by *pair, change func(*x509.Certificate)) *pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(77), Subject: pkix.Name{CommonName: name},
		NotBefore: now.AddDate(0, -1, 0), NotAfter: now.AddDate(0, 1, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
	if change != nil {
		change(template)
	}
	parent, signs := template, key
	if by != nil {
		parent, signs = by.Certificate, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signs)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &pair{cert, key}
}

func isCA(c *x509.Certificate) {
	c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageDigitalSignature
}

func forOCSP(c *x509.Certificate) {
	c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}
	c.ExtraExtensions = []pkix.Extension{{Id: []int{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}, Value: []byte{5, 0}}}
}

func (p *pair) sign(tbs []byte) (algorithm, signature []byte, err error) {
	h := crypto.SHA256.New()
	h.Write(tbs)
	signature, err = p.key.Sign(rand.Reader, h.Sum(nil), crypto.SHA256)
	return []byte("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"), signature, err
}

func certID(t testing.TB, ca *pair, hash crypto.Hash, serial int64) wire.CertID {
	t.Helper()
	issuer, err := wire.NewIssuer(ca.RawSubject, ca.RawSubjectPublicKeyInfo)
	if err != nil {
		t.Fatal(err)
	}
	id, err := issuer.CertID(hash, big.NewInt(serial))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// answer is what a response of signer says when nothing is wrong with it.
func answer(t testing.TB, ca, signer *pair) *wire.Response {
	t.Helper()
	hash, err := wire.KeyHash(signer.RawSubjectPublicKeyInfo)
	if err != nil {
		t.Fatal(err)
	}
	nonce, err := wire.NonceValue([]byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	return &wire.Response{
		KeyHash: hash, ProducedAt: now, Nonce: nonce, Certificates: [][]byte{signer.Raw},
		Singles: []wire.Single{{
			CertID: certID(t, ca, crypto.SHA1, 0x1003).Raw, Status: wire.Good,
			ThisUpdate: now.Add(-5 * time.Minute), NextUpdate: now.Add(time.Hour),
		}},
	}
}

func parse(t testing.TB, r *wire.Response, signer *pair) *wire.OCSPResponse {
	t.Helper()
	der, err := r.Marshal(signer.sign)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := wire.ParseResponse(der)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func TestRules(t *testing.T) {
	ca := newPair(t, "CA", nil, isCA)
	other := newPair(t, "CA", nil, isCA) // the name of the CA with another key
	delegate := newPair(t, "delegate", ca, forOCSP)
	type response = wire.Response
	type question = verify.Question
	for _, test := range []struct {
		row      string
		signer   *pair
		response func(*response)
		question func(*question)
		want     string // a part of the fault and its rule; empty: believed
	}{
		{"the CA itself", ca, nil, nil, ""},
		{"the CA itself without certificates", ca, func(r *response) { r.Certificates = nil }, nil, ""},
		{"delegated", delegate, nil, nil, ""},
		{"delegated, by name", delegate, func(r *response) { r.ByName = delegate.RawSubject }, nil, ""},
		{"delegated, its certificate given", delegate, func(r *response) { r.Certificates = nil }, func(q *question) { q.Others = []*x509.Certificate{delegate.Certificate} }, ""},
		{"trusted here", other, nil, func(q *question) { q.Trusted = []*x509.Certificate{other.Certificate} }, ""},
		{"nothing asked", delegate, nil, func(q *question) { q.CertIDs = nil }, ""},
		{"clocks apart by less than the skew", delegate, nil, func(q *question) { q.Now = func() time.Time { return now.Add(-8 * time.Minute) } }, ""},

		{"self-signed, with the extended key usage", newPair(t, "CA", nil, forOCSP), nil, nil, `not issued by the key of the CA|RFC 6960 §3.2 (4), §4.2.2.2`},
		{"self-signed, by the CA's name", other, func(r *response) { r.ByName = ca.RawSubject }, nil, "not issued by the key of the CA|§4.2.2.2"},
		{"delegated by another CA", newPair(t, "delegate", other, forOCSP), nil, nil, "not issued by the key of the CA|§4.2.2.2"},
		{"no extended key usage", newPair(t, "delegate", ca, nil), nil, nil, "no extended key usage OCSPSigning|§4.2.2.2"},
		{"any extended key usage", newPair(t, "delegate", ca, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny} }), nil, nil, "anyExtendedKeyUsage does not count|§4.2.2.2"},
		{"delegate expired", newPair(t, "delegate", ca, func(c *x509.Certificate) { forOCSP(c); c.NotAfter = now.Add(-time.Hour) }), nil, nil, "expired on 2026-06-01 11:00:00 UTC|§3.2 (4)"},
		{"delegate not yet valid", newPair(t, "delegate", ca, func(c *x509.Certificate) { forOCSP(c); c.NotBefore = now.Add(time.Hour) }), nil, nil, "not valid before 2026-06-01 13:00:00 UTC|§3.2 (4)"},
		{"signer not there", delegate, func(r *response) { r.Certificates = nil }, nil, "neither in the response nor given|§3.2 (3), §4.2.2.3"},
		{"responderID of somebody else", delegate, func(r *response) { r.KeyHash[0] ^= 1 }, nil, "neither in the response nor given|§4.2.2.3"},
		{"signed by another key", ca, func(r *response) {
			r.Certificates, r.ByName = [][]byte{delegate.Raw}, delegate.RawSubject
		}, nil, `the signature is not that of "CN=delegate"|§3.2 (2)`},
		{"certificate that is none", ca, func(r *response) { r.Certificates = [][]byte{{0x30, 0}} }, nil, "certificate 1 of the response cannot be read|§4.2.2.3"},

		{"another certificate", delegate, nil, func(q *question) { q.CertIDs = []wire.CertID{certID(t, ca, crypto.SHA1, 0x1004)} }, "not about the certificate with the serial 1004|§3.2 (1)"},
		{"another hash", delegate, nil, func(q *question) { q.CertIDs = []wire.CertID{certID(t, ca, crypto.SHA256, 0x1003)} }, "by another hash (SHA-1)|§3.2 (1)"},
		{"another CA of that name", delegate, func(r *response) { r.Singles[0].CertID = certID(t, other, crypto.SHA1, 0x1003).Raw }, nil, "of another CA|§3.2 (1)"},
		{"nothing asked, another CA", delegate, func(r *response) { r.Singles[0].CertID = certID(t, other, crypto.SHA1, 0x1003).Raw },
			func(q *question) { q.CertIDs = nil }, "of another CA|§3.2 (1)"},

		{"not yet", delegate, func(r *response) { r.Singles[0].ThisUpdate = now.Add(6 * time.Minute) }, nil, "lies in the future|§3.2 (5)"},
		{"too old", delegate, nil, func(q *question) { q.MaxAge, q.Skew = time.Minute, 0 }, "longer ago than 1m0s|§3.2 (5)"},
		{"no longer", delegate, func(r *response) {
			r.Singles[0].ThisUpdate, r.Singles[0].NextUpdate = now.Add(-time.Hour), now.Add(-6*time.Minute)
		}, nil, "has passed|§3.2 (6)"},
		{"backwards", delegate, func(r *response) { r.Singles[0].NextUpdate = now.Add(-7 * time.Minute) }, nil, "is before thisUpdate|§3.2 (6)"},

		{"another nonce", delegate, nil, func(q *question) { q.Nonce = []byte("\x04\x10fedcba9876543210") }, "another nonce (0410|RFC 9654 §2.1"},
		{"no nonce", delegate, func(r *response) { r.Nonce = nil }, nil, "has no nonce|RFC 9654 §2.1"},
		{"no nonce, none asked", delegate, func(r *response) { r.Nonce = nil }, func(q *question) { q.Nonce = nil }, ""},
	} {
		t.Run(test.row, func(t *testing.T) {
			r := answer(t, ca, test.signer)
			q := &question{
				Issuer: ca.Certificate, CertIDs: []wire.CertID{certID(t, ca, crypto.SHA1, 0x1003)}, Nonce: []byte("\x04\x100123456789abcdef"),
				Skew: 5 * time.Minute, Now: func() time.Time { return now },
			}
			if test.response != nil {
				test.response(r)
			}
			if test.question != nil {
				test.question(q)
			}
			found, err := q.Check(parse(t, r, test.signer))
			if test.want == "" {
				if err != nil || found.Signer == nil || found.Role == "" || len(found.Singles) != 1 || found.Singles[0].Status != wire.Good {
					t.Errorf("%+v, %v", found, err)
				}
				return
			}
			var fault *verify.Fault
			if !errors.As(err, &fault) {
				t.Fatalf("%v", err)
			}
			for part := range strings.SplitSeq(test.want, "|") {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("no %q in %v", part, err)
				}
			}
			if n := strings.Count(err.Error(), " ["); n != 1 {
				t.Errorf("%d faults: %v", n, err)
			}
		})
	}
}

// An error status says nothing, whatever else is right.
func TestErrorStatus(t *testing.T) {
	ca := newPair(t, "CA", nil, isCA)
	r, err := wire.ParseResponse([]byte{0x30, 3, 0x0a, 1, 3})
	if err != nil {
		t.Fatal(err)
	}
	q := &verify.Question{Issuer: ca.Certificate}
	if _, err := q.Check(r); err == nil || !strings.Contains(err.Error(), "the error tryLater (3)") {
		t.Errorf("%v", err)
	}
}

// All faults are named at once, and each damaged bit of what is signed is seen.
func TestDamage(t *testing.T) {
	ca := newPair(t, "CA", nil, isCA)
	delegate := newPair(t, "delegate", ca, forOCSP)
	r := parse(t, answer(t, ca, delegate), delegate)
	q := &verify.Question{Issuer: ca.Certificate, Now: func() time.Time { return now.AddDate(1, 0, 0) }}
	if _, err := q.Check(r); err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("three faults (both certificates, nextUpdate), but: %v", err)
	}
	q.Now = func() time.Time { return now }
	for i := range r.TBS {
		r.TBS[i] ^= 0x10
		if _, err := q.Check(r); err == nil {
			t.Errorf("octet %d of tbsResponseData is changed, and nothing is said", i)
		}
		r.TBS[i] ^= 0x10
	}
	if _, err := q.Check(r); err != nil {
		t.Error(err)
	}
}

func TestNotes(t *testing.T) {
	ca := newPair(t, "CA", nil, isCA)
	bare := newPair(t, "bare", ca, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning} })
	r := answer(t, ca, bare)
	r.Singles[0].NextUpdate = time.Time{}
	found, err := (&verify.Question{Issuer: ca.Certificate, Now: func() time.Time { return now }}).Check(parse(t, r, bare))
	if err != nil || len(found.Notes) != 2 || !strings.Contains(found.Notes[0], "nocheck") || !strings.Contains(found.Notes[1], "no nextUpdate") {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestResponder(t *testing.T) {
	ca := newPair(t, "CA", nil, isCA)
	for want, r := range map[string]wire.Response{
		"CN=CA": {ByName: ca.RawSubject}, "name 3000FF": {ByName: []byte{0x30, 0, 0xff}},
		"key 0100000000000000000000000000000000000000": {KeyHash: [20]byte{1}},
	} {
		if got := verify.Responder(&r); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
