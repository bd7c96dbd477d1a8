package wire

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/ocsp"
)

// OCSPResponse is a response as it came. Its slices point into the bytes that
// it was read from. All but Status is zero unless Status is ocsp.Success.
type OCSPResponse struct {
	Status ocsp.ResponseStatus
	Response

	TBS                []byte // DER of tbsResponseData, which is what is signed
	SignatureAlgorithm []byte // AlgorithmIdentifier, DER
	Signature          []byte // octets of the BIT STRING
}

// ParseResponse reads der, which must be one OCSPResponse in DER, of any
// responder. It verifies no signature. An unknown extension is skipped unless
// it is critical, which is an error. A Single's Reason is as it came.
func ParseResponse(der []byte) (*OCSPResponse, error) {
	var response, responseBytes cryptobyte.String
	var status int
	var present bool
	input := cryptobyte.String(der)
	if !input.ReadASN1(&response, asn1.SEQUENCE) {
		return nil, errors.New("not an OCSPResponse: no complete DER SEQUENCE")
	}
	if !input.Empty() {
		return nil, fmt.Errorf("bytes after the OCSPResponse: %d", len(input))
	}
	if !response.ReadASN1Enum(&status) {
		return nil, errors.New("responseStatus is not an ENUMERATED")
	}
	if !response.ReadOptionalASN1(&responseBytes, &present, explicit(0)) || !response.Empty() {
		return nil, errors.New("an element that does not belong there follows responseStatus")
	}
	r := &OCSPResponse{Status: ocsp.ResponseStatus(status)}
	if present != (r.Status == ocsp.Success) {
		return nil, fmt.Errorf("responseStatus is %d, and responseBytes do not go with it", status)
	}
	if !present {
		return r, nil
	}
	if err := r.readBytes(responseBytes); err != nil {
		return nil, err
	}
	return r, nil
}

// readBytes reads the content of [0] EXPLICIT ResponseBytes.
func (r *OCSPResponse) readBytes(content cryptobyte.String) error {
	var responseBytes, oid, octets, basic cryptobyte.String
	if !content.ReadASN1(&responseBytes, asn1.SEQUENCE) || !content.Empty() ||
		!responseBytes.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) ||
		!responseBytes.ReadASN1(&octets, asn1.OCTET_STRING) || !responseBytes.Empty() {
		return errors.New("responseBytes are not an OID with an OCTET STRING")
	}
	if string(oid) != oidBasic {
		return fmt.Errorf("responseType %s is not id-pkix-ocsp-basic", oidText(oid))
	}
	if !octets.ReadASN1(&basic, asn1.SEQUENCE) || !octets.Empty() {
		return errors.New("BasicOCSPResponse is not one SEQUENCE")
	}
	return r.readBasic(basic)
}

// readBasic reads the content of BasicOCSPResponse.
func (r *OCSPResponse) readBasic(basic cryptobyte.String) error {
	var certificates cryptobyte.String
	var certified bool
	if !basic.ReadASN1Element((*cryptobyte.String)(&r.TBS), asn1.SEQUENCE) {
		return errors.New("tbsResponseData is not a SEQUENCE")
	}
	if err := readSigned(&basic, &r.SignatureAlgorithm, &r.Signature); err != nil {
		return err
	}
	if !basic.ReadOptionalASN1(&certificates, &certified, explicit(0)) || !basic.Empty() {
		return errors.New("an element that does not belong there follows the signature")
	}
	add := func(der []byte) { r.Certificates = append(r.Certificates, der) }
	if certified && !readCertificates(certificates, add) {
		return errors.New("certs are not a SEQUENCE of certificates")
	}
	return r.readTBS(r.TBS)
}

// readTBS reads tbsResponseData.
func (r *Response) readTBS(element cryptobyte.String) error {
	var tbs, version, list, extensions cryptobyte.String
	var versioned, extended bool
	element.ReadASN1(&tbs, asn1.SEQUENCE)
	if !tbs.ReadOptionalASN1(&version, &versioned, explicit(0)) || versioned && !isVersion1(version) {
		return errors.New("version is not v1")
	}
	if err := r.readResponder(&tbs); err != nil {
		return err
	}
	if !readTime(&tbs, &r.ProducedAt) {
		return errors.New("producedAt is not a DER GeneralizedTime in UTC")
	}
	if !tbs.ReadASN1(&list, asn1.SEQUENCE) {
		return errors.New("responses are not a SEQUENCE")
	}
	for !list.Empty() {
		var single Single
		if err := single.read(&list); err != nil {
			return fmt.Errorf("single response %d: %w", len(r.Singles)+1, err)
		}
		r.Singles = append(r.Singles, single)
	}
	if !tbs.ReadOptionalASN1(&extensions, &extended, explicit(1)) || !tbs.Empty() {
		return errors.New("an element that does not belong there follows the responses")
	}
	if extended {
		if err := readExtensions(extensions, r.understand); err != nil {
			return fmt.Errorf("responseExtensions: %w", err)
		}
	}
	return nil
}

// readResponder reads responderID from the front of tbs.
func (r *Response) readResponder(tbs *cryptobyte.String) error {
	var id, hash cryptobyte.String
	var tag asn1.Tag
	if !tbs.ReadAnyASN1(&id, &tag) {
		return errors.New("no responderID")
	}
	switch {
	case tag == explicit(1) && isSequence(id):
		r.ByName = id
		return nil
	case tag == explicit(2) && id.ReadASN1(&hash, asn1.OCTET_STRING) && id.Empty() && len(hash) == len(r.KeyHash):
		copy(r.KeyHash[:], hash)
		return nil
	}
	return errors.New("responderID is neither a name nor the SHA-1 of a key")
}

// understand takes one of responseExtensions.
func (r *Response) understand(oid, value []byte) (bool, error) {
	switch string(oid) {
	case oidNonce:
		r.Nonce = value
		return true, nil
	case oidExtendedRevoke:
		r.ExtendedRevoke = true
		return true, nil
	}
	return false, nil
}

// read reads a SingleResponse from the front of list.
func (s *Single) read(list *cryptobyte.String) error {
	var single, next, extensions cryptobyte.String
	var hasNext, extended bool
	if !list.ReadASN1(&single, asn1.SEQUENCE) {
		return errors.New("not a SEQUENCE")
	}
	var id CertID
	if err := id.read(&single); err != nil {
		return err
	}
	s.CertID = id.Raw
	if err := s.readStatus(&single); err != nil {
		return err
	}
	if !readTime(&single, &s.ThisUpdate) {
		return errors.New("thisUpdate is not a DER GeneralizedTime in UTC")
	}
	if !single.ReadOptionalASN1(&next, &hasNext, explicit(0)) ||
		hasNext && (!readTime(&next, &s.NextUpdate) || !next.Empty()) {
		return errors.New("nextUpdate is not a DER GeneralizedTime in UTC")
	}
	if !single.ReadOptionalASN1(&extensions, &extended, explicit(1)) || !single.Empty() {
		return errors.New("an element that does not belong there follows the times")
	}
	if extended {
		if err := readExtensions(extensions, s.understand); err != nil {
			return fmt.Errorf("singleExtensions: %w", err)
		}
	}
	return nil
}

// singleExtensions names those of a SingleResponse that are understood.
var singleExtensions = map[string]string{
	oidArchiveCutoff: "archiveCutoff", oidInvalidityDate: "invalidityDate", oidHoldInstruction: "holdInstructionCode",
}

// understand takes one of singleExtensions.
func (s *Single) understand(oid, value []byte) (bool, error) {
	content := cryptobyte.String(value)
	ok := true
	switch string(oid) {
	case oidArchiveCutoff:
		ok = readTime(&content, &s.ArchiveCutoff)
	case oidInvalidityDate:
		ok = readTime(&content, &s.InvalidityDate)
	case oidHoldInstruction:
		ok = content.ReadASN1ObjectIdentifier(&s.HoldInstruction)
	default:
		return false, nil
	}
	if !ok || !content.Empty() {
		return true, fmt.Errorf("%s is not of its type in DER", singleExtensions[string(oid)])
	}
	return true, nil
}

// readStatus reads certStatus from the front of single.
func (s *Single) readStatus(single *cryptobyte.String) error {
	var content cryptobyte.String
	var tag asn1.Tag
	s.Reason = -1
	if !single.ReadAnyASN1(&content, &tag) {
		return errors.New("no certStatus")
	}
	switch {
	case tag == tagGood && content.Empty():
		s.Status = Good
		return nil
	case tag == tagUnknown && content.Empty():
		s.Status = Unknown
		return nil
	case tag == tagRevoked && s.readRevoked(content):
		s.Status = Revoked
		return nil
	}
	return errors.New("certStatus is neither good nor revoked nor unknown")
}

// readRevoked reads the content of RevokedInfo.
func (s *Single) readRevoked(content cryptobyte.String) bool {
	var reason cryptobyte.String
	var given bool
	if !readTime(&content, &s.RevokedAt) ||
		!content.ReadOptionalASN1(&reason, &given, explicit(0)) || !content.Empty() {
		return false
	}
	return !given || reason.ReadASN1Enum(&s.Reason) && reason.Empty()
}

// readTime reads a GeneralizedTime, YYYYMMDDHHMMSSZ, from the front of s.
func readTime(s *cryptobyte.String, t *time.Time) bool {
	return s.ReadASN1GeneralizedTime(t) && t.Location() == time.UTC
}
