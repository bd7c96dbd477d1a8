package responder_test

import (
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/index"
	"ocspcgi/lib/wire"
)

// meanwhile is an index in which something happens right after the first look-up.
type meanwhile struct {
	*index.Live
	happens func() // nil: it has
}

func (m *meanwhile) Lookup(serial []byte) (index.Entry, error) {
	entry, err := m.Live.Lookup(serial)
	if happens := m.happens; happens != nil {
		m.happens = nil
		happens()
	}
	return entry, err
}

// A key that is kept elsewhere may take seconds to sign. What was revoked meanwhile
// is not called good by then: half of the second that there is for a revocation goes
// by before it is looked for where there are no file events.
func TestRevokedWhileSigning(t *testing.T) {
	for name, args := range map[string][]string{"nonce": nil, "no nonce": {"-no_nonce"}} {
		for status, revoke := range map[ocsp.ResponseStatus]bool{ocsp.TryLater: true, ocsp.Success: false} {
			t.Run(name+", "+wire.StatusName(status), func(t *testing.T) {
				b := newBench(t, nil)
				idx := &meanwhile{Live: b.Issuers()[0].Index.(*index.Live)}
				idx.happens = func() {
					b.now = b.now.Add(300 * time.Millisecond)
					if revoke {
						b.Revoke(b.Good)
						idx.Reload(false)
					}
				}
				b.Serve(open(t, filesOf(b.CA, b.Signer), idx))
				request := b.request(t, b.Good, args...)
				b.ask(t, request, status)
				_, resp := b.ask(t, request, ocsp.Success)
				if got := resp.Singles[0].Status; (got == wire.Revoked) != revoke {
					t.Errorf("%v the next time", got)
				}
			})
		}
	}
}

// What was looked up may be revoked before it is signed, and after another one asked, whose
// answer is kept: that is not given.
func TestRevokedSinceAnotherAsked(t *testing.T) {
	b := newBench(t, nil)
	request := b.request(t, b.Good, "-no_nonce")
	idx := &meanwhile{Live: b.Issuers()[0].Index.(*index.Live)}
	idx.happens = func() {
		b.ask(t, request, ocsp.Success)
		b.now = b.now.Add(300 * time.Millisecond)
		b.Revoke(b.Good)
		idx.Reload(false)
	}
	b.Serve(open(t, filesOf(b.CA, b.Signer), idx))
	b.ask(t, request, ocsp.TryLater)
	if _, resp := b.ask(t, request, ocsp.Success); resp.Singles[0].Status != wire.Revoked {
		t.Errorf("%v the next time", resp.Singles[0].Status)
	}
}
