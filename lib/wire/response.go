package wire

import (
	encoding_asn1 "encoding/asn1"
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/ocsp"
)

// CertStatus is what a response says of a certificate (RFC 6960 §2.2). The
// zero CertStatus says nothing and is never written.
type CertStatus int

const (
	Good CertStatus = iota + 1
	Revoked
	Unknown
)

// String returns the status in the words of RFC 6960.
func (s CertStatus) String() string {
	switch s {
	case Good:
		return "good"
	case Revoked:
		return "revoked"
	case Unknown:
		return "unknown"
	}
	return fmt.Sprintf("CertStatus(%d)", int(s))
}

// Single is one SingleResponse (RFC 6960 §4.2.1). Times are written in whole
// seconds of UTC.
type Single struct {
	CertID []byte // DER, which repeats that of the request to the byte
	Status CertStatus

	RevokedAt time.Time // of a revoked one alone, and needed there
	Reason    int       // CRLReason (RFC 5280 §5.3.1) of a revoked one; -1: none

	ThisUpdate    time.Time
	NextUpdate    time.Time // zero: left out
	ArchiveCutoff time.Time // zero: left out

	// CRL entry extensions (RFC 6960 §4.4.5) that openssl ocsp sends too.
	InvalidityDate  time.Time                      // zero: left out
	HoldInstruction encoding_asn1.ObjectIdentifier // empty: left out
}

// Response is what a BasicOCSPResponse says (RFC 6960 §4.2.1).
type Response struct {
	ByName  []byte   // the signer's subject, DER; nil: byKey
	KeyHash [20]byte // KeyHash of the signer's key, written where ByName is nil

	ProducedAt     time.Time
	Singles        []Single // one for each CertID of the request, in its order
	Nonce          []byte   // Request.Nonce, to be echoed; empty: none
	ExtendedRevoke bool     // the extension that goes with revoked for a serial never issued (RFC 6960 §4.4.8)
	Certificates   [][]byte // DER, the signer's first; empty: none
}

// Marshal returns the successful OCSPResponse in DER. signer is called once,
// with the DER of tbsResponseData, unless something is missing or not DER. The
// reasons 1 to 6, 9 and 10 are written; every other one is left out, and the
// certificate is revoked all the same. Extensions are never critical.
func (r *Response) Marshal(signer Signer) ([]byte, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	tbs := r.tbs()
	algorithm, signature, err := signer.sign(tbs)
	if err != nil {
		return nil, err
	}
	size := len(tbs) + len(algorithm) + len(signature) + 64
	for _, der := range r.Certificates {
		size += len(der)
	}
	w := make(writer, 0, size)
	response := w.begin(asn1.SEQUENCE)
	w.enumerated(byte(ocsp.Success))
	outer := w.begin(explicit(0))
	responseBytes := w.begin(asn1.SEQUENCE)
	w.oid(oidBasic)
	octets := w.begin(asn1.OCTET_STRING)
	basic := w.begin(asn1.SEQUENCE)
	w.raw(tbs)
	w.raw(algorithm)
	w.bits(signature)
	w.certificates(r.Certificates...)
	for _, start := range [...]int{basic, octets, responseBytes, outer, response} {
		w.end(start)
	}
	return w, nil
}

// check tells what must not be signed.
func (r *Response) check() error {
	switch {
	case r.ByName == nil && r.KeyHash == [20]byte{}:
		return errors.New("the response names no responder")
	case r.ByName != nil && !isSequence(r.ByName):
		return errors.New("the responder's name is not a DER Name")
	case !isTime(r.ProducedAt):
		return errors.New("producedAt is not a time of the years 0 to 9999")
	case len(r.Singles) == 0:
		return errors.New("the response has no single response")
	}
	for i := range r.Singles {
		if err := r.Singles[i].check(); err != nil {
			return fmt.Errorf("single response %d: %w", i+1, err)
		}
	}
	for i, der := range r.Certificates {
		if !isSequence(der) {
			return fmt.Errorf("certificate %d is not DER", i+1)
		}
	}
	return nil
}

func (s *Single) check() error {
	switch {
	case !isSequence(s.CertID):
		return errors.New("the CertID is not DER")
	case s.Status != Good && s.Status != Revoked && s.Status != Unknown:
		return errors.New("no status")
	case s.Status == Revoked && !isTime(s.RevokedAt):
		return errors.New("revoked at no time of the years 0 to 9999")
	case !isTime(s.ThisUpdate):
		return errors.New("thisUpdate is not a time of the years 0 to 9999")
	case !s.NextUpdate.IsZero() && !isTime(s.NextUpdate):
		return errors.New("nextUpdate is not a time of the years 0 to 9999")
	case !s.ArchiveCutoff.IsZero() && !isTime(s.ArchiveCutoff):
		return errors.New("archiveCutoff is not a time of the years 0 to 9999")
	case !s.InvalidityDate.IsZero() && !isTime(s.InvalidityDate):
		return errors.New("invalidityDate is not a time of the years 0 to 9999")
	case len(s.HoldInstruction) > 0 && oidDER(s.HoldInstruction) == nil:
		return errors.New("the hold instruction is not an OID")
	}
	return nil
}

// tbs returns tbsResponseData. Its version is v1, which DER leaves out.
func (r *Response) tbs() []byte {
	w := make(writer, 0, 128+len(r.ByName)+len(r.Nonce)+256*len(r.Singles))
	tbs := w.begin(asn1.SEQUENCE)
	if r.ByName != nil {
		w.element(explicit(1), r.ByName)
	} else {
		byKey := w.begin(explicit(2))
		w.element(asn1.OCTET_STRING, r.KeyHash[:])
		w.end(byKey)
	}
	w.time(r.ProducedAt)
	responses := w.begin(asn1.SEQUENCE)
	for i := range r.Singles {
		r.Singles[i].write(&w)
	}
	w.end(responses)
	r.writeExtensions(&w)
	w.end(tbs)
	return w
}

// writeExtensions writes responseExtensions where there are any.
func (r *Response) writeExtensions(w *writer) {
	if len(r.Nonce) == 0 && !r.ExtendedRevoke {
		return
	}
	outer := w.begin(explicit(1))
	inner := w.begin(asn1.SEQUENCE)
	if len(r.Nonce) > 0 {
		w.extension(oidNonce, r.Nonce)
	}
	if r.ExtendedRevoke {
		w.extension(oidExtendedRevoke, []byte{0x05, 0x00})
	}
	w.end(inner)
	w.end(outer)
}

// The choices of CertStatus. NULL and RevokedInfo are tagged IMPLICIT.
const (
	tagGood    = asn1.Tag(0x80)
	tagRevoked = asn1.Tag(0xa1)
	tagUnknown = asn1.Tag(0x82)
)

// write writes the SingleResponse.
func (s *Single) write(w *writer) {
	single := w.begin(asn1.SEQUENCE)
	w.raw(s.CertID)
	switch s.Status {
	case Good:
		w.element(tagGood, nil)
	case Revoked:
		s.writeRevoked(w)
	case Unknown:
		w.element(tagUnknown, nil)
	}
	w.time(s.ThisUpdate)
	if !s.NextUpdate.IsZero() {
		next := w.begin(explicit(0))
		w.time(s.NextUpdate)
		w.end(next)
	}
	s.writeExtensions(w)
	w.end(single)
}

// writeExtensions writes singleExtensions, if there are any.
func (s *Single) writeExtensions(w *writer) {
	before := len(*w)
	outer := w.begin(explicit(1))
	inner := w.begin(asn1.SEQUENCE)
	if !s.ArchiveCutoff.IsZero() {
		w.extension(oidArchiveCutoff, timeDER(s.ArchiveCutoff))
	}
	if !s.InvalidityDate.IsZero() {
		w.extension(oidInvalidityDate, timeDER(s.InvalidityDate))
	}
	if len(s.HoldInstruction) > 0 {
		w.extension(oidHoldInstruction, oidDER(s.HoldInstruction))
	}
	if len(*w) == inner {
		*w = (*w)[:before]
		return
	}
	w.end(inner)
	w.end(outer)
}

// writeRevoked writes RevokedInfo. Of the reasons, unspecified (0) is better
// left out (RFC 5280 §5.3.1), 7 does not exist, and removeFromCRL (8) is for
// delta CRLs: in an answer it could be read as not revoked.
func (s *Single) writeRevoked(w *writer) {
	info := w.begin(tagRevoked)
	w.time(s.RevokedAt)
	switch s.Reason {
	case 1, 2, 3, 4, 5, 6, 9, 10:
		reason := w.begin(explicit(0))
		w.enumerated(byte(s.Reason))
		w.end(reason)
	}
	w.end(info)
}
