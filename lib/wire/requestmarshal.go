package wire

import (
	"errors"
	"fmt"

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
	tbs := r.tbs()
	w := make(writer, 0, len(tbs)+len(r.Certificates)+1024)
	request := w.begin(asn1.SEQUENCE)
	w.raw(tbs)
	if signer != nil {
		algorithm, signature, err := signer.sign(tbs)
		if err != nil {
			return nil, err
		}
		outer := w.begin(explicit(0))
		inner := w.begin(asn1.SEQUENCE)
		w.raw(algorithm)
		w.bits(signature)
		w.certificates(r.Certificates)
		w.end(inner)
		w.end(outer)
	}
	w.end(request)
	return w, nil
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
func (r *Request) tbs() []byte {
	var w writer
	tbs := w.begin(asn1.SEQUENCE)
	if r.RequestorName != nil {
		w.element(explicit(1), r.RequestorName)
	}
	list := w.begin(asn1.SEQUENCE)
	for i := range r.CertIDs {
		w.element(asn1.SEQUENCE, r.CertIDs[i].Raw)
	}
	w.end(list)
	if r.Nonce != nil || len(r.Preferred) > 0 {
		outer := w.begin(explicit(2))
		inner := w.begin(asn1.SEQUENCE)
		r.writeExtensions(&w)
		w.end(inner)
		w.end(outer)
	}
	w.end(tbs)
	return w
}

// writeExtensions writes the content of requestExtensions.
func (r *Request) writeExtensions(w *writer) {
	if r.Nonce != nil {
		w.extension(oidNonce, r.Nonce)
	}
	if len(r.Preferred) == 0 {
		return
	}
	var value writer
	list := value.begin(asn1.SEQUENCE)
	for _, algorithm := range r.Preferred {
		value.element(asn1.SEQUENCE, algorithm)
	}
	value.end(list)
	w.extension(oidPreferred, value)
}
