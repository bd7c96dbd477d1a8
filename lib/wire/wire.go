// Package wire turns OCSP messages (RFC 6960) into DER or back.
//
// The readers take DER alone: BER, a byte too many or an element that does not
// belong there is an error. The slices that they return point into their input.
package wire

import (
	"errors"
	"fmt"

	"golang.org/x/crypto/ocsp"
)

// errorResponses holds the OCSPResponse without responseBytes for each
// OCSPResponseStatus (RFC 6960 §4.2.1). Successful (0) and 4, which is not
// used, are no errors: internalError stands in for them.
var errorResponses = [...][5]byte{
	{0x30, 0x03, 0x0a, 0x01, 2},
	{0x30, 0x03, 0x0a, 0x01, 1},
	{0x30, 0x03, 0x0a, 0x01, 2},
	{0x30, 0x03, 0x0a, 0x01, 3},
	{0x30, 0x03, 0x0a, 0x01, 2},
	{0x30, 0x03, 0x0a, 0x01, 5},
	{0x30, 0x03, 0x0a, 0x01, 6},
}

// ErrorResponse returns the OCSPResponse that says status and nothing else.
// What is not an error status becomes internalError. The bytes are shared by
// all callers: read them only.
func ErrorResponse(status ocsp.ResponseStatus) []byte {
	if status < 0 || int(status) >= len(errorResponses) {
		status = ocsp.InternalError
	}
	return errorResponses[status][:]
}

// StatusName names an OCSPResponseStatus in the words of RFC 6960 §4.2.1.
func StatusName(status ocsp.ResponseStatus) string {
	names := [...]string{"successful", "malformedRequest", "internalError", "tryLater", "", "sigRequired", "unauthorized"}
	if status < 0 || int(status) >= len(names) || names[status] == "" {
		return fmt.Sprintf("%d, which is no status", int(status))
	}
	return names[status]
}

// Signer signs tbs. It returns the DER of the signature's AlgorithmIdentifier
// with the octets of the signature.
type Signer func(tbs []byte) (algorithm, signature []byte, err error)

// sign returns what s answers, checked as far as its shape goes.
func (s Signer) sign(tbs []byte) (algorithm, signature []byte, err error) {
	algorithm, signature, err = s(tbs)
	switch {
	case err != nil:
		return nil, nil, err
	case !isSequence(algorithm):
		return nil, nil, errors.New("the signer's algorithm is not a DER AlgorithmIdentifier")
	case len(signature) == 0:
		return nil, nil, errors.New("the signer made an empty signature")
	}
	return algorithm, signature, nil
}
