package responder

import (
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/wire"
)

// Answer is what a request is answered with, and what the log says of it. It
// is shared between requests: read-only.
type Answer struct {
	DER    []byte              // one OCSPResponse; never empty
	Status ocsp.ResponseStatus // its responseStatus (RFC 6960 §4.2.1)

	// For an answer that may be kept (signed, without a nonce) these say how
	// long; they are zero for every other.
	ThisUpdate time.Time
	NextUpdate time.Time
	Renewal    time.Time // from then on the responder gives a newer answer
	ETag       string    // strong and quoted (RFC 9919 §7.2)

	Fields []byte // of a kept answer, what Responder.Fields has made of it

	Certs  []Cert // in request order, as far as the request was understood
	Err    error  // why the status is not successful; nil when it is
	Cached bool   // given before, to the byte
}

// Cert is what was said of one certificate.
type Cert struct {
	Issuer string // the name of the issuer, as the log has it
	Serial string // hexadecimal, as openssl writes it
	Status string // good, revoked or unknown; empty where it could not be told
	Reason string // of a revoked one, in openssl's words; empty where it has none
}

// Keepable reports whether a cache may keep the answer until its Renewal.
func (a *Answer) Keepable() bool { return !a.Renewal.IsZero() }

// Fault returns an internalError because of err: for settings that can never
// work, for a panic.
func Fault(err error) *Answer { return refusal(ocsp.InternalError, err, nil) }

// refusal returns the unsigned answer of an unsuccessful status.
func refusal(status ocsp.ResponseStatus, err error, certs []Cert) *Answer {
	return &Answer{DER: wire.ErrorResponse(status), Status: status, Err: err, Certs: certs}
}
