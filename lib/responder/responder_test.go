package responder_test

import (
	"bytes"
	"context"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/index"
	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/responder"
	"ocspcgi/lib/wire"
)

// lifetime is what the issuers of these tests are given.
const lifetime = 2 * time.Hour

// bench is a company with a responder for it, and a clock that stands.
type bench struct {
	*pkitest.Company
	*responder.Responder
	now time.Time
}

func newBench(t *testing.T, change func(*responder.Responder, *responder.Files)) *bench {
	b := &bench{Company: pkitest.NewCompany(t)}
	b.now = b.Signer.Certificate.NotBefore.Add(time.Hour)
	b.Responder = &responder.Responder{
		Now: func() time.Time { return b.now }, Backdate: 5 * time.Minute, CacheBytes: 1 << 20,
	}
	files := filesOf(b.CA, b.Signer)
	if change != nil {
		change(b.Responder, &files)
	}
	b.Serve(open(t, files, b.index(t, b.CA)))
	return b
}

func (b *bench) index(t *testing.T, ca *pkitest.CA) *index.Live {
	live := &index.Live{Path: ca.Index, Now: func() time.Time { return b.now }}
	if report := live.Reload(true); report.Err != nil {
		t.Fatal(report.Err)
	}
	return live
}

func filesOf(ca *pkitest.CA, signers ...*pkitest.Signer) responder.Files {
	files := responder.Files{Where: "the test", CA: ca.Cert, Lifetime: lifetime}
	for _, s := range signers {
		files.Signers = append(files.Signers, responder.SignerFiles{Certificate: s.Cert, Key: s.Key})
	}
	return files
}

func open(t *testing.T, files responder.Files, idx responder.Index) *responder.Issuer {
	t.Helper()
	issuer, err := responder.Open(files, idx)
	if err != nil {
		t.Fatal(err)
	}
	return issuer
}

// ask returns the answer to a request, which must be of that status.
func (b *bench) ask(t *testing.T, request []byte, status ocsp.ResponseStatus) (*responder.Answer, *wire.OCSPResponse) {
	t.Helper()
	answer := b.recall(request)
	if answer == nil {
		answer = b.Respond(context.Background(), request)
	}
	resp, err := wire.ParseResponse(answer.DER)
	if err != nil {
		t.Fatalf("the answer cannot be read: %v", err)
	}
	if resp.Status != status || answer.Status != status {
		t.Fatalf("answered %v (%v), want %v; reason: %v", resp.Status, answer.Status, status, answer.Err)
	}
	if (status == ocsp.Success) != (answer.Err == nil) {
		t.Fatalf("status %v with the reason %v", status, answer.Err)
	}
	return answer, resp
}

// recall returns the answer that is shared, or nil.
func (b *bench) recall(request []byte) *responder.Answer {
	var indexes []responder.Index
	for _, issuer := range b.Issuers() {
		indexes = append(indexes, issuer.Index)
	}
	return b.Recall(context.Background(), request, indexes)
}

func (b *bench) request(t *testing.T, leaf *pkitest.Leaf, args ...string) []byte {
	t.Helper()
	return pkitest.Request(t, b.CA, leaf, args...)
}

func TestStatuses(t *testing.T) {
	b := newBench(t, nil)
	for _, test := range []struct {
		name   string
		leaf   *pkitest.Leaf
		status wire.CertStatus
		reason int
	}{
		{"RSP-16 good", b.Good, wire.Good, 0},
		{"RSP-21 revoked", b.Company.Revoked, wire.Revoked, 1},
		{"RSP-18 unknown", b.Unknown, wire.Unknown, 0},
	} {
		for _, hash := range []string{"-sha1", "-sha256", "-sha384", "-sha512"} {
			t.Run(test.name+" "+hash, func(t *testing.T) {
				request := b.request(t, test.leaf, hash, "-no_nonce")
				_, resp := b.ask(t, request, ocsp.Success)
				single := resp.Singles[0]
				if len(resp.Singles) != 1 || single.Status != test.status {
					t.Fatalf("%d answers, the first %v", len(resp.Singles), single.Status)
				}
				if !bytes.Contains(request, single.CertID) {
					t.Error("RSP-13: the CertID is not that of the request")
				}
				if test.status == wire.Revoked && (single.Reason != test.reason || single.RevokedAt.After(b.now)) {
					t.Errorf("reason %d at %v", single.Reason, single.RevokedAt)
				}
			})
		}
	}
}

func TestSeveralCertificates(t *testing.T) {
	b := newBench(t, nil)
	request := b.request(t, nil, "-no_nonce", "-cert", b.Company.Revoked.Cert, "-cert", b.Good.Cert, "-cert", b.Good.Cert, "-serial", "0x4711")
	_, resp := b.ask(t, request, ocsp.Success)
	want := []wire.CertStatus{wire.Revoked, wire.Good, wire.Good, wire.Unknown}
	if len(resp.Singles) != len(want) {
		t.Fatalf("REQ-09: %d answers, want %d", len(resp.Singles), len(want))
	}
	for i := range want {
		if resp.Singles[i].Status != want[i] {
			t.Errorf("REQ-09: answer %d is %v, want %v", i, resp.Singles[i].Status, want[i])
		}
	}
}

// What is said of a serial number does not grow with it, whatever its sign.
func TestSerialInTheLogIsBounded(t *testing.T) {
	b := newBench(t, nil)
	long := new(big.Int).Lsh(big.NewInt(0x55), 8*1000)
	for sign, serial := range map[string]*big.Int{"": long, "-": new(big.Int).Neg(long)} {
		der, err := b.Issuers()[0].Request(serial)
		if err != nil {
			t.Fatal(err)
		}
		answer, _ := b.ask(t, der, ocsp.Success)
		if want := sign + "55" + strings.Repeat("00", 39) + "..."; answer.Certs[0].Serial != want {
			t.Errorf("%.100s, want %s", answer.Certs[0].Serial, want)
		}
	}
}

func TestUnassigned(t *testing.T) {
	t.Run("RSP-18 unauthorized", func(t *testing.T) {
		b := newBench(t, func(r *responder.Responder, _ *responder.Files) { r.Unassigned = responder.Unauthorized })
		b.ask(t, b.request(t, b.Unknown), ocsp.Unauthorized)
		b.ask(t, b.request(t, b.Good), ocsp.Success)
	})
	t.Run("RSP-19 revoked", func(t *testing.T) {
		b := newBench(t, func(r *responder.Responder, _ *responder.Files) { r.Unassigned = responder.Revoked })
		answer, resp := b.ask(t, b.request(t, b.Unknown), ocsp.Success)
		if !resp.ExtendedRevoke || !bytes.Contains(answer.DER, []byte("\xa1\x16\x18\x0f19700101000000Z\xa0\x03\x0a\x01\x06")) {
			t.Errorf("extended-revoke %v, answer %x", resp.ExtendedRevoke, answer.DER)
		}
		if _, resp := b.ask(t, b.request(t, b.Good), ocsp.Success); resp.ExtendedRevoke {
			t.Error("extended-revoke in an answer that is good")
		}
	})
}

func TestTimes(t *testing.T) {
	b := newBench(t, nil)
	signerEnds := b.Signer.Certificate.NotAfter
	other := b.Issue("other", pkitest.Days(3000))
	b.Serve(open(t, filesOf(b.CA, b.Signer), b.index(t, b.CA)))
	for _, test := range []struct {
		name    string
		now     time.Time
		leaf    *pkitest.Leaf
		status  ocsp.ResponseStatus
		next    time.Time
		renewal time.Time
	}{
		{"TIM-04 lifetime", b.now, b.Good, ocsp.Success, b.now.Add(lifetime), b.now.Add(lifetime / 2)},
		{"TIM-07 signer ends", signerEnds.Add(-time.Hour), other, ocsp.Success, signerEnds, signerEnds.Add(-30 * time.Minute)},
		{"TIM-13 what is unknown may be known soon", b.now, b.Unknown, ocsp.Success, b.now.Add(lifetime), b.now.Add(time.Minute)},
		{"TIM-05 signer nearly at its end", signerEnds.Add(-10 * time.Minute), b.Unknown, ocsp.TryLater, time.Time{}, time.Time{}},
		{"SGN-05 signer expired", signerEnds.Add(time.Hour), b.Good, ocsp.TryLater, time.Time{}, time.Time{}},
		{"SGN-05 signer not yet valid", b.Signer.Certificate.NotBefore.Add(-time.Hour), b.Good, ocsp.TryLater, time.Time{}, time.Time{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b.now = test.now
			answer, resp := b.ask(t, b.request(t, test.leaf, "-no_nonce"), test.status)
			if test.status != ocsp.Success {
				if answer.Keepable() {
					t.Error("an error may be kept")
				}
				return
			}
			single := resp.Singles[0]
			if !single.NextUpdate.Equal(test.next) || !answer.NextUpdate.Equal(test.next) || !answer.Renewal.Equal(test.renewal) {
				t.Errorf("nextUpdate %v (%v), renewal %v; want %v and %v", single.NextUpdate, answer.NextUpdate, answer.Renewal, test.next, test.renewal)
			}
			if !resp.ProducedAt.Equal(test.now.Truncate(time.Second)) || !single.ThisUpdate.Equal(resp.ProducedAt.Add(-5*time.Minute)) {
				t.Errorf("TIM-02: producedAt %v, thisUpdate %v, now %v", resp.ProducedAt, single.ThisUpdate, test.now)
			}
		})
	}
	t.Run("TIM-10 not older than some clients take", func(t *testing.T) {
		b := newBench(t, func(_ *responder.Responder, files *responder.Files) { files.Lifetime = 90 * 24 * time.Hour })
		a, _ := b.ask(t, b.request(t, b.Good, "-no_nonce"), ocsp.Success)
		if age := a.Renewal.Sub(a.ThisUpdate); age > 7*24*time.Hour {
			t.Errorf("thisUpdate is %v old before the answer is renewed", age)
		}
	})
	t.Run("TIM-08 certificate ends", func(t *testing.T) {
		b := newBench(t, nil)
		soon := b.Issue("soon", pkitest.Valid(b.now.Add(-time.Hour), b.now.Add(time.Hour)))
		b.Serve(open(t, filesOf(b.CA, b.Signer), b.index(t, b.CA)))
		_, resp := b.ask(t, b.request(t, soon), ocsp.Success)
		if next := resp.Singles[0].NextUpdate; !next.Equal(soon.Certificate.NotAfter) {
			t.Errorf("nextUpdate %v, the certificate ends at %v", next, soon.Certificate.NotAfter)
		}
		b.now = b.now.Add(90 * time.Minute)
		_, resp = b.ask(t, b.request(t, soon), ocsp.Success)
		if next := resp.Singles[0].NextUpdate; !next.Equal(b.now.Add(lifetime)) {
			t.Errorf("of an expired certificate: nextUpdate %v, now %v", next, b.now)
		}
		if status := resp.Singles[0].Status; status != wire.Good {
			t.Errorf("RSP-27: an expired certificate is %v", status)
		}
	})
}

func TestArchiveCutoff(t *testing.T) {
	b := newBench(t, func(r *responder.Responder, _ *responder.Files) { r.Archive = 90 * 24 * time.Hour })
	old := b.Issue("old", pkitest.Expired())
	b.Serve(open(t, filesOf(b.CA, b.Signer), b.index(t, b.CA)))
	_, resp := b.ask(t, b.request(t, old), ocsp.Success)
	if cutoff := resp.Singles[0].ArchiveCutoff; !cutoff.Equal(resp.ProducedAt.Add(-90 * 24 * time.Hour)) {
		t.Errorf("RSP-28: archiveCutoff %v, produced at %v", cutoff, resp.ProducedAt)
	}
	if _, resp := b.ask(t, b.request(t, b.Good), ocsp.Success); !resp.Singles[0].ArchiveCutoff.IsZero() {
		t.Error("RSP-28: archiveCutoff for a certificate that has not expired")
	}
}

func TestCRLEntryExtensions(t *testing.T) {
	b := newBench(t, nil)
	dated, held := b.Issue("dated"), b.Issue("held")
	b.Revoke(dated, "-crl_compromise", "20260102030405Z")
	b.Revoke(held, "-crl_hold", "holdInstructionReject")
	request := b.request(t, nil, "-cert", dated.Cert, "-cert", held.Cert)
	t.Run("RSP-30 none for a public CA", func(t *testing.T) {
		files := filesOf(b.CA, b.Signer)
		files.Public, files.Lifetime = true, 24*time.Hour
		b.Serve(open(t, files, b.index(t, b.CA)))
		_, resp := b.ask(t, request, ocsp.Success)
		for _, single := range resp.Singles {
			if !single.InvalidityDate.IsZero() || single.HoldInstruction != nil {
				t.Errorf("%v, %v", single.InvalidityDate, single.HoldInstruction)
			}
		}
	})
	b.Serve(open(t, filesOf(b.CA, b.Signer), b.index(t, b.CA)))
	_, resp := b.ask(t, request, ocsp.Success)
	if got := resp.Singles[0]; got.Reason != 1 || !got.InvalidityDate.Equal(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)) {
		t.Errorf("reason %d, invalidityDate %v", got.Reason, got.InvalidityDate)
	}
	if got := resp.Singles[1]; got.Reason != 6 || got.HoldInstruction.String() != "1.2.840.10040.2.3" {
		t.Errorf("reason %d, hold instruction %v", got.Reason, got.HoldInstruction)
	}
}

func TestRevocationInTheFuture(t *testing.T) {
	b := newBench(t, nil)
	row := "R\t460101000000Z\t" + b.now.Add(48*time.Hour).UTC().Format("060102150405Z") + "\t5555\tunknown\t/CN=x\n"
	appendTo(t, b.Index, row)
	b.Serve(open(t, filesOf(b.CA, b.Signer), b.index(t, b.CA)))
	_, resp := b.ask(t, b.request(t, nil, "-serial", "0x5555"), ocsp.Success)
	if single := resp.Singles[0]; single.Status != wire.Revoked || single.RevokedAt.After(resp.ProducedAt) {
		t.Errorf("RSP-25: %v at %v, produced at %v", single.Status, single.RevokedAt, resp.ProducedAt)
	}
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString(text)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestNonce(t *testing.T) {
	b := newBench(t, nil)
	request := b.request(t, b.Good)
	parsed, err := wire.ParseRequest(request)
	if err != nil || parsed.Nonce == nil {
		t.Fatal("no nonce in the request", err)
	}
	if _, resp := b.ask(t, request, ocsp.Success); !bytes.Equal(resp.Nonce, parsed.Nonce) {
		t.Errorf("RSP-33: nonce %x, want %x", resp.Nonce, parsed.Nonce)
	}
	if _, resp := b.ask(t, b.request(t, b.Good, "-no_nonce"), ocsp.Success); resp.Nonce != nil {
		t.Error("RSP-32: a nonce that nobody asked for")
	}
	b = newBench(t, func(r *responder.Responder, _ *responder.Files) { r.IgnoreNonces = true })
	a, resp := b.ask(t, b.request(t, b.Good), ocsp.Success)
	if resp.Nonce != nil || !a.Keepable() {
		t.Error("nonces are not ignored")
	}
}

// doubtful is an index that can tell nothing.
type doubtful struct{}

func (doubtful) Lookup([]byte) (index.Entry, error) {
	return index.Entry{}, &index.DoubtError{Path: "index.txt", Line: 7, Reason: "no date"}
}

func TestDoubtIsTryLater(t *testing.T) {
	b := newBench(t, nil)
	request := b.request(t, b.Good, "-no_nonce")
	b.Serve(open(t, filesOf(b.CA, b.Signer), doubtful{}))
	answer, _ := b.ask(t, request, ocsp.TryLater)
	if err := answer.Err.Error(); !strings.Contains(err, "index.txt") || !strings.Contains(err, b.Good.Serial) {
		t.Errorf("the reason names neither file nor serial: %s", err)
	}
	if answer.Certs[0].Status != "" {
		t.Errorf("the log says %q of a certificate that nothing is known of", answer.Certs[0].Status)
	}
	b.ask(t, pkitest.Request(t, b.CA, nil, "-cert", b.Good.Cert, "-serial", "0x4711"), ocsp.TryLater)
}

func TestNobodyServed(t *testing.T) {
	var r responder.Responder
	if answer := r.Respond(context.Background(), nil); answer.Status != ocsp.InternalError || answer.Err == nil {
		t.Errorf("answered %v", answer.Status)
	}
}
