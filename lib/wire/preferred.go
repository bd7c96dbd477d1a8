package wire

import (
	"bytes"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// appendPreferred appends the AlgorithmIdentifiers of preferredSignatureAlgorithms
// (RFC 6960 §4.4.7.1). A list that is not one appends nothing: it is a wish, and
// the default answers it. The key that goes with an algorithm is left out.
func appendPreferred(preferred [][]byte, value cryptobyte.String) [][]byte {
	var list, entry, algorithm, content cryptobyte.String
	if !value.ReadASN1(&list, asn1.SEQUENCE) || !value.Empty() {
		return preferred
	}
	none := preferred
	for !list.Empty() {
		if !list.ReadASN1(&entry, asn1.SEQUENCE) || !entry.ReadASN1Element(&algorithm, asn1.SEQUENCE) ||
			!entry.SkipOptionalASN1(asn1.SEQUENCE) || !entry.Empty() {
			return none
		}
		element := algorithm
		if !element.ReadASN1(&content, asn1.SEQUENCE) || !isAlgorithm(content) {
			return none
		}
		preferred = append(preferred, algorithm)
	}
	return preferred
}

// SameAlgorithm reports whether two AlgorithmIdentifiers (DER) mean the same:
// NULL parameters and none are one.
func SameAlgorithm(a, b []byte) bool {
	aOID, aParameters, ok := splitAlgorithm(a)
	if !ok {
		return false
	}
	bOID, bParameters, ok := splitAlgorithm(b)
	return ok && bytes.Equal(aOID, bOID) && bytes.Equal(aParameters, bParameters)
}

// splitAlgorithm returns the OID of an AlgorithmIdentifier with its parameters,
// empty where they are NULL.
func splitAlgorithm(der cryptobyte.String) (oid, parameters cryptobyte.String, ok bool) {
	var content cryptobyte.String
	if !der.ReadASN1(&content, asn1.SEQUENCE) || !der.Empty() || !readAlgorithm(content, &oid, &parameters) {
		return nil, nil, false
	}
	if string(parameters) == "\x05\x00" {
		parameters = nil
	}
	return oid, parameters, true
}
