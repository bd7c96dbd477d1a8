package verify

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"

	"ocspcgi/lib/wire"
)

// Responder is what the responderID of a response says, for people: a name, or
// the SHA-1 of a key.
func Responder(r *wire.Response) string {
	if r.ByName == nil {
		return fmt.Sprintf("key %X", r.KeyHash)
	}
	var sequence pkix.RDNSequence
	if rest, err := asn1.Unmarshal(r.ByName, &sequence); err != nil || len(rest) > 0 {
		return fmt.Sprintf("name %X", r.ByName)
	}
	var name pkix.Name
	name.FillFromRDNSequence(&sequence)
	return name.String()
}

// isNocheck tells id-pkix-ocsp-nocheck (RFC 6960 §4.2.2.2.1).
func isNocheck(e pkix.Extension) bool {
	return e.Id.Equal(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5})
}
