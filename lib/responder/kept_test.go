package responder_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/index"
	"ocspcgi/lib/responder"
	"ocspcgi/lib/wire"
)

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
		b.Renewed()
		b.now = first.Renewal
		if a, _ := b.ask(t, request, ocsp.Success); bytes.Equal(a.DER, first.DER) {
			t.Error("not renewed")
		}
	})
	t.Run("a clock that was set back", func(t *testing.T) {
		b.Renewed()
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

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// slowIndex tells what it is asked, and waits until all have asked.
type slowIndex struct {
	responder.Index
	all  *sync.WaitGroup
	left *atomic.Int32 // who is to ask; what is looked up after that is not told
}

func (i slowIndex) Lookup(serial []byte) (index.Entry, error) {
	if i.left.Add(-1) >= 0 {
		i.all.Done()
		i.all.Wait()
	}
	return i.Index.Lookup(serial)
}

// Who asks for the same at the same time gets the same answer, signed once.
func TestOneSignatureForAll(t *testing.T) {
	const askers = 50
	b := newBench(t, nil)
	request := b.request(t, b.Good, "-no_nonce")
	var all sync.WaitGroup
	var left atomic.Int32
	all.Add(askers)
	left.Store(askers)
	b.Serve(open(t, filesOf(b.CA, b.Signer), slowIndex{b.index(t, b.CA), &all, &left}))
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

// Who comes while an answer is signed that ends with this second, and asks in the next
// one, is not given it.
func TestNoAnswerThatIsOver(t *testing.T) {
	b := newBench(t, func(_ *responder.Responder, f *responder.Files) { f.Lifetime = time.Second })
	request := b.request(t, b.Good, "-no_nonce")
	synctest.Test(t, func(t *testing.T) {
		var group sync.WaitGroup
		second := b.now.Truncate(time.Second)
		ask := func(at time.Time) {
			resp, err := wire.ParseResponse(b.Respond(context.Background(), request).DER)
			if err != nil || len(resp.Singles) != 1 {
				t.Errorf("asked at %v: %v, %v", at, resp, err)
			} else if next := resp.Singles[0].NextUpdate; !next.After(at) {
				t.Errorf("asked at %v, next update at %v", at, next)
			}
		}
		early, late := second.Add(999*time.Millisecond), second.Add(time.Second)
		var looks atomic.Int32
		b.Now = func() time.Time {
			switch looks.Add(1) {
			case 1:
				return early
			case 2: // the signature begins
				group.Go(func() { ask(late) })
				synctest.Wait()
			}
			return late
		}
		ask(early)
		group.Wait()
	})
}

// A kept answer is for requests: what it is kept under is none.
func TestKeyIsNoRequest(t *testing.T) {
	b := newBench(t, func(r *responder.Responder, _ *responder.Files) { r.IgnoreNonces = true })
	request := b.request(t, b.Good)
	b.ask(t, request, ocsp.Success)
	req, err := wire.ParseRequest(request)
	if err != nil {
		t.Fatal(err)
	}
	key := sha256.Sum256(bytes.Join([][]byte{b.Signer.Certificate.Raw, req.CertIDs[0].Raw}, nil))
	if a := b.Respond(context.Background(), key[:]); a.Status != ocsp.Malformed {
		t.Errorf("32 octets that are no DER are answered %v", a.Status)
	}
}
