package wire

import (
	"bytes"
	"errors"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// ParseResponseData reads der, which must be one ResponseData (RFC 6960 §4.2.1)
// as Marshal has it signed, to the byte: with nothing in it that Response does
// not say. It keeps der.
func ParseResponseData(der []byte) (*Response, error) {
	var element cryptobyte.String
	input := cryptobyte.String(der)
	if !input.ReadASN1Element(&element, asn1.SEQUENCE) {
		return nil, errors.New("not a ResponseData: no complete DER SEQUENCE")
	}
	if !input.Empty() {
		return nil, errors.New("bytes after the ResponseData")
	}
	var r Response
	if err := r.readTBS(element); err != nil {
		return nil, err
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	if !bytes.Equal(r.tbs(), der) {
		return nil, errors.New("written in another way than ocspcgi writes it")
	}
	return &r, nil
}
