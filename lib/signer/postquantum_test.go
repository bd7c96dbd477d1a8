package signer_test

import (
	"strings"
	"testing"

	"ocspcgi/lib/signer"
)

// Keys that nothing here signs with are refused by what they are, not taken for
// damaged ones. They are PKCS#8 with an algorithm and octets that mean nothing.
func TestPostQuantumKeys(t *testing.T) {
	for _, c := range []struct{ row, oid, name string }{
		{"SGN-17 ML-DSA-44", "\x60\x86\x48\x01\x65\x03\x04\x03\x11", "2.16.840.1.101.3.4.3.17"},
		{"SGN-17 ML-DSA-65", "\x60\x86\x48\x01\x65\x03\x04\x03\x12", "2.16.840.1.101.3.4.3.18"},
		{"SGN-17 ML-DSA-87", "\x60\x86\x48\x01\x65\x03\x04\x03\x13", "2.16.840.1.101.3.4.3.19"},
		{"SGN-19 SLH-DSA-SHA2-128s", "\x60\x86\x48\x01\x65\x03\x04\x03\x14", "2.16.840.1.101.3.4.3.20"},
	} {
		t.Run(c.row, func(t *testing.T) {
			der := "\x30\x36\x02\x01\x00\x30\x0b\x06\x09" + c.oid + "\x04\x24" + strings.Repeat("k", 36)
			_, err := signer.ParseKey("ocsp.key", []byte(der), nil)
			if err == nil || !strings.Contains(err.Error(), c.name) || !strings.Contains(err.Error(), "ocsp.key") {
				t.Errorf("the error is %v", err)
			}
		})
	}
}
