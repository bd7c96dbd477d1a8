package responder

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"ocspcgi/lib/signer"
)

// An answer of a publicly trusted CA lives for at least 8 hours (TLS Baseline
// Requirements §4.9.9) and at most 7 days (Microsoft Trusted Root Program
// §3.2.2), where both its ends count.
const (
	leastPublic = 8 * time.Hour
	mostPublic  = 7 * 24 * time.Hour
)

// checkPublic tells all that the rules for publicly trusted CAs forbid.
func (f *Files) checkPublic(signers []*identity) error {
	var faults []error
	if life := f.Lifetime + f.Backdate + time.Second; life < leastPublic || life > mostPublic {
		faults = append(faults, fmt.Errorf("answers live for %v from thisUpdate to nextUpdate, not for 8 hours to 7 days; change nmin and ndays", life))
	}
	for _, id := range signers {
		for _, fault := range forbidden(id.signer) {
			faults = append(faults, fmt.Errorf("%s: %w", id.signer.Path, fault))
		}
		if !id.signer.Certificate.IsCA && f.NoCerts {
			faults = append(faults, errors.New("resp_no_certs: a delegated signer's certificate belongs into the answer (RFC 9919 §3.2.2)"))
		}
	}
	if len(faults) > 0 {
		return fmt.Errorf("profile public: %w", errors.Join(faults...))
	}
	return nil
}

// forbidden lists what is wrong with a signer (TLS Baseline Requirements
// §7.1.2.8, §7.1.3.2; Mozilla Root Store Policy §5).
func forbidden(s *signer.Signer) (faults []error) {
	add := func(text string) { faults = append(faults, errors.New(text)) }
	cert := s.Certificate
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
	case *ecdsa.PublicKey:
		// The last octet of ecdsa-with-SHA256, -SHA384 and -SHA512.
		if last := s.Algorithm()[len(s.Algorithm())-1]; last != map[int]byte{256: 2, 384: 3, 521: 4}[key.Params().BitSize] {
			add("rmd is not the digest of the key's curve; leave it out")
		}
	default:
		add("a key of the kind " + signer.KindOf(cert) + "; RSA, P-256, P-384 and P-521 are allowed")
	}
	if cert.IsCA {
		return faults // the CA itself, for a delegate is none
	}
	if len(cert.ExtKeyUsage)+len(cert.UnknownExtKeyUsage) != 1 {
		add("another extended key usage beside OCSPSigning; issue it with that alone")
	}
	if !hasNocheck(cert) {
		add("no id-pkix-ocsp-nocheck; issue it with noCheck = ignored")
	}
	return faults
}

// hasNocheck finds id-pkix-ocsp-nocheck (RFC 6960 §4.2.2.2.1) as it has to be.
func hasNocheck(cert *x509.Certificate) bool {
	for _, e := range cert.Extensions {
		if e.Id.Equal([]int{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}) {
			return !e.Critical && bytes.Equal(e.Value, []byte{5, 0})
		}
	}
	return false
}
