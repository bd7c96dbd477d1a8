package wire

import (
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// Marshal returns the OCSPRequest in DER. Of each CertID it writes Raw. With
// signer nil the request is unsigned; otherwise signer is called with
// tbsRequest, and Certificates go with the signature (a signed request needs a
// RequestorName, RFC 6960 §4.1.2). Signed, TBS and Signature are not read.
func (r *Request) Marshal(signer Signer) ([]byte, error) {
	if err := r.check(signer != nil); err != nil {
		return nil, err
	}
	tbs, err := r.tbs()
	if err != nil {
		return nil, err
	}
	var algorithm, signature []byte
	if signer != nil {
		if algorithm, signature, err = signer.sign(tbs); err != nil {
			return nil, err
		}
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(tbs)
		if signer == nil {
			return
		}
		b.AddASN1(explicit(0), func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddBytes(algorithm)
				b.AddASN1BitString(signature)
				addCertificates(b, r.Certificates)
			})
		})
	})
	return b.Bytes()
}

// check tells what would not make a request that ParseRequest takes.
func (r *Request) check(signed bool) error {
	if len(r.CertIDs) < 1 || len(r.CertIDs) > MaxRequests {
		return fmt.Errorf("a request has 1 to %d CertIDs, not %d", MaxRequests, len(r.CertIDs))
	}
	for i := range r.CertIDs {
		if !isSequence(r.CertIDs[i].Raw) {
			return fmt.Errorf("CertID %d is not DER", i+1)
		}
	}
	if signed && r.RequestorName == nil {
		return errors.New("a signed request needs a requestorName")
	}
	if r.Nonce == nil {
		return nil
	}
	return checkNonce(r.Nonce)
}

// tbs returns tbsRequest.
func (r *Request) tbs() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		if r.RequestorName != nil {
			b.AddASN1(explicit(1), func(b *cryptobyte.Builder) { b.AddBytes(r.RequestorName) })
		}
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for i := range r.CertIDs {
				b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(r.CertIDs[i].Raw) })
			}
		})
		if r.Nonce == nil && len(r.Preferred) == 0 {
			return
		}
		b.AddASN1(explicit(2), func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, r.addExtensions)
		})
	})
	return b.Bytes()
}

// addExtensions writes the content of requestExtensions.
func (r *Request) addExtensions(b *cryptobyte.Builder) {
	if r.Nonce != nil {
		addExtension(b, oidNonce, r.Nonce)
	}
	if len(r.Preferred) == 0 {
		return
	}
	var value cryptobyte.Builder
	value.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, algorithm := range r.Preferred {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(algorithm) })
		}
	})
	der, err := value.Bytes()
	if err != nil {
		b.SetError(err)
		return
	}
	addExtension(b, oidPreferred, der)
}

// addCertificates writes certs, which hold one or more DER certificates, or
// nothing where there are none: an empty SEQUENCE is refused by clients.
func addCertificates(b *cryptobyte.Builder, certificates ...[]byte) {
	size := 0
	for _, der := range certificates {
		size += len(der)
	}
	if size == 0 {
		return
	}
	b.AddASN1(explicit(0), func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, der := range certificates {
				b.AddBytes(der)
			}
		})
	})
}
