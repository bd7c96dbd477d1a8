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
	var err error
	for _, cert := range certs {
		if err = signer.CheckSignature(cert, req.SignatureAlgorithm, req.TBS, req.Signature); err == nil {
			return cert, nil
		}
	}
	if errors.Is(err, signer.ErrAlgorithm) && len(certs) == 1 {
		return nil, fmt.Errorf("the request is signed by %q: %w", certs[0].Subject, err)
	}
	return nil, fmt.Errorf("the request's signature is that of none of its %d certificates", len(certs))
}
