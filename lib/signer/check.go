package signer

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Check says whether clients will let the signer speak for ca: it has the key
// of ca, or its certificate was issued by that very key for OCSP signing
// (RFC 6960 §4.2.2.2). Dates are left to ValidAt.
func (s *Signer) Check(ca *x509.Certificate) error {
	cert := s.Certificate
	switch {
	case ca.BasicConstraintsValid && !ca.IsCA:
		return fmt.Errorf("the -CA certificate %q is not a CA's (basicConstraints CA:FALSE); give the one that issued %s",
			ca.Subject.String(), s.Path)
	case sameKey(PublicKey(ca), PublicKey(cert)):
		return nil
	case !s.issuedBy(ca):
		return fmt.Errorf("%s: not issued by the key of the CA %q, but by %q; a signer must be issued by the CA it answers for",
			s.Path, ca.Subject.String(), cert.Issuer.String())
	case !mayDelegate(cert) && slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageAny):
		return fmt.Errorf("%s: no extended key usage OCSPSigning (anyExtendedKeyUsage does not count); issue it with extendedKeyUsage = OCSPSigning", s.Path)
	case !mayDelegate(cert):
		return fmt.Errorf("%s: no extended key usage OCSPSigning; issue it with extendedKeyUsage = OCSPSigning", s.Path)
	case cert.KeyUsage != 0 && cert.KeyUsage&x509.KeyUsageDigitalSignature == 0:
		return fmt.Errorf("%s: key usage without digitalSignature; issue it with keyUsage = digitalSignature", s.Path)
	}
	return nil
}

// issuedBy is Issued, which is worked out once for the same CA: a CGI process
// asks twice, and does little else that takes as long.
func (s *Signer) issuedBy(ca *x509.Certificate) bool {
	if known := s.issuer.Load(); known != nil && known.Equal(ca) {
		return true
	}
	if !Issued(ca, s.Certificate) {
		return false
	}
	s.issuer.Store(ca)
	return true
}

func mayDelegate(cert *x509.Certificate) bool {
	return slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning)
}

// Issuer finds the CA that a signer answers for among the certificates of a
// -CA file: the one whose key it has, or the one whose key issued it. Of
// several certificates of that key it takes the signer's own, then those with
// the name that the signer's certificate carries, then the one that lasts
// longest. No key, or two, is an error.
func Issuer(cas []*x509.Certificate, s *Signer) (*x509.Certificate, error) {
	var own, issuers []*x509.Certificate
	for _, ca := range cas {
		switch {
		case sameKey(PublicKey(ca), PublicKey(s.Certificate)):
			if !ca.BasicConstraintsValid || ca.IsCA {
				own = append(own, ca)
			}
		case s.issuedBy(ca):
			issuers = append(issuers, ca)
		}
	}
	switch {
	case len(cas) == 0:
		return nil, errors.New("no CA certificate; give the one that issued the signer with -CA")
	case len(own)+len(issuers) == 0:
		return nil, fmt.Errorf("%s: issued by none of the -CA certificates (%s); give the one of %q",
			s.Path, quoteSubjects(cas), s.Certificate.Issuer.String())
	case len(own) > 0 && len(issuers) > 0 && mayDelegate(s.Certificate):
		return nil, fmt.Errorf("%s: may answer for itself and for the CA that issued it, and -CA has both (%s); give the one that is meant",
			s.Path, quoteSubjects(append(own, issuers...)))
	case len(own) > 0:
		return best(own, s.Certificate, s.Certificate.RawSubject), nil
	}
	return best(issuers, s.Certificate, s.Certificate.RawIssuer), nil
}

func best(cas []*x509.Certificate, signer *x509.Certificate, name []byte) *x509.Certificate {
	return slices.MaxFunc(cas, func(a, b *x509.Certificate) int {
		switch {
		case a.Equal(signer) != b.Equal(signer):
			return order(a.Equal(signer))
		case bytes.Equal(a.RawSubject, name) != bytes.Equal(b.RawSubject, name):
			return order(bytes.Equal(a.RawSubject, name))
		}
		return a.NotAfter.Compare(b.NotAfter)
	})
}

func order(first bool) int {
	if first {
		return 1
	}
	return -1
}

func quoteSubjects(certs []*x509.Certificate) string {
	quoted := make([]string, len(certs))
	for i, c := range certs {
		quoted[i] = fmt.Sprintf("%q", c.Subject.String())
	}
	return strings.Join(quoted, ", ")
}
