package wire

import (
	"bytes"
	encoding_asn1 "encoding/asn1"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// Content octets of OIDs under id-pkix-ocsp, 1.3.6.1.5.5.7.48.1 (RFC 6960
// appendix B.1).
const (
	oidOCSP           = "\x2b\x06\x01\x05\x05\x07\x30\x01"
	oidBasic          = oidOCSP + "\x01"
	oidNonce          = oidOCSP + "\x02"
	oidAcceptable     = oidOCSP + "\x04"
	oidArchiveCutoff  = oidOCSP + "\x06"
	oidServiceLocator = oidOCSP + "\x07"
	oidPreferred      = oidOCSP + "\x08"
	oidExtendedRevoke = oidOCSP + "\x09"
)

// Content octets of OIDs of CRL entry extensions (RFC 5280 §5.3).
const (
	oidHoldInstruction = "\x55\x1d\x17"
	oidInvalidityDate  = "\x55\x1d\x18"
)

// maxExtensions bounds one list of extensions, and so the search for OIDs that
// occur twice. Clients send four at the most.
const maxExtensions = 32

// readExtensions reads the content of [n] EXPLICIT Extensions (RFC 5280 §4.1)
// and hands each extnID with its extnValue to understand. A critical one that
// is not understood is an error (RFC 6960 §4.4), and so are an OID that occurs
// twice and an empty list.
func readExtensions(content cryptobyte.String, understand func(oid, value []byte) (bool, error)) error {
	var list cryptobyte.String
	if !content.ReadASN1(&list, asn1.SEQUENCE) || !content.Empty() {
		return errors.New("extensions are not one SEQUENCE")
	}
	if list.Empty() {
		return errors.New("extensions are empty")
	}
	var seen [maxExtensions][]byte
	for n := 0; !list.Empty(); n++ {
		if n == maxExtensions {
			return fmt.Errorf("more than %d extensions", maxExtensions)
		}
		var oid, value []byte
		var critical bool
		if err := readExtension(&list, &oid, &critical, &value); err != nil {
			return err
		}
		for _, earlier := range seen[:n] {
			if bytes.Equal(earlier, oid) {
				return fmt.Errorf("extension %s occurs twice", oidText(oid))
			}
		}
		seen[n] = oid
		understood, err := understand(oid, value)
		if err != nil {
			return err
		}
		if critical && !understood {
			return fmt.Errorf("extension %s is critical and not known", oidText(oid))
		}
	}
	return nil
}

// readExtension reads one Extension from the front of list. A FALSE that is
// written out, which DER forbids, is tolerated.
func readExtension(list *cryptobyte.String, oid *[]byte, critical *bool, value *[]byte) error {
	var content cryptobyte.String
	if !list.ReadASN1(&content, asn1.SEQUENCE) {
		return errors.New("extension is not a SEQUENCE")
	}
	if !content.ReadASN1Bytes(oid, asn1.OBJECT_IDENTIFIER) || !isOID(*oid) {
		return errors.New("extnID is not an OBJECT IDENTIFIER")
	}
	if content.PeekASN1Tag(asn1.BOOLEAN) && !content.ReadASN1Boolean(critical) {
		return fmt.Errorf("critical of extension %s is not a DER BOOLEAN", oidText(*oid))
	}
	if !content.ReadASN1Bytes(value, asn1.OCTET_STRING) {
		return fmt.Errorf("extnValue of extension %s is not an OCTET STRING", oidText(*oid))
	}
	if !content.Empty() {
		return fmt.Errorf("an element follows the extnValue of extension %s", oidText(*oid))
	}
	return nil
}

// checkNonce checks the extnValue of a nonce extension: an OCTET STRING of 1 to
// 128 octets (RFC 9654 §2.1), or that many octets without one, as clients of
// RFC 2560 sent them.
func checkNonce(value cryptobyte.String) error {
	octets := value
	if value.PeekASN1Tag(asn1.OCTET_STRING) && (!value.ReadASN1(&octets, asn1.OCTET_STRING) || !value.Empty()) {
		return errors.New("extnValue of the nonce is not one OCTET STRING")
	}
	if len(octets) < 1 || len(octets) > 128 {
		return fmt.Errorf("the nonce has %d octets, not 1 to 128", len(octets))
	}
	return nil
}

// NonceValue wraps the octets of a nonce, 1 to 128, as Request.Nonce holds them.
func NonceValue(octets []byte) ([]byte, error) {
	var w writer
	w.element(asn1.OCTET_STRING, octets)
	if err := checkNonce(cryptobyte.String(w)); err != nil {
		return nil, err
	}
	return w, nil
}

// oidText returns an OID as people write it, for errors.
func oidText(content []byte) string {
	var w writer
	w.element(asn1.OBJECT_IDENTIFIER, content)
	var oid encoding_asn1.ObjectIdentifier
	if s := cryptobyte.String(w); !s.ReadASN1ObjectIdentifier(&oid) {
		return fmt.Sprintf("%x", content)
	}
	return oid.String()
}
