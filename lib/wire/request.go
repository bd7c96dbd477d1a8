package wire

import (
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// MaxRequests is how many CertIDs one request may have.
const MaxRequests = 100

// Request is an OCSPRequest (RFC 6960 §4.1.1). Its slices point into the bytes
// that it was read from.
type Request struct {
	CertIDs   []CertID // 1 to MaxRequests, in the order of the request
	Nonce     []byte   // extnValue content of the nonce, which is what is echoed; nil: none
	Preferred [][]byte // AlgorithmIdentifiers (DER) of preferredSignatureAlgorithms, the client's first choice first; empty: none, or no usable list

	RequestorName []byte // GeneralName, DER; nil: none. Nobody has checked that it is true

	Signed             bool   // the rest means something only when it is true; ParseRequest does not verify a signature
	TBS                []byte // DER of tbsRequest, which is what is signed
	SignatureAlgorithm []byte // AlgorithmIdentifier, DER
	Signature          []byte // octets of the BIT STRING
	Certificates       []byte // DER one after the other, as x509.ParseCertificates takes it; may be empty
}

// ParseRequest reads der, which must be one OCSPRequest in DER. Any error is a
// reason to answer malformedRequest.
func ParseRequest(der []byte) (*Request, error) {
	r := new(struct {
		Request
		first [1]CertID
	})
	r.CertIDs = r.first[:0]
	if err := r.Unmarshal(der); err != nil {
		return nil, err
	}
	return &r.Request, nil
}

// Unmarshal is ParseRequest into a Request that may have been used before: the
// room of its slices is used again. After an error r says nothing.
func (r *Request) Unmarshal(der []byte) error {
	*r = Request{CertIDs: r.CertIDs[:0], Preferred: r.Preferred[:0]}
	var request, signature cryptobyte.String
	input := cryptobyte.String(der)
	if !input.ReadASN1(&request, asn1.SEQUENCE) {
		return errors.New("not an OCSPRequest: no complete DER SEQUENCE")
	}
	if !input.Empty() {
		return fmt.Errorf("bytes after the OCSPRequest: %d", len(input))
	}
	if !request.ReadASN1Element((*cryptobyte.String)(&r.TBS), asn1.SEQUENCE) {
		return errors.New("tbsRequest is not a SEQUENCE")
	}
	if !request.ReadOptionalASN1(&signature, &r.Signed, explicit(0)) {
		return errors.New("optionalSignature is not complete")
	}
	if !request.Empty() {
		return errors.New("an element that does not belong there follows tbsRequest")
	}
	if err := r.readTBS(r.TBS); err != nil {
		return err
	}
	if !r.Signed {
		return nil
	}
	return r.readSignature(signature)
}

// readTBS reads tbsRequest.
func (r *Request) readTBS(element cryptobyte.String) error {
	var tbs, version, name, extensions cryptobyte.String
	var versioned, named, extended bool
	element.ReadASN1(&tbs, asn1.SEQUENCE)
	if !tbs.ReadOptionalASN1(&version, &versioned, explicit(0)) || versioned && !isVersion1(version) {
		return errors.New("version is not v1")
	}
	if !tbs.ReadOptionalASN1(&name, &named, explicit(1)) || named && !isOneElement(name) {
		return errors.New("requestorName is not one element")
	}
	if named {
		r.RequestorName = name
	}
	if err := r.readList(&tbs); err != nil {
		return err
	}
	if !tbs.ReadOptionalASN1(&extensions, &extended, explicit(2)) {
		return errors.New("requestExtensions are not complete")
	}
	if !tbs.Empty() {
		return errors.New("an element that does not belong there follows requestList")
	}
	if extended {
		if err := readExtensions(extensions, r.understand); err != nil {
			return fmt.Errorf("requestExtensions: %w", err)
		}
	}
	return nil
}

// isOneElement reports whether content is one element of whatever tag. Who asks
// is nobody's business here, so a GeneralName is not looked into.
func isOneElement(content cryptobyte.String) bool {
	var element cryptobyte.String
	var tag asn1.Tag
	return content.ReadAnyASN1(&element, &tag) && content.Empty()
}

// readList reads requestList from the front of tbs.
func (r *Request) readList(tbs *cryptobyte.String) error {
	var list cryptobyte.String
	if !tbs.ReadASN1(&list, asn1.SEQUENCE) {
		return errors.New("requestList is not a SEQUENCE")
	}
	if list.Empty() {
		return errors.New("requestList is empty")
	}
	for !list.Empty() {
		if len(r.CertIDs) == MaxRequests {
			return fmt.Errorf("more than %d requests", MaxRequests)
		}
		r.CertIDs = append(r.CertIDs, CertID{})
		if err := readRequest(&list, &r.CertIDs[len(r.CertIDs)-1]); err != nil {
			return fmt.Errorf("request %d: %w", len(r.CertIDs), err)
		}
	}
	return nil
}

// readRequest reads one Request from the front of list.
func readRequest(list *cryptobyte.String, id *CertID) error {
	var request, extensions cryptobyte.String
	var extended bool
	if !list.ReadASN1(&request, asn1.SEQUENCE) {
		return errors.New("not a SEQUENCE")
	}
	if err := id.read(&request); err != nil {
		return err
	}
	if !request.ReadOptionalASN1(&extensions, &extended, explicit(0)) {
		return errors.New("singleRequestExtensions are not complete")
	}
	if !request.Empty() {
		return errors.New("an element that does not belong there follows the CertID")
	}
	if extended {
		if err := readExtensions(extensions, understandSingle); err != nil {
			return fmt.Errorf("singleRequestExtensions: %w", err)
		}
	}
	return nil
}

// understand takes one of requestExtensions. acceptableResponses changes
// nothing, for there is no other type than basic.
func (r *Request) understand(oid, value []byte) (bool, error) {
	switch string(oid) {
	case oidNonce:
		r.Nonce = value
		return true, checkNonce(value)
	case oidPreferred:
		r.Preferred = appendPreferred(r.Preferred, value)
		return true, nil
	case oidAcceptable, oidServiceLocator:
		return true, nil
	}
	return false, nil
}

// understandSingle takes one of singleRequestExtensions. None changes the
// answer: a nonce counts in requestExtensions alone (RFC 9654 §2.1), and the
// URL of a serviceLocator is never followed.
func understandSingle(oid, _ []byte) (bool, error) {
	switch string(oid) {
	case oidNonce, oidServiceLocator, oidAcceptable, oidPreferred:
		return true, nil
	}
	return false, nil
}

// readSignature reads the content of optionalSignature, whose shape must be
// right, as far as that goes: any octets are a signature.
func (r *Request) readSignature(content cryptobyte.String) error {
	var signature, certificates cryptobyte.String
	var certified bool
	if !content.ReadASN1(&signature, asn1.SEQUENCE) || !content.Empty() {
		return errors.New("optionalSignature is not one SEQUENCE")
	}
	if err := readSigned(&signature, &r.SignatureAlgorithm, &r.Signature); err != nil {
		return fmt.Errorf("optionalSignature: %w", err)
	}
	if !signature.ReadOptionalASN1(&certificates, &certified, explicit(0)) || !signature.Empty() {
		return errors.New("optionalSignature: an element that does not belong there follows the signature")
	}
	if !certified {
		return nil
	}
	if !readCertificates(certificates, func([]byte) {}) {
		return errors.New("optionalSignature: certs are not a SEQUENCE of certificates")
	}
	certificates.ReadASN1((*cryptobyte.String)(&r.Certificates), asn1.SEQUENCE)
	return nil
}

// readSigned reads signatureAlgorithm with its signature from the front of s.
func readSigned(s *cryptobyte.String, algorithm, signature *[]byte) error {
	var content cryptobyte.String
	if !s.ReadASN1Element((*cryptobyte.String)(algorithm), asn1.SEQUENCE) {
		return errors.New("signatureAlgorithm is not a SEQUENCE")
	}
	element := cryptobyte.String(*algorithm)
	if !element.ReadASN1(&content, asn1.SEQUENCE) || !isAlgorithm(content) {
		return errors.New("signatureAlgorithm is not an AlgorithmIdentifier")
	}
	if !s.ReadASN1BitStringAsBytes(signature) {
		return errors.New("signature is not a BIT STRING of whole octets")
	}
	return nil
}
