package wire_test

import (
	"bytes"
	"crypto"
	"math/big"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/wire"
)

// answer is what the signer says now of these CertIDs of the CA: good, revoked
// and unknown by turns.
func answer(t testing.TB, ca, signer *pair, serials ...int64) *wire.Response {
	t.Helper()
	hash, err := wire.KeyHash(signer.certificate.RawSubjectPublicKeyInfo)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	r := &wire.Response{KeyHash: hash, ProducedAt: now, Certificates: [][]byte{signer.certificate.Raw}}
	for i, serial := range serials {
		id, err := ca.issuer(t).CertID(crypto.SHA1, big.NewInt(serial))
		if err != nil {
			t.Fatal(err)
		}
		r.Singles = append(r.Singles, wire.Single{
			CertID: id.Raw, Status: wire.CertStatus(i%3 + 1), RevokedAt: now.Add(-time.Hour), Reason: 1,
			ThisUpdate: now.Add(-5 * time.Minute), NextUpdate: now.Add(12 * time.Hour),
		})
	}
	return r
}

func marshal(t testing.TB, r *wire.Response, signer *pair) []byte {
	t.Helper()
	der, err := r.Marshal(signer.sign)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// openssl verifies what each kind of key has signed, of the CA and of a
// delegated signer, by key and by name.
func TestOpenSSLVerifies(t *testing.T) {
	for kind := range keys {
		ca := newPair(t, kind, "CA", nil)
		delegated := newPair(t, kind, "signer", ca)
		dir := t.TempDir()
		caFile, _ := ca.files(t, dir, "ca")
		for who, signer := range map[string]*pair{"CA": ca, "delegated": delegated} {
			for _, named := range []bool{false, true} {
				row := "SGN-12 " + keys[kind].name + " " + who
				r := answer(t, ca, signer, 0x2a01, 0x2a05, 0x2a99)
				if named {
					row += " RSP-12 byName"
					r.ByName = signer.certificate.RawSubject
				}
				t.Run(row, func(t *testing.T) {
					file := filepath.Join(dir, "response.der")
					der := marshal(t, r, signer)
					writeFile(t, file, der)
					out := openssl(t, "-respin", file, "-CAfile", caFile, "-issuer", caFile,
						"-serial", "0x2A01", "-serial", "0x2A05", "-serial", "0x2A99")
					for _, want := range []string{"Response verify OK", "0x2A01: good", "0x2A05: revoked", "Reason: keyCompromise", "0x2A99: unknown"} {
						if !strings.Contains(out, want) {
							t.Errorf("no %q in\n%s", want, out)
						}
					}
					refusesDamaged(t, file, caFile, der)
				})
			}
		}
	}
}

// refusesDamaged checks that openssl does look at the signature: it refuses
// the response with producedAt one second later or earlier.
func refusesDamaged(t *testing.T, file, caFile string, der []byte) {
	t.Helper()
	damaged := bytes.Clone(der)
	i := bytes.Index(damaged, text("\x18\x0f20"))
	damaged[i+15] ^= 1
	writeFile(t, file, damaged)
	if out := opensslFails(t, "-respin", file, "-CAfile", caFile); !strings.Contains(out, "Response Verify Failure") {
		t.Errorf("a damaged response: %s", out)
	}
}

// openssl prints every part of a response with all of them.
func TestOpenSSLReads(t *testing.T) {
	ca := newPair(t, 1, "CA", nil)
	r := answer(t, ca, ca, 0x2a01, 0x2a05, 0x2a99)
	r.Nonce, r.ExtendedRevoke, r.Certificates = octets(fill(0x5c, 16)), true, nil
	r.Singles[0].ArchiveCutoff = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	file := filepath.Join(t.TempDir(), "response.der")
	writeFile(t, file, marshal(t, r, ca))
	out := openssl(t, "-respin", file, "-noverify", "-resp_text")
	for _, want := range []string{
		"OCSP Response Status: successful (0x0)", "Response Type: Basic OCSP Response", "Version: 1 (0x0)",
		"Responder Id: " + strings.ToUpper(hex(r.KeyHash[:])),
		"Serial Number: 2A01", "Cert Status: good",
		"Serial Number: 2A05", "Cert Status: revoked", "Revocation Reason: keyCompromise (0x1)",
		"Serial Number: 2A99", "Cert Status: unknown",
		"OCSP Archive Cutoff:", "Jan  2 03:04:05 2026 GMT",
		"OCSP Nonce:", "0410" + strings.Repeat("5C", 16), "valid: ", // which is what openssl calls extended-revoke
		"Signature Algorithm: ecdsa-with-SHA256",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, "critical") {
		t.Errorf("RSP-31 something is critical in\n%s", out)
	}
}

// golang.org/x/crypto/ocsp reads and verifies what is written for one CertID.
func TestGoReads(t *testing.T) {
	ca := newPair(t, 1, "CA", nil)
	delegated := newPair(t, 0, "signer", ca)
	id, err := ca.issuer(t).CertID(crypto.SHA256, big.NewInt(0x2a01))
	if err != nil {
		t.Fatal(err)
	}
	for status, want := range map[wire.CertStatus]int{wire.Good: ocsp.Good, wire.Revoked: ocsp.Revoked, wire.Unknown: ocsp.Unknown} {
		t.Run(status.String(), func(t *testing.T) {
			r := answer(t, ca, delegated, 0x2a01)
			r.Nonce = octets(fill(1, 16))
			s := &r.Singles[0]
			s.CertID, s.Status = id.Raw, status
			got, err := ocsp.ParseResponse(marshal(t, r, delegated), ca.certificate)
			if err != nil {
				t.Fatal(err)
			}
			second := func(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
			if got.Status != want || got.SerialNumber.Int64() != 0x2a01 || got.IssuerHash != crypto.SHA256 ||
				!bytes.Equal(got.ResponderKeyHash, r.KeyHash[:]) || !got.ProducedAt.Equal(second(r.ProducedAt)) ||
				!got.ThisUpdate.Equal(second(s.ThisUpdate)) || !got.NextUpdate.Equal(second(s.NextUpdate)) {
				t.Errorf("%+v", got)
			}
			if status == wire.Revoked && (got.RevocationReason != ocsp.KeyCompromise || !got.RevokedAt.Equal(second(s.RevokedAt))) {
				t.Errorf("revoked at %v for %d", got.RevokedAt, got.RevocationReason)
			}
		})
	}
}

// A request that is signed here is one that verifies.
func TestSignedRequestIsWritten(t *testing.T) {
	client := newPair(t, 0, "client", nil)
	id, err := client.issuer(t).CertID(crypto.SHA1, big.NewInt(1))
	if err != nil {
		t.Fatal(err)
	}
	name := explicit(4, client.certificate.RawSubject)
	r := &wire.Request{CertIDs: []wire.CertID{id}, RequestorName: name, Certificates: client.certificate.Raw}
	if r.Nonce, err = wire.NonceValue(fill(1, 16)); err != nil {
		t.Fatal(err)
	}
	der, err := r.Marshal(client.sign)
	if err != nil {
		t.Fatal(err)
	}
	got, err := wire.ParseRequest(der)
	if err != nil {
		t.Fatal(err)
	}
	if err := client.certificate.CheckSignature(client.certificate.SignatureAlgorithm, got.TBS, got.Signature); err != nil {
		t.Error(err)
	}
	if !bytes.Equal(got.Certificates, client.certificate.Raw) || !bytes.Equal(got.RequestorName, name) || !bytes.Equal(got.Nonce, r.Nonce) {
		t.Errorf("%+v", got)
	}
	file := filepath.Join(t.TempDir(), "request.der")
	writeFile(t, file, der)
	if out := openssl(t, "-reqin", file, "-req_text"); !strings.Contains(out, "Requestor Name: DirName:O = Example, CN = client") || !strings.Contains(out, "OCSP Nonce:") {
		t.Errorf("openssl reads\n%s", out)
	}
}

// The bytes that a reader verifies are the bytes that were signed.
func TestSignedBytesAreKept(t *testing.T) {
	for kind := range keys {
		ca := newPair(t, kind, "CA", nil)
		r, err := wire.ParseResponse(marshal(t, answer(t, ca, ca, 1, 2), ca))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(r.SignatureAlgorithm, ca.algorithm) {
			t.Errorf("%s: algorithm %x", keys[kind].name, r.SignatureAlgorithm)
		}
		if err := ca.certificate.CheckSignature(ca.certificate.SignatureAlgorithm, r.TBS, r.Signature); err != nil {
			t.Errorf("%s: %v", keys[kind].name, err)
		}
	}
}
