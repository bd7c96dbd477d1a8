package verify

import (
	"crypto/x509"
	"errors"

	"ocspcgi/lib/wire"
)

// checkSignature checks the response's signature with the key of cert.
func checkSignature(cert *x509.Certificate, r *wire.OCSPResponse) error {
	for _, known := range []struct {
		der       string
		algorithm x509.SignatureAlgorithm
	}{
		{"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00", x509.SHA256WithRSA},
		{"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c\x05\x00", x509.SHA384WithRSA},
		{"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d\x05\x00", x509.SHA512WithRSA},
		{"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02", x509.ECDSAWithSHA256},
		{"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03", x509.ECDSAWithSHA384},
		{"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x04", x509.ECDSAWithSHA512},
		{"\x30\x05\x06\x03\x2b\x65\x70", x509.PureEd25519},
	} {
		if wire.SameAlgorithm(r.SignatureAlgorithm, []byte(known.der)) {
			return cert.CheckSignature(known.algorithm, r.TBS, r.Signature)
		}
	}
	return errors.New("its algorithm is not known here")
}
