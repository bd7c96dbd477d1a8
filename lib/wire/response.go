package wire

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
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
	tbs, err := r.tbs()
	if err != nil {
		return nil, err
	}
	algorithm, signature, err := signer.sign(tbs)
	if err != nil {
		return nil, err
	}
	size := len(tbs) + len(algorithm) + len(signature) + 64
	for _, der := range r.Certificates {
		size += len(der)
	}
	b := cryptobyte.NewBuilder(make([]byte, 0, size))
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Enum(0)
		b.AddASN1(explicit(0), func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				addOID(b, oidBasic)
				b.AddASN1(asn1.OCTET_STRING, func(b *cryptobyte.Builder) {
					b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddBytes(tbs)
						b.AddBytes(algorithm)
						b.AddASN1BitString(signature)
						addCertificates(b, r.Certificates...)
					})
				})
			})
		})
	})
	return b.Bytes()
}

// check tells what must not be signed.
func (r *Response) check() error {
	switch {
	case r.ByName == nil && r.KeyHash == [20]byte{}:
		return errors.New("the response names no responder")
	case r.ByName != nil && !isSequence(r.ByName):
		return errors.New("the responder's name is not a DER Name")
	case r.ProducedAt.IsZero():
		return errors.New("the response has no producedAt")
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
	case s.Status == Revoked && s.RevokedAt.IsZero():
		return errors.New("revoked without a time")
	case s.ThisUpdate.IsZero():
		return errors.New("no thisUpdate")
	}
	return nil
}

// tbs returns tbsResponseData. Its version is v1, which DER leaves out.
func (r *Response) tbs() ([]byte, error) {
	b := cryptobyte.NewBuilder(make([]byte, 0, 128+len(r.ByName)+len(r.Nonce)+192*len(r.Singles)))
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		if r.ByName != nil {
			b.AddASN1(explicit(1), func(b *cryptobyte.Builder) { b.AddBytes(r.ByName) })
		} else {
			b.AddASN1(explicit(2), func(b *cryptobyte.Builder) { b.AddASN1OctetString(r.KeyHash[:]) })
		}
		addTime(b, r.ProducedAt)
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for i := range r.Singles {
				b.AddASN1(asn1.SEQUENCE, r.Singles[i].add)
			}
		})
		if len(r.Nonce) == 0 && !r.ExtendedRevoke {
			return
		}
		b.AddASN1(explicit(1), func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, r.addExtensions)
		})
	})
	return b.Bytes()
}

// addExtensions writes the content of responseExtensions.
func (r *Response) addExtensions(b *cryptobyte.Builder) {
	if len(r.Nonce) > 0 {
		addExtension(b, oidNonce, r.Nonce)
	}
	if r.ExtendedRevoke {
		addExtension(b, oidExtendedRevoke, []byte{0x05, 0x00})
	}
}

// add writes the content of the SingleResponse.
func (s *Single) add(b *cryptobyte.Builder) {
	b.AddBytes(s.CertID)
	switch s.Status {
	case Good:
		b.AddASN1(tagGood, func(*cryptobyte.Builder) {})
	case Revoked:
		b.AddASN1(tagRevoked, s.addRevoked)
	case Unknown:
		b.AddASN1(tagUnknown, func(*cryptobyte.Builder) {})
	}
	addTime(b, s.ThisUpdate)
	if !s.NextUpdate.IsZero() {
		b.AddASN1(explicit(0), func(b *cryptobyte.Builder) { addTime(b, s.NextUpdate) })
	}
	if s.ArchiveCutoff.IsZero() {
		return
	}
	var value cryptobyte.Builder
	addTime(&value, s.ArchiveCutoff)
	der, err := value.Bytes()
	if err != nil {
		b.SetError(err)
		return
	}
	b.AddASN1(explicit(1), func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { addExtension(b, oidArchiveCutoff, der) })
	})
}

// The choices of CertStatus. NULL and RevokedInfo are tagged IMPLICIT.
const (
	tagGood    = asn1.Tag(0x80)
	tagRevoked = asn1.Tag(0xa1)
	tagUnknown = asn1.Tag(0x82)
)

// addRevoked writes the content of RevokedInfo. Of the reasons, unspecified (0)
// is better left out (RFC 5280 §5.3.1), 7 does not exist, and removeFromCRL (8)
// is for delta CRLs: in an answer it could be read as not revoked.
func (s *Single) addRevoked(b *cryptobyte.Builder) {
	addTime(b, s.RevokedAt)
	switch s.Reason {
	case 1, 2, 3, 4, 5, 6, 9, 10:
		b.AddASN1(explicit(0), func(b *cryptobyte.Builder) { b.AddASN1Enum(int64(s.Reason)) })
	}
}

// addTime writes a GeneralizedTime, always YYYYMMDDHHMMSSZ (RFC 9919 §3.2.4).
func addTime(b *cryptobyte.Builder, t time.Time) {
	b.AddASN1GeneralizedTime(t.UTC())
}
