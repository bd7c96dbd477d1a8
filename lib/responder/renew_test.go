package responder_test

import (
	"bytes"
	"context"
	"os"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/index"
	"ocspcgi/lib/responder"
	"ocspcgi/lib/wire"
)

// The last eighth of the hour that an answer of these tests is kept for.
const early = lifetime / 2 / 8

func TestRenewedEarly(t *testing.T) {
	b := newBench(t, nil)
	request := b.request(t, b.Good, "-no_nonce")
	first, _ := b.ask(t, request, ocsp.Success)
	b.now = first.Renewal.Add(-early - time.Second)
	for range 2 {
		if a, _ := b.ask(t, request, ocsp.Success); !bytes.Equal(a.DER, first.DER) {
			t.Fatal("renewed too early")
		}
		b.Renewed()
	}
	b.now = first.Renewal.Add(-early)
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			if a := b.Respond(context.Background(), request); !a.Cached {
				t.Error("somebody waited for a signature")
			}
		})
	}
	group.Wait()
	b.Renewed()
	second, _ := b.ask(t, request, ocsp.Success)
	if bytes.Equal(second.DER, first.DER) || !second.Cached || !second.Renewal.After(first.Renewal) {
		t.Fatalf("not renewed: kept until %v, before until %v", second.Renewal, first.Renewal)
	}
	b.Renewed()
	b.now = first.Renewal.Add(time.Second)
	if a, _ := b.ask(t, request, ocsp.Success); !bytes.Equal(a.DER, second.DER) {
		t.Error("signed more than once")
	}
}

// What nobody asks for is not renewed, and not given once its renewal has come.
func TestColdAnswersAreNotRenewed(t *testing.T) {
	b := newBench(t, nil)
	request := b.request(t, b.Good, "-no_nonce")
	first, _ := b.ask(t, request, ocsp.Success)
	b.Renewed()
	b.now = first.Renewal
	if a, _ := b.ask(t, request, ocsp.Success); a.Cached {
		t.Error("given at its renewal, or renewed without being asked for")
	}
}

// hooked is an index that does something around each look-up.
type hooked struct {
	*index.Live
	before, after func()
}

func (h *hooked) Lookup(serial []byte) (index.Entry, error) {
	h.before()
	entry, err := h.Live.Lookup(serial)
	h.after()
	return entry, err
}

// A row that changes while its answer is renewed is never outlived by that.
func TestChangeDuringRenewal(t *testing.T) {
	for _, name := range []string{"before its look-up", "after its look-up", "after its look-up, and asked for at once"} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			live := b.Issuers()[0].Index.(*index.Live)
			request := b.request(t, b.Good, "-no_nonce")
			armed := atomic.Bool{} // the look-up that comes next is that of the renewal
			change := func() {
				if !armed.CompareAndSwap(true, false) {
					return
				}
				b.Revoke(b.Good, "keyCompromise")
				if report := live.Reload(false); report.Err != nil {
					t.Error(report.Err)
				}
			}
			h := &hooked{live, func() {}, func() {}}
			switch name {
			case "before its look-up":
				h.before = change
			case "after its look-up":
				h.after = change
			default:
				h.after = func() {
					if armed.Load() {
						change()
						if a := b.Respond(context.Background(), request); a.Certs[0].Status != "revoked" {
							t.Errorf("%s while it is renewed", a.Certs[0].Status)
						}
					}
				}
			}
			b.Serve(open(t, filesOf(b.CA, b.Signer), h))
			first, _ := b.ask(t, request, ocsp.Success)
			b.ask(t, request, ocsp.Success) // whose look-up is the last of its epoch
			b.now = first.Renewal.Add(-early)
			armed.Store(true)
			b.ask(t, request, ocsp.Success)
			b.Renewed()
			if armed.Load() {
				t.Fatal("nothing was looked up to renew the answer")
			}
			for range 3 {
				if _, resp := b.ask(t, request, ocsp.Success); resp.Singles[0].Status != wire.Revoked {
					t.Errorf("still %v", resp.Singles[0].Status)
				}
			}
		})
	}
}

// While rows change, answers are renewed and many ask: whoever asks after a
// change was read is told so.
func TestNeverStale(t *testing.T) {
	rounds := 300
	if testing.Short() {
		rounds = 30
	}
	b := newBench(t, nil)
	live := b.Issuers()[0].Index.(*index.Live)
	// truth counts changes: even while the certificate is good, odd while it is
	// on hold, negative while either may be said.
	var clock, truth atomic.Int64
	clock.Store(b.now.Unix())
	b.Now = func() time.Time { return time.Unix(clock.Load(), 0) }
	request := b.request(t, b.Good, "-no_nonce")
	row := regexp.MustCompile(`(?m)^[VR](\t[0-9]+Z\t)[^\t]*(\t` + b.Good.Serial + `\t)`)
	text, err := os.ReadFile(b.Index)
	if err != nil {
		t.Fatal(err)
	}
	kinds := []string{"V${1}${2}", "R${1}260101000000Z,certificateHold${2}"}
	done := make(chan struct{})
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				before := truth.Load()
				resp, err := wire.ParseResponse(b.Respond(context.Background(), request).DER)
				if err != nil {
					t.Error(err)
					return
				}
				want := []wire.CertStatus{wire.Good, wire.Revoked}[before&1]
				if before >= 0 && truth.Load() == before && resp.Singles[0].Status != want {
					t.Errorf("%v after %d changes", resp.Singles[0].Status, before)
					return
				}
			}
		})
	}
	for i := range rounds {
		clock.Add(int64(early / 2 / time.Second))
		if i%5 != 4 {
			continue
		}
		next := int64(i/5 + 1)
		write(t, b.Index+".new", row.ReplaceAll(text, []byte(kinds[next%2])))
		if err := os.Rename(b.Index+".new", b.Index); err != nil {
			t.Fatal(err)
		}
		truth.Store(-1)
		if report := live.Reload(false); !report.Believed {
			t.Fatal(report.Err)
		}
		truth.Store(next)
	}
	close(done)
	group.Wait()
	b.Renewed()
}

// Where nonces are ignored, who sends one gets the answer that is kept.
func TestIgnoredNonces(t *testing.T) {
	b := newBench(t, func(r *responder.Responder, _ *responder.Files) { r.IgnoreNonces = true })
	first, _ := b.ask(t, b.request(t, b.Good), ocsp.Success)
	second, resp := b.ask(t, b.request(t, b.Good), ocsp.Success)
	if !second.Cached || !bytes.Equal(first.DER, second.DER) || resp.Nonce != nil {
		t.Error("signed again for another nonce")
	}
	if _, resp := b.ask(t, b.request(t, b.Company.Revoked), ocsp.Success); resp.Singles[0].Status != wire.Revoked {
		t.Error("another certificate's answer")
	}
	b.now = first.Renewal.Add(-early)
	b.ask(t, b.request(t, b.Good), ocsp.Success)
	b.Renewed()
	third, _ := b.ask(t, b.request(t, b.Good), ocsp.Success)
	if bytes.Equal(third.DER, first.DER) || !third.Cached {
		t.Error("not renewed early")
	}
	live := b.Issuers()[0].Index.(*index.Live)
	b.Revoke(b.Good)
	if report := live.Reload(false); report.Err != nil {
		t.Fatal(report.Err)
	}
	if _, resp := b.ask(t, b.request(t, b.Good), ocsp.Success); resp.Singles[0].Status != wire.Revoked {
		t.Error("good after its revocation")
	}
}
