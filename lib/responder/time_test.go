package responder_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/responder"
	"ocspcgi/lib/wire"
)

const day = 24 * time.Hour

func TestMoments(t *testing.T) {
	b := newBench(t, nil)
	b.now = b.now.Add(999 * time.Millisecond)
	_, resp := b.ask(t, b.request(t, b.Good), ocsp.Success)
	single := resp.Singles[0]
	t.Run("TIM-02 thisUpdate, producedAt, now", func(t *testing.T) {
		if single.ThisUpdate.After(resp.ProducedAt) || resp.ProducedAt.After(b.now) {
			t.Errorf("thisUpdate %v, producedAt %v, now %v", single.ThisUpdate, resp.ProducedAt, b.now)
		}
	})
	t.Run("TIM-03 thisUpdate is five minutes back", func(t *testing.T) {
		if d := resp.ProducedAt.Sub(single.ThisUpdate); d != 5*time.Minute {
			t.Errorf("%v back", d)
		}
	})
	t.Run("TIM-11 producedAt is the second of signing", func(t *testing.T) {
		if want := b.now.Truncate(time.Second); !resp.ProducedAt.Equal(want) {
			t.Errorf("producedAt %v, want %v", resp.ProducedAt, want)
		}
	})
	t.Run("TIM-09 producedAt is in the life of what is asked about", func(t *testing.T) {
		if c := b.Good.Certificate; resp.ProducedAt.Before(c.NotBefore) || !resp.ProducedAt.Before(c.NotAfter) {
			t.Errorf("producedAt %v, the certificate lives from %v to %v", resp.ProducedAt, c.NotBefore, c.NotAfter)
		}
	})
}

// Whenever an answer is given again, it is good for a while, and not too old.
func TestKeptAnswers(t *testing.T) {
	for _, test := range []struct {
		row      string
		lifetime time.Duration
		left     time.Duration // at the least, of a kept one
	}{
		{"TIM-05 twenty minutes", 20 * time.Minute, 10 * time.Minute},
		{"TIM-05 twelve hours", 12 * time.Hour, 6 * time.Hour},
		{"TIM-10 thirteen days", 13 * day, 6 * day},
		{"TIM-10 ninety days", 90 * day, 83 * day},
	} {
		t.Run(test.row, func(t *testing.T) {
			b := newBench(t, func(_ *responder.Responder, files *responder.Files) { files.Lifetime = test.lifetime })
			request := b.request(t, b.Good, "-no_nonce")
			first, _ := b.ask(t, request, ocsp.Success)
			b.now = first.Renewal.Add(-1001 * time.Millisecond)
			last, resp := b.ask(t, request, ocsp.Success)
			if !last.Cached {
				t.Fatal("not kept to its renewal")
			}
			if left := resp.Singles[0].NextUpdate.Sub(b.now); left < test.left {
				t.Errorf("%v left, want %v", left, test.left)
			}
			if age := b.now.Sub(resp.Singles[0].ThisUpdate); age > 7*day {
				t.Errorf("thisUpdate is %v old", age)
			}
			b.Renewed()
			b.now = first.Renewal
			if next, _ := b.ask(t, request, ocsp.Success); bytes.Equal(next.DER, first.DER) {
				t.Error("given after its renewal")
			}
		})
	}
}

// A clock that is wrong shows where certificates and rows are from the future.
func TestWrongClock(t *testing.T) {
	t.Run("TIM-14 before the signer's notBefore", func(t *testing.T) {
		b := newBench(t, nil)
		b.now = b.now.AddDate(-1, 0, 0)
		answer, _ := b.ask(t, b.request(t, b.Good), ocsp.TryLater)
		if reason := answer.Err.Error(); !strings.Contains(reason, b.Signer.Cert) || !strings.Contains(reason, "check the clock") {
			t.Errorf("the log says: %s", reason)
		}
	})
	t.Run("TIM-14 before the newest revocation", func(t *testing.T) {
		b := newBench(t, nil)
		old := b.OCSPSigner("old", pkitest.Valid(b.now.Add(-100*day), b.now.Add(100*day)))
		b.Serve(open(t, filesOf(b.CA, old), b.index(t, b.CA)))
		b.now = b.now.Add(-50 * day)
		_, resp := b.ask(t, b.request(t, b.Company.Revoked), ocsp.Success)
		if single := resp.Singles[0]; single.Status != wire.Revoked || !single.RevokedAt.Equal(resp.ProducedAt) {
			t.Errorf("%v at %v, produced at %v", single.Status, single.RevokedAt, resp.ProducedAt)
		}
		if _, resp := b.ask(t, b.request(t, b.Good), ocsp.Success); resp.Singles[0].Status != wire.Good {
			t.Errorf("the other one is %v", resp.Singles[0].Status)
		}
	})
}

// A clock that leaps serves no answer of another time, and heals when it is right.
func TestClockLeaps(t *testing.T) {
	b := newBench(t, nil)
	b.Signer = b.OCSPSigner("leaping", pkitest.Valid(b.now.Add(-30*day), b.now.Add(60*day)))
	b.Serve(open(t, filesOf(b.CA, b.Signer), b.index(t, b.CA)))
	request := b.request(t, b.Good, "-no_nonce")
	right := b.now
	first, _ := b.ask(t, request, ocsp.Success)
	for _, leap := range []struct {
		name string
		by   time.Duration
		want ocsp.ResponseStatus
	}{
		{"a year back", -365 * day, ocsp.TryLater},
		{"a year forward", 365 * day, ocsp.TryLater},
		{"a day back", -day, ocsp.Success},
		{"a second back", -time.Second, ocsp.Success},
		{"over nextUpdate", first.NextUpdate.Sub(right) + time.Second, ocsp.Success},
		{"to nextUpdate", first.NextUpdate.Sub(right), ocsp.Success},
		{"a month forward", 30 * day, ocsp.Success},
	} {
		t.Run(leap.name, func(t *testing.T) {
			for _, b.now = range []time.Time{right, right.Add(leap.by), right} {
				want := ocsp.Success
				if b.now != right {
					want = leap.want
				}
				_, resp := b.ask(t, request, want)
				if want != ocsp.Success {
					continue
				}
				single := resp.Singles[0]
				if single.Status != wire.Good || resp.ProducedAt.After(b.now) || single.ThisUpdate.After(b.now) || !single.NextUpdate.After(b.now) {
					t.Errorf("at %v: %v from %v to %v, produced at %v", b.now, single.Status, single.ThisUpdate, single.NextUpdate, resp.ProducedAt)
				}
			}
		})
	}
}
