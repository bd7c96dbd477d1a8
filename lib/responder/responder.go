// Package responder answers an OCSP request: DER in, DER out (RFC 6960).
package responder

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ocsp"
	"golang.org/x/sync/singleflight"

	"ocspcgi/lib/index"
	"ocspcgi/lib/signer"
	"ocspcgi/lib/store"
	"ocspcgi/lib/wire"
)

// Unassigned says how a serial number is answered that the index of a served
// issuer does not have (RFC 6960 §2.2).
type Unassigned int

const (
	SignedUnknown Unassigned = iota // signed, unknown
	Unauthorized                    // unsigned, unauthorized (RFC 9919 §3.2.3)
	Revoked                         // signed, revoked since 1970 on hold, with extended-revoke (RFC 6960 §4.4.8)
)

// Responder answers for the issuers it was told to Serve. The exported fields
// are set before the first Respond; all methods are safe for concurrent use.
type Responder struct {
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Backdate is how far thisUpdate lies before producedAt, for clients
	// whose clocks are behind.
	Backdate time.Duration
	// IgnoreNonces answers as if no request had a nonce, so that every
	// answer may come from the cache.
	IgnoreNonces bool
	// Unassigned is the answer for a serial number that is not in the index.
	Unassigned Unassigned
	// Archive is how long certificates are answered for after they have
	// expired, which their answers then tell (RFC 6960 §4.4.4); 0 tells nothing.
	Archive time.Duration
	// Requestors are those whose requests alone are answered; nil: everybody's,
	// and signatures are not looked at.
	Requestors *Requestors
	// CacheBytes bounds the signed answers kept in memory; 0 keeps none.
	CacheBytes int64
	// Fields makes of an answer that is to be kept what a transport writes with it
	// each time; nil: nothing is made.
	Fields func(*Answer) []byte
	// Shared is given signed answers that other processes may Recall; nil: they
	// are not shared.
	Shared Shared
	// LogKey is told once when a key that is kept elsewhere cannot be asked any
	// more, with the reason, and with nil when it can again; nil: nobody is.
	LogKey func(path string, err error)
	// LogShared is told what went wrong with Shared; nil: nobody is.
	LogShared func(error)

	served     atomic.Pointer[served]
	renewals   atomic.Int64 // under way
	background sync.WaitGroup
	turns      turns // of the keys that are in this process

	signed, unsigned atomic.Uint64 // signatures that were made, and that failed
}

// served is what one generation of issuers answers from: a new one begins
// with an empty cache, for its signers may differ.
type served struct {
	issuers []*Issuer
	cache   store.Memory[kept]
	signing singleflight.Group // of answers that will be kept, by request
}

// row is one certificate asked about, and what the index says of it.
type row struct {
	id     *wire.CertID
	serial []byte
	issuer *Issuer
	entry  index.Entry
	found  bool
	said   string // for the log: good, revoked, unknown, or nothing yet
}

// Serve makes issuers the ones answered for, in place of those before.
// Requests under way are answered from the ones they began with.
func (r *Responder) Serve(issuers ...*Issuer) {
	next := &served{issuers: issuers}
	next.cache.MaxBytes = r.CacheBytes
	r.turns.limit(runtime.GOMAXPROCS(0))
	r.served.Store(next)
}

// Issuers returns the issuers answered for: read-only.
func (r *Responder) Issuers() []*Issuer {
	if s := r.served.Load(); s != nil {
		return s.issuers
	}
	return nil
}

// Signatures returns how many answers were signed, and how many could not be.
func (r *Responder) Signatures() (made, failed uint64) { return r.signed.Load(), r.unsigned.Load() }

// Kept returns how many bytes the answers have that are kept in memory.
func (r *Responder) Kept() int64 {
	if s := r.served.Load(); s != nil {
		return s.cache.Bytes()
	}
	return 0
}

// Respond answers one OCSPRequest in DER. There is no error to return: what
// went wrong is an unsuccessful status, with the reason in Answer.Err.
func (r *Responder) Respond(ctx context.Context, der []byte) *Answer {
	s := r.served.Load()
	if s == nil {
		return Fault(errors.New("no issuer is served"))
	}
	now := r.now()
	if len(der) > questionSize {
		if k := s.cache.Get(der); k != nil && k.stillTrue(now) {
			return r.give(s, der, k, now)
		}
	}
	return r.respond(ctx, s, der, now)
}

func (r *Responder) now() time.Time {
	if r.Now != nil {
		return r.Now()
	}
	return time.Now()
}

// respond answers a request that no kept answer fits.
func (r *Responder) respond(ctx context.Context, s *served, der []byte, now time.Time) *Answer {
	if err := ctx.Err(); err != nil {
		return refusal(ocsp.TryLater, err, nil)
	}
	req, err := wire.ParseRequest(der)
	if err != nil {
		return refusal(ocsp.Malformed, err, nil)
	}
	if r.Requestors != nil {
		if status, err := r.Requestors.check(req, now); err != nil {
			return refusal(status, err, nil)
		}
	}
	rows, status, err := r.lookUp(s, req)
	if err != nil {
		return refusal(status, err, describe(rows))
	}
	id, status, err := identityFor(rows, req, now)
	if err != nil {
		return refusal(status, err, describe(rows))
	}
	switch {
	case r.own(req):
		return r.sign(req, rows, id, now)
	case r.CacheBytes > 0:
		key := der
		if req.Nonce != nil { // it makes each request another one
			key = question(rows, id)
		}
		return r.give(s, der, r.signOnce(s, key, req, rows, id, now), now)
	}
	answer := r.sign(req, rows, id, now)
	if r.shareable(req) {
		r.share(s, answer, rows, now)
	}
	return answer
}

// lookUp finds the issuer and the row of each certificate asked about. It
// returns the rows as far as it came, and with an error the status to answer.
func (r *Responder) lookUp(s *served, req *wire.Request) ([]row, ocsp.ResponseStatus, error) {
	rows := make([]row, 0, len(req.CertIDs))
	for i := range req.CertIDs {
		id := &req.CertIDs[i]
		rows = append(rows, row{id: id, serial: id.Serial})
		row := &rows[i]
		if row.issuer = s.issuerOf(id); row.issuer == nil {
			return rows, ocsp.Unauthorized, errors.New("the request names an issuer that is not served")
		}
		var err error
		row.entry, err = row.issuer.Index.Lookup(id.Serial)
		switch {
		case err == nil:
			row.found, row.said = true, said(row.entry, true)
		case !errors.Is(err, index.ErrNotFound):
			return rows, ocsp.TryLater, fmt.Errorf("serial %s of %s: %w", serialHex(id.Serial), row.issuer.Name, err)
		case r.Unassigned == Unauthorized:
			return rows, ocsp.Unauthorized, fmt.Errorf("serial %s of %s: %w", serialHex(id.Serial), row.issuer.Name, err)
		default:
			row.said = said(row.entry, false)
		}
	}
	return rows, ocsp.Success, nil
}

// said is what an answer says of a row, for the log.
func said(entry index.Entry, found bool) string {
	switch {
	case !found:
		return "unknown"
	case entry.Status == index.Revoked:
		return "revoked"
	}
	return "good"
}

// number is the place of an issuer among those served.
func (s *served) number(issuer *Issuer) int { return slices.Index(s.issuers, issuer) }

// issuerOf returns the served issuer that id names, or nil.
func (s *served) issuerOf(id *wire.CertID) *Issuer {
	for _, issuer := range s.issuers {
		if issuer.hashes.Matches(id) {
			return issuer
		}
	}
	return nil
}

// signNow makes the answer that rows lead to, signed; whose turn it is, is for sign.
func (r *Responder) signNow(req *wire.Request, rows []row, id *identity, now time.Time) *Answer {
	resp := r.response(req, rows, id, now.Truncate(time.Second).UTC())
	out, err := resp.Marshal(id.signer.Sign)
	r.keyIsAway(id, err)
	if err != nil {
		r.unsigned.Add(1)
	}
	switch {
	case errors.Is(err, signer.ErrAway):
		return id.gone(rows)
	case err != nil:
		return refusal(ocsp.InternalError, fmt.Errorf("%s: signing: %w", id.signer.Path, err), describe(rows))
	}
	r.signed.Add(1)
	answer := &Answer{DER: out, Status: ocsp.Success, Certs: describe(rows)}
	if resp.Nonce == nil {
		setTimes(answer, rows, resp.Singles, resp.ProducedAt)
	}
	return answer
}

// keyIsAway tells of a key that is away since now, or back.
func (r *Responder) keyIsAway(id *identity, err error) {
	away := errors.Is(err, signer.ErrAway)
	if id.away.Load() != away && id.away.CompareAndSwap(!away, away) && r.LogKey != nil {
		if !away {
			err = nil
		}
		r.LogKey(id.signer.KeyPath, err)
	}
}

// response is what rows lead to, not yet signed.
func (r *Responder) response(req *wire.Request, rows []row, id *identity, produced time.Time) *wire.Response {
	resp := &wire.Response{
		KeyHash:      id.keyHash,
		ByName:       id.byName,
		ProducedAt:   produced,
		Singles:      make([]wire.Single, len(rows)),
		Certificates: id.certificates,
	}
	for i := range rows {
		resp.Singles[i] = r.single(&rows[i], id, produced)
		resp.ExtendedRevoke = resp.ExtendedRevoke || !rows[i].found && r.Unassigned == Revoked
	}
	if !r.IgnoreNonces {
		resp.Nonce = req.Nonce
	}
	return resp
}

// describe says for the log what was asked and what the index said.
func describe(rows []row) []Cert {
	certs := make([]Cert, len(rows))
	for i, row := range rows {
		certs[i] = Cert{Serial: serialHex(row.serial), Status: row.said}
		if row.issuer != nil {
			certs[i].Issuer = row.issuer.Name
		}
		if row.said == "revoked" {
			certs[i].Reason = wire.ReasonName(int(row.entry.Reason))
		}
	}
	return certs
}
