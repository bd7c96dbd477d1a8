package signer_test

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
	"strings"
	"testing"

	"github.com/cloudflare/circl/sign"

	"ocspcgi/lib/signer"
)

const noSLHDSA = "ocsp.key: an SLH-DSA key does not sign here: its signatures of 7856 bytes and more make answers that no server staples; make an ML-DSA-44 or ML-DSA-65 key"

// Keys that nothing here signs with are refused by what they are, not taken for
// damaged ones. They are PKCS#8 with an algorithm and octets that mean nothing.
func TestPostQuantumRefused(t *testing.T) {
	for _, c := range []struct {
		id, last string
		want     string
	}{
		{"SGN-19 SLH-DSA-SHA2-128s", "\x14", noSLHDSA},
		{"SGN-19 SLH-DSA-SHAKE-256f", "\x1f", noSLHDSA},
		{"SGN-19 HashSLH-DSA", "\x23", noSLHDSA},
		{"SGN-17 HashML-DSA-44", "\x20", "ocsp.key: a HashML-DSA key does not sign OCSP (RFC 9881 §8.3); make an ML-DSA key"},
	} {
		t.Run(c.id, func(t *testing.T) {
			der := "\x30\x36\x02\x01\x00\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03" + c.last + "\x04\x24" + strings.Repeat("k", 36)
			_, err := signer.ParseKey("ocsp.key", []byte(der), nil)
			if err == nil || err.Error() != c.want {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

// seedOf is the content of privateKey with the seed alone (RFC 9881 §6).
func seedOf(seed []byte) []byte { return slices.Concat([]byte{0x80, byte(len(seed))}, seed) }

func expandedOf(expanded []byte) []byte { return marshal(expanded) }

func bothOf(seed, expanded []byte) []byte { return marshal([][]byte{seed, expanded}) }

// marshal panics where asn1.Marshal does not like what a test wrote.
func marshal(value any) []byte {
	der, err := asn1.Marshal(value)
	if err != nil {
		panic(err)
	}
	return der
}

// pkcs8 wraps the content of privateKey as RFC 5958 has it.
func pkcs8(oid asn1.ObjectIdentifier, content []byte) []byte {
	return marshal(struct {
		Version   int
		Algorithm pkix.AlgorithmIdentifier
		Key       []byte
	}{0, pkix.AlgorithmIdentifier{Algorithm: oid}, content})
}

// oidOf is the OID of a parameter set of ML-DSA.
func oidOf(scheme sign.Scheme) asn1.ObjectIdentifier {
	last := map[string]int{"ML-DSA-44": 17, "ML-DSA-65": 18, "ML-DSA-87": 19}[scheme.Name()]
	return asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, last}
}
