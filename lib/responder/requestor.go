package responder

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/signer"
	"ocspcgi/lib/wire"
)

// Requestors are the CAs whose certificates may sign requests, where only
// signed ones are answered (RFC 6960 §4.1.2).
type Requestors struct {
	cas   []*x509.Certificate
	roots *x509.CertPool
}

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
			r.cas = append(r.cas, cert)
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
	for _, cert := range certs {
		if err := signer.Bounded(cert); err != nil {
			return ocsp.Unauthorized, fmt.Errorf("the request brings a certificate of %q: %w", cert.Subject, err)
		}
	}
	signedBy, err := signatory(req, certs)
	if err != nil {
		return ocsp.Unauthorized, err
	}
	between := x509.NewCertPool()
	for _, cert := range certs {
		between.AddCert(cert)
	}
	if signedBy.SignatureAlgorithm == x509.UnknownSignatureAlgorithm {
		err = r.issued(signedBy, now)
	} else {
		_, err = signedBy.Verify(x509.VerifyOptions{
			Roots: r.roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
		})
	}
	if err != nil {
		return ocsp.Unauthorized, fmt.Errorf("the request is signed by %q: %w", signedBy.Subject, err)
	}
	return ocsp.Success, nil
}

// issued returns nil if one of the CAs itself has issued a certificate, by a signature
// that crypto/x509 does not know. What that would look at along a chain is not done
// again here: there is none, and a CA or certificate with constraints is refused.
func (r *Requestors) issued(cert *x509.Certificate, now time.Time) error {
	for _, ca := range r.cas {
		if bytes.Equal(ca.RawSubject, cert.RawIssuer) && mayIssue(ca) && current(ca, now) && current(cert, now) &&
			len(cert.UnhandledCriticalExtensions) == 0 && signer.Issued(ca, cert) {
			return nil
		}
	}
	return errors.New("none of the CAs of require_signed has issued that itself, for now (one between is not looked for with ML-DSA)")
}

func mayIssue(ca *x509.Certificate) bool {
	nameConstraints := func(e pkix.Extension) bool { return e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 30}) }
	return ca.BasicConstraintsValid && ca.IsCA && (ca.KeyUsage == 0 || ca.KeyUsage&x509.KeyUsageCertSign != 0) &&
		len(ca.UnhandledCriticalExtensions) == 0 && !slices.ContainsFunc(ca.Extensions, nameConstraints)
}

func current(cert *x509.Certificate, now time.Time) bool {
	return !now.Before(cert.NotBefore) && !now.After(cert.NotAfter)
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
