package responder

import (
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/signer"
	"ocspcgi/lib/wire"
)

// Requestors are the CAs whose certificates may sign requests, where only
// signed ones are answered (RFC 6960 §4.1.2).
type Requestors struct{ roots *x509.CertPool }

// OpenRequestors reads the CAs' certificates.
func OpenRequestors(paths []string) (*Requestors, error) {
	r := &Requestors{roots: x509.NewCertPool()}
	for _, path := range paths {
		certs, err := signer.ReadCertificates(path)
		if err != nil {
			return nil, fmt.Errorf("require_signed: %w", err)
		}
		for _, cert := range certs {
			r.roots.AddCert(cert)
		}
	}
	return r, nil
}

// check returns the status to answer to a request that is not signed by whom
// it has to be, and why; else success.
func (r *Requestors) check(req *wire.Request, now time.Time) (ocsp.ResponseStatus, error) {
	if !req.Signed {
		return ocsp.SignatureRequired, errors.New("the request is not signed")
	}
	certs, err := x509.ParseCertificates(req.Certificates)
	if err != nil {
		return ocsp.Unauthorized, fmt.Errorf("the request's certificates: %w", err)
	}
	signedBy, err := signatory(req, certs)
	if err != nil {
		return ocsp.Unauthorized, err
	}
	between := x509.NewCertPool()
	for _, cert := range certs {
		between.AddCert(cert)
	}
	_, err = signedBy.Verify(x509.VerifyOptions{
		Roots: r.roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		return ocsp.Unauthorized, fmt.Errorf("the request is signed by %q: %w", signedBy.Subject, err)
	}
	return ocsp.Success, nil
}

// signatory returns the certificate that the request's signature verifies with.
func signatory(req *wire.Request, certs []*x509.Certificate) (*x509.Certificate, error) {
	algorithm := signatureAlgorithm(req.SignatureAlgorithm)
	if algorithm == x509.UnknownSignatureAlgorithm {
		return nil, errors.New("the request is signed with an algorithm that is not known here")
	}
	for _, cert := range certs {
		if cert.CheckSignature(algorithm, req.TBS, req.Signature) == nil {
			return cert, nil
		}
	}
	return nil, fmt.Errorf("the request's signature is that of none of its %d certificates", len(certs))
}

// signatureAlgorithm names an AlgorithmIdentifier in DER (RFC 5758, RFC 8410,
// RFC 4055). SHA-1 is not among them.
func signatureAlgorithm(der []byte) x509.SignatureAlgorithm {
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
		if wire.SameAlgorithm(der, []byte(known.der)) {
			return known.algorithm
		}
	}
	return x509.UnknownSignatureAlgorithm
}
