package responder_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/index"
	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/responder"
	"ocspcgi/lib/store"
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
	answer := b.Respond(context.Background(), request)
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

func TestForeignIssuers(t *testing.T) {
	b := newBench(t, nil)
	other := pkitest.NewCompany(t)
	b.ask(t, pkitest.Request(t, other.CA, other.Good), ocsp.Unauthorized) // RSP-07
	both := pkitest.Request(t, b.CA, nil, "-cert", b.Good.Cert, "-issuer", other.Cert, "-cert", other.Good.Cert)
	b.ask(t, both, ocsp.Unauthorized) // REQ-10
	b.ask(t, []byte("x"), ocsp.Malformed)
	b.ask(t, nil, ocsp.Malformed)
}

// One name with two keys, the same serial numbers in both (REQ-24).
func TestTwoIssuers(t *testing.T) {
	t.Run("REQ-24 each key has its own index and signer", func(t *testing.T) {
		b := newBench(t, nil)
		other := pkitest.New(t)
		otherGood, otherSigner := other.Issue("good"), other.OCSPSigner("ocsp")
		other.Revoke(otherGood)
		if !bytes.Equal(other.Certificate.RawSubject, b.CA.Certificate.RawSubject) || otherGood.Serial != b.Good.Serial {
			t.Fatal("the two CAs can be told apart by name or serial number")
		}
		b.Serve(append(b.Issuers(), open(t, filesOf(other, otherSigner), b.index(t, other)))...)
		_, first := b.ask(t, b.request(t, b.Good), ocsp.Success)
		_, second := b.ask(t, pkitest.Request(t, other, otherGood), ocsp.Success)
		if first.Singles[0].Status != wire.Good || second.Singles[0].Status != wire.Revoked {
			t.Errorf("%v and %v, want good and revoked", first.Singles[0].Status, second.Singles[0].Status)
		}
		if bytes.Equal(first.KeyHash[:], second.KeyHash[:]) {
			t.Error("one signer for two CAs")
		}
		both := pkitest.Request(t, b.CA, nil, "-cert", b.Good.Cert, "-issuer", other.Cert, "-cert", otherGood.Cert)
		b.ask(t, both, ocsp.Unauthorized)
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

func TestCache(t *testing.T) {
	b := newBench(t, nil)
	live := b.Issuers()[0].Index.(*index.Live)
	request := b.request(t, b.Good, "-no_nonce")
	first, _ := b.ask(t, request, ocsp.Success)
	second, _ := b.ask(t, request, ocsp.Success)
	if first.Cached || !second.Cached || !bytes.Equal(first.DER, second.DER) {
		t.Fatalf("RSP-38: the second answer is another one (cached: %v, %v)", first.Cached, second.Cached)
	}
	t.Run("TIM-13 renewed at half life", func(t *testing.T) {
		b.now = first.Renewal.Add(-2 * time.Second)
		if a, _ := b.ask(t, request, ocsp.Success); !a.Cached {
			t.Error("renewed too early")
		}
		b.now = first.Renewal
		if a, _ := b.ask(t, request, ocsp.Success); a.Cached || bytes.Equal(a.DER, first.DER) {
			t.Error("not renewed")
		}
	})
	t.Run("a clock that was set back", func(t *testing.T) {
		b.now = b.now.Add(-time.Hour)
		if a, _ := b.ask(t, request, ocsp.Success); a.Cached {
			t.Error("an answer from the future")
		}
	})
	t.Run("TIM-12 not once the row has changed", func(t *testing.T) {
		if a, _ := b.ask(t, request, ocsp.Success); !a.Cached {
			t.Fatal("not kept")
		}
		b.Revoke(b.Good, "superseded")
		if report := live.Reload(false); report.Err != nil {
			t.Fatal(report.Err)
		}
		_, resp := b.ask(t, request, ocsp.Success)
		if single := resp.Singles[0]; single.Status != wire.Revoked || single.Reason != 4 {
			t.Errorf("still %v", single.Status)
		}
	})
	t.Run("not once the signer has changed", func(t *testing.T) {
		before, _ := b.ask(t, request, ocsp.Success)
		b.Serve(open(t, filesOf(b.CA, b.OCSPSigner("next")), live))
		if after, _ := b.ask(t, request, ocsp.Success); bytes.Equal(before.DER, after.DER) {
			t.Error("the old signer's answer")
		}
	})
	t.Run("HTTP-29 never with a nonce", func(t *testing.T) {
		request := b.request(t, b.Good)
		a, _ := b.ask(t, request, ocsp.Success)
		again, _ := b.ask(t, request, ocsp.Success)
		if a.Keepable() || again.Cached || bytes.Equal(a.DER, again.DER) {
			t.Error("kept")
		}
	})
}

// inFiles makes a responder share its answers in a directory.
func inFiles(t *testing.T, path string) func(*responder.Responder, *responder.Files) {
	return func(r *responder.Responder, _ *responder.Files) {
		r.CacheBytes, r.Shared = 0, &store.Directory{Path: path}
		r.LogShared = func(err error) { t.Error(err) }
	}
}

func TestSharedAnswers(t *testing.T) {
	dir := t.TempDir()
	b := newBench(t, inFiles(t, dir))
	live := b.Issuers()[0].Index.(*index.Live)
	request := b.request(t, b.Good, "-no_nonce")
	first, _ := b.ask(t, request, ocsp.Success)
	second, _ := b.ask(t, request, ocsp.Success)
	if first.Cached || !second.Cached || !bytes.Equal(first.DER, second.DER) || first.ETag != second.ETag || first.Renewal != second.Renewal {
		t.Fatalf("RSP-38: the second answer is another one (cached: %v, %v)", first.Cached, second.Cached)
	}
	t.Run("any byte that is wrong", func(t *testing.T) {
		file := onlyFile(t, dir)
		whole, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i := range whole {
			broken := bytes.Clone(whole)
			broken[i] ^= 0x01
			write(t, file, broken)
			if a, _ := b.ask(t, request, ocsp.Success); a.Cached {
				t.Fatalf("believed with byte %d changed", i)
			}
		}
		for i := 0; i < len(whole); i += 7 {
			write(t, file, whole[:i])
			if a, _ := b.ask(t, request, ocsp.Success); a.Cached {
				t.Fatalf("believed when cut at %d", i)
			}
		}
		write(t, file, whole)
		if a, _ := b.ask(t, request, ocsp.Success); !a.Cached {
			t.Error("not believed when it is whole")
		}
	})
	t.Run("another one's answer", func(t *testing.T) {
		revoked, _ := b.ask(t, b.request(t, b.Company.Revoked, "-no_nonce"), ocsp.Success)
		for _, file := range allFiles(t, dir) {
			write(t, file, revoked.DER)
		}
		if a, resp := b.ask(t, request, ocsp.Success); a.Cached || resp.Singles[0].Status != wire.Good {
			t.Error("believed")
		}
	})
	t.Run("after its renewal", func(t *testing.T) {
		b.ask(t, request, ocsp.Success)
		b.now = b.now.Add(lifetime / 2)
		if a, _ := b.ask(t, request, ocsp.Success); a.Cached {
			t.Error("believed")
		}
	})
	t.Run("the row has changed", func(t *testing.T) {
		b.Revoke(b.Good, "superseded")
		if report := live.Reload(false); report.Err != nil {
			t.Fatal(report.Err)
		}
		if _, resp := b.ask(t, request, ocsp.Success); resp.Singles[0].Status != wire.Revoked {
			t.Errorf("still %v", resp.Singles[0].Status)
		}
	})
	t.Run("never with a nonce", func(t *testing.T) {
		request := b.request(t, b.Good)
		b.ask(t, request, ocsp.Success)
		if a, _ := b.ask(t, request, ocsp.Success); a.Cached {
			t.Error("kept")
		}
	})
}

// A directory that nothing can be put into costs a line in the log.
func TestSharedNowhere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, nil)
	var said []error
	b := newBench(t, func(r *responder.Responder, _ *responder.Files) {
		r.CacheBytes, r.Shared = 0, &store.Directory{Path: file}
		r.LogShared = func(err error) { said = append(said, err) }
	})
	b.ask(t, b.request(t, b.Good, "-no_nonce"), ocsp.Success)
	if len(said) == 0 || !strings.Contains(said[0].Error(), file) {
		t.Errorf("the log says %v", said)
	}
}

func onlyFile(t *testing.T, dir string) string {
	t.Helper()
	files := allFiles(t, dir)
	if len(files) != 1 {
		t.Fatalf("%d files", len(files))
	}
	return files[0]
}

func allFiles(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// slowIndex tells what it is asked, and waits until all have asked.
type slowIndex struct {
	responder.Index
	all *sync.WaitGroup
}

func (i slowIndex) Lookup(serial []byte) (index.Entry, error) {
	i.all.Done()
	i.all.Wait()
	return i.Index.Lookup(serial)
}

// Who asks for the same at the same time gets the same answer, signed once.
func TestOneSignatureForAll(t *testing.T) {
	const askers = 50
	b := newBench(t, nil)
	request := b.request(t, b.Good, "-no_nonce")
	var all sync.WaitGroup
	all.Add(askers)
	b.Serve(open(t, filesOf(b.CA, b.Signer), slowIndex{b.index(t, b.CA), &all}))
	answers := make([][]byte, askers)
	var group sync.WaitGroup
	for i := range answers {
		group.Go(func() { answers[i] = b.Respond(context.Background(), bytes.Clone(request)).DER })
	}
	group.Wait()
	different := map[string]bool{}
	for _, der := range answers {
		different[string(der)] = true
	}
	if len(different) != 1 {
		t.Errorf("%d signatures for %d who asked together", len(different), askers)
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

func TestWhoSigns(t *testing.T) {
	t.Run("SGN-21 the newest that is valid", func(t *testing.T) {
		b := newBench(t, nil)
		later := b.OCSPSigner("later", pkitest.Valid(b.now.Add(24*time.Hour), b.now.Add(1000*24*time.Hour)))
		b.Serve(open(t, filesOf(b.CA, later, b.Signer), b.index(t, b.CA)))
		_, now := b.ask(t, b.request(t, b.Good), ocsp.Success)
		b.now = b.now.Add(25 * time.Hour)
		_, then := b.ask(t, b.request(t, b.Good), ocsp.Success)
		if !bytes.Equal(now.Certificates[0], b.Signer.Certificate.Raw) || !bytes.Equal(then.Certificates[0], later.Certificate.Raw) {
			t.Error("signed by the other one")
		}
	})
	t.Run("SGN-20 the first algorithm wished for", func(t *testing.T) {
		b := newBench(t, nil)
		rsa := b.OCSPSigner("rsa", pkitest.Key("rsa"))
		b.Serve(open(t, filesOf(b.CA, b.Signer, rsa), b.index(t, b.CA)))
		const (
			rsa256   = "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00"
			ecdsa256 = "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"
			rsaSHA1  = "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05\x05\x00"
		)
		plain, err := wire.ParseRequest(b.request(t, b.Good, "-no_nonce"))
		if err != nil {
			t.Fatal(err)
		}
		_, usual := b.ask(t, b.request(t, b.Good), ocsp.Success)
		for _, test := range []struct {
			name   string
			wishes []string
			want   []byte
		}{
			{"K:prefsig-rsa256-ecdsa256", []string{rsa256, ecdsa256}, rsa.Certificate.Raw},
			{"K:prefsig-ecdsa256-rsa256", []string{ecdsa256, rsa256}, b.Signer.Certificate.Raw},
			{"the first is not ours", []string{rsaSHA1, rsa256}, rsa.Certificate.Raw},
			{"K:prefsig-only-sha1rsa", []string{rsaSHA1}, usual.Certificates[0]},
		} {
			request := *plain
			request.Preferred = nil
			for _, wish := range test.wishes {
				request.Preferred = append(request.Preferred, []byte(wish))
			}
			der, err := request.Marshal(nil)
			if err != nil {
				t.Fatal(err)
			}
			_, resp := b.ask(t, der, ocsp.Success)
			if !bytes.Equal(resp.Certificates[0], test.want) {
				t.Errorf("%s: signed by the other one", test.name)
			}
		}
	})
	t.Run("SGN-08 certificates", func(t *testing.T) {
		b := newBench(t, func(_ *responder.Responder, files *responder.Files) { files.Other = []string{files.CA} })
		_, resp := b.ask(t, b.request(t, b.Good), ocsp.Success)
		if len(resp.Certificates) != 2 || !bytes.Equal(resp.Certificates[0], b.Signer.Certificate.Raw) || !bytes.Equal(resp.Certificates[1], b.CA.Certificate.Raw) {
			t.Errorf("%d certificates, or in another order", len(resp.Certificates))
		}
	})
	t.Run("SGN-09 the CA itself", func(t *testing.T) {
		b := newBench(t, func(_ *responder.Responder, files *responder.Files) {
			files.Signers[0].Certificate, files.Signers[0].Key = files.CA, strings.Replace(files.CA, "certs/ca.cert", "private/ca.key", 1)
		})
		_, resp := b.ask(t, b.request(t, b.Good), ocsp.Success)
		if len(resp.Certificates) != 1 || !bytes.Equal(resp.Certificates[0], b.CA.Certificate.Raw) {
			t.Error("the CA's certificate is not there")
		}
	})
	t.Run("SGN-10 none", func(t *testing.T) {
		b := newBench(t, func(_ *responder.Responder, files *responder.Files) { files.NoCerts = true })
		if _, resp := b.ask(t, b.request(t, b.Good), ocsp.Success); resp.Certificates != nil {
			t.Error("certificates")
		}
	})
	t.Run("RSP-12 byName", func(t *testing.T) {
		b := newBench(t, func(_ *responder.Responder, files *responder.Files) { files.ByName = true })
		if _, resp := b.ask(t, b.request(t, b.Good), ocsp.Success); !bytes.Equal(resp.ByName, b.Signer.Certificate.RawSubject) {
			t.Errorf("responderID %x", resp.ByName)
		}
	})
}

func TestOpenRefuses(t *testing.T) {
	b := newBench(t, nil)
	other := pkitest.NewCompany(t)
	for _, test := range []struct {
		name   string
		change func(*responder.Files)
		says   []string
	}{
		{"no CA file", func(f *responder.Files) { f.CA += ".gone" }, []string{"the test: -CA", ".gone"}},
		{"SGN-01 another CA of the same name", func(f *responder.Files) { f.CA = other.Cert }, []string{"the test", other.Cert}},
		{"SGN-02 no EKU", func(f *responder.Files) {
			s := b.OCSPSigner("noeku", pkitest.NoEKU())
			f.Signers = []responder.SignerFiles{{Certificate: s.Cert, Key: s.Key}}
		}, []string{"the test", "noeku.cert.pem", "OCSPSigning"}},
		{"SGN-07 the wrong key, and a file that is not there", func(f *responder.Files) {
			f.Signers[0].Key = b.Good.Key
			f.Other = []string{"/nowhere/other.pem"}
		}, []string{"the test", "ocsp.cert.pem", "good.key.pem", "/nowhere/other.pem"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			files := filesOf(b.CA, b.Signer)
			test.change(&files)
			_, err := responder.Open(files, nil)
			if err == nil {
				t.Fatal("opened")
			}
			for _, text := range test.says {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("the error does not name %s: %v", text, err)
				}
			}
		})
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

func TestRequireSigned(t *testing.T) {
	clients := pkitest.New(t)
	client, other := clients.Issue("client"), pkitest.New(t).Issue("client")
	b := newBench(t, func(r *responder.Responder, _ *responder.Files) {
		var err error
		if r.Requestors, err = responder.OpenRequestors([]string{clients.Cert}); err != nil {
			t.Fatal(err)
		}
	})
	b.now = client.Certificate.NotBefore.Add(time.Hour)
	signedBy := func(leaf *pkitest.Leaf) []byte {
		return b.request(t, b.Good, "-no_nonce", "-signer", leaf.Cert, "-signkey", leaf.Key)
	}
	b.ask(t, b.request(t, b.Good), ocsp.SignatureRequired)
	b.ask(t, signedBy(other), ocsp.Unauthorized)
	b.ask(t, signedBy(client), ocsp.Success)
	forged := signedBy(client)
	if i := bytes.Index(forged, b.Good.Certificate.SerialNumber.Bytes()); i < 0 {
		t.Fatal("no serial number in the request")
	} else {
		forged[i+1]++
	}
	b.ask(t, forged, ocsp.Unauthorized)
	b.now = client.Certificate.NotAfter.Add(time.Hour)
	b.ask(t, signedBy(client), ocsp.Unauthorized)
	if _, err := responder.OpenRequestors([]string{"/nowhere/ca.pem"}); err == nil || !strings.Contains(err.Error(), "/nowhere/ca.pem") {
		t.Errorf("the error of a file that is not there: %v", err)
	}
}

// A signature that nobody asked for is not looked at (REQ-07).
func TestSignedAllTheSame(t *testing.T) {
	b := newBench(t, nil)
	other := pkitest.New(t).Issue("client")
	b.ask(t, b.request(t, b.Good, "-signer", other.Cert, "-signkey", other.Key), ocsp.Success)
}
