package admin

import (
	"fmt"
	"strings"
	"time"

	"ocspcgi/lib/responder"
)

// proven is how long a test signature counts: who asks often does not make a
// signature each time.
const proven = 10 * time.Second

// proof is what came of a test signature.
type proof struct {
	at  time.Time // when all that were made with it were; zero: they are being made
	err error
}

// missing lists what keeps the responder from telling every status that it
// could, in one line each; none: it is ready.
func (a *Admin) missing() (lines []string) {
	if a.Ending != nil && a.Ending() {
		lines = append(lines, "the process is ending")
	}
	states := a.Metrics.Keeper.States()
	a.mu.Lock()
	defer a.mu.Unlock()
	proofs := map[*responder.Issuer]proof{}
	for _, s := range states {
		note := func(what string, err error) {
			lines = append(lines, oneLine(fmt.Sprintf("%s: %s: %v", s.Issuer.Name, what, err)))
		}
		switch {
		case !s.Index.Believed && s.Index.Err != nil:
			note("index", s.Index.Err)
		case !s.Index.Believed:
			note("index", fmt.Errorf("%s was not read yet", s.Index.Path))
		}
		if err := s.Issuer.Able(a.now()); err != nil {
			note("signer", err)
		}
		proofs[s.Issuer] = a.prove(s.Issuer)
		if err := proofs[s.Issuer].err; err != nil {
			note("test signature", err)
		}
	}
	a.date(proofs)
	if len(states) == 0 {
		lines = append(lines, "no issuer is served")
	}
	return lines
}

// prove has the issuer's signers sign, unless they did just now.
func (a *Admin) prove(issuer *responder.Issuer) proof {
	now := a.now()
	if p, done := a.proofs[issuer]; done && now.Sub(p.at) < proven && !now.Before(p.at) {
		return p
	}
	return proof{err: issuer.Prove()}
}

// date keeps proofs, for those who ask next and have waited for them, perhaps for
// long where keys hang.
func (a *Admin) date(proofs map[*responder.Issuer]proof) {
	now := a.now()
	for issuer, p := range proofs {
		if p.at.IsZero() {
			proofs[issuer] = proof{now, p.err}
		}
	}
	a.proofs = proofs
}

// oneLine joins lines, and keeps out what is no text.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(strings.ReplaceAll(s, "\n", "; "), "\uFFFD"))
}
