// Package metrics counts what was answered.
package metrics

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/index"
	"ocspcgi/lib/ocsphttp"
	"ocspcgi/lib/reload"
	"ocspcgi/lib/responder"
)

// Metrics counts for one process. The exported fields are set before anything is
// counted or shown; all methods are safe for concurrent use. Counting does not
// wait and, but for the first time of each kind, does not allocate.
type Metrics struct {
	Version string
	Keeper  *reload.Keeper   // whose state is shown; it is open then
	Now     func() time.Time // the clock; nil means time.Now
	Started time.Time        // when counting began

	requests vector[request]
	refused  vector[string] // by reason
	reads    vector[read]
	took     histogram
	faults   atomic.Uint64
	history  history
}

// New returns Metrics that begin to count now.
func New(version string, keeper *reload.Keeper) *Metrics {
	m := &Metrics{Version: version, Keeper: keeper}
	m.Started = m.now()
	return m
}

// request is what requests are counted by.
type request struct {
	transport string
	code      int    // of HTTP
	issuer    string // empty: none was told
	status    string
	how       how
}

// how says where an answer came from.
type how byte

const (
	neither how = iota
	kept        // it was signed before
	made        // it was signed, and may be given again
)

// read is what readings of files are counted by.
type read struct {
	where string // path of an index, or where an issuer is configured
	what  string // index or issuer
	used  bool
}

// Request counts a request that was answered.
func (m *Metrics) Request(rec *ocsphttp.Record) {
	r := request{transport: rec.Request.Transport, code: rec.Status, status: page}
	m.took.observe(rec.Took())
	if answer := rec.Answer; answer != nil {
		r.issuer, r.status = said(answer)
		switch {
		case answer.Cached:
			r.how = kept
		case answer.Keepable():
			r.how = made
		}
		if answer.Status != ocsp.Success {
			m.refused.add(reason(answer))
		}
	} else if rec.Status >= 400 {
		m.refused.add(refusal(rec.Status))
	}
	m.requests.add(r)
}

// Fault counts what went wrong with a connection, and a panic.
func (m *Metrics) Fault(error) { m.faults.Add(1) }

// Reload counts a reading of files.
func (m *Metrics) Reload(e reload.Event) {
	switch {
	case e.Reminder != "":
	case e.Index != nil:
		m.reads.add(read{e.Where, "index", e.Index.Believed})
	default:
		m.reads.add(read{e.Where, "issuer", e.Err == nil})
	}
}

// The statuses that are told beside those of OCSP.
const (
	page  = "page"  // the page, or nothing but an HTTP status
	mixed = "mixed" // several certificates that are not of one status
)

// said is the issuer and the status that requests are counted by.
func said(answer *responder.Answer) (issuer, status string) {
	if len(answer.Certs) > 0 {
		issuer = answer.Certs[0].Issuer
	}
	if answer.Status != ocsp.Success {
		return issuer, statusName(answer.Status)
	}
	for i := range answer.Certs {
		if s := answer.Certs[i].Status; i == 0 {
			status = s
		} else if s != status {
			return issuer, mixed
		}
	}
	return issuer, status
}

// statusName is an OCSPResponseStatus (RFC 6960 §4.2.1).
func statusName(s ocsp.ResponseStatus) string {
	switch s {
	case ocsp.Malformed:
		return "malformedRequest"
	case ocsp.TryLater:
		return "tryLater"
	case ocsp.SignatureRequired:
		return "sigRequired"
	case ocsp.Unauthorized:
		return "unauthorized"
	}
	return "internalError"
}

// reason classes why an answer is none.
func reason(answer *responder.Answer) string {
	var doubt *index.DoubtError
	switch {
	case answer.Status == ocsp.Malformed:
		return "malformed"
	case answer.Status == ocsp.SignatureRequired:
		return "unsigned"
	case answer.Status == ocsp.Unauthorized:
		return "not_served"
	case answer.Status != ocsp.TryLater:
		return "fault"
	case errors.As(answer.Err, &doubt):
		return "index"
	case errors.Is(answer.Err, responder.ErrOverloaded):
		return "overload"
	case errors.Is(answer.Err, context.Canceled), errors.Is(answer.Err, context.DeadlineExceeded):
		return "stopping"
	}
	return "signer"
}

// refusal classes an HTTP status.
func refusal(code int) string {
	switch code {
	case 405:
		return "method"
	case 413:
		return "size"
	case 415:
		return "type"
	}
	return "http"
}

func (m *Metrics) now() time.Time {
	if m.Now != nil {
		return m.Now()
	}
	return time.Now()
}
