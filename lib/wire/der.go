package wire

import (
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// explicit is the tag of [n] EXPLICIT.
func explicit(n uint8) asn1.Tag {
	return asn1.Tag(n).ContextSpecific().Constructed()
}

// isSequence reports whether der is exactly one SEQUENCE.
func isSequence(der []byte) bool {
	s := cryptobyte.String(der)
	return s.SkipASN1(asn1.SEQUENCE) && s.Empty()
}

// isAlgorithm reports whether the content of a SEQUENCE is that of an
// AlgorithmIdentifier (RFC 5280 §4.1.1.2): an OID with parameters or without.
func isAlgorithm(content cryptobyte.String) bool {
	var oid, parameters cryptobyte.String
	return readAlgorithm(content, &oid, &parameters)
}

// readAlgorithm reads the content of an AlgorithmIdentifier. Absent parameters
// are empty, others come with tag and length.
func readAlgorithm(content cryptobyte.String, oid, parameters *cryptobyte.String) bool {
	if !content.ReadASN1(oid, asn1.OBJECT_IDENTIFIER) || !isOID(*oid) {
		return false
	}
	*parameters = content
	if content.Empty() {
		return true
	}
	var tag asn1.Tag
	return content.ReadAnyASN1Element(parameters, &tag) && content.Empty()
}

// isOID reports whether content is that of an OBJECT IDENTIFIER (X.690 §8.19):
// complete subidentifiers in the fewest octets.
func isOID(content []byte) bool {
	first := true
	for _, b := range content {
		if first && b == 0x80 {
			return false
		}
		first = b&0x80 == 0
	}
	return first && len(content) > 0
}

// isInteger reports whether content is that of an INTEGER in the fewest octets
// (X.690 §8.3.2).
func isInteger(content []byte) bool {
	if len(content) < 2 {
		return len(content) == 1
	}
	return !(content[0] == 0x00 && content[1] < 0x80) && !(content[0] == 0xff && content[1] >= 0x80)
}

// isVersion1 reports whether content, that of an EXPLICIT version, is v1
// written out. DER leaves a DEFAULT out, but Botan and old Apple code send it.
func isVersion1(content cryptobyte.String) bool {
	return string(content) == "\x02\x01\x00"
}

// readCertificates reads the content of [0] EXPLICIT SEQUENCE OF Certificate
// and hands each one's DER to each. What is inside them is not looked at.
func readCertificates(content cryptobyte.String, each func(der []byte)) bool {
	var list, certificate cryptobyte.String
	if !content.ReadASN1(&list, asn1.SEQUENCE) || !content.Empty() {
		return false
	}
	for !list.Empty() {
		if !list.ReadASN1Element(&certificate, asn1.SEQUENCE) {
			return false
		}
		each(certificate)
	}
	return true
}
