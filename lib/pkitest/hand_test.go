package pkitest_test

import (
	"testing"

	"ocspcgi/lib/pkitest"
)

// The classical certificates show to openssl that the rest of the DER is right.
func TestHandmade(t *testing.T) {
	ca := pkitest.HandCA(t, t.TempDir(), "P-256")
	for _, s := range []*pkitest.Hand{ca.OCSPSigner(t, "ocsp", "P-384"), ca.Catalyst(t, "catalyst", "P-256", "ML-DSA-44")} {
		if err := s.Certificate.CheckSignatureFrom(ca.Certificate); err != nil {
			t.Error(err)
		}
		pkitest.OpenSSL(t, "verify", "-x509_strict", "-CAfile", ca.Cert, s.Cert)
		if hasNocheck(s.Certificate) != true || len(s.PKCS8()) == 0 {
			t.Error("not a signer")
		}
	}
}
