package signer

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"os"
	"time"

	"github.com/cloudflare/circl/sign"
)

// Warnings lists what is not wrong enough for Check to refuse, but will be
// refused by some clients, will end soon or lets others read the key. Each
// names the file.
func (s *Signer) Warnings(ca *x509.Certificate, now time.Time) []string {
	found := s.warnKey()
	if sameKey(PublicKey(ca), PublicKey(s.Certificate)) {
		if u := s.Certificate.KeyUsage; u != 0 && u&x509.KeyUsageDigitalSignature == 0 {
			found = append(found, "the CA's key usage lacks digitalSignature; some clients refuse its answers")
		}
	} else {
		found = append(found, s.warnDelegate(ca)...)
	}
	if w := s.warnExpiry(now); w != "" {
		found = append(found, w)
	}
	for i := range found {
		found[i] = s.Path + ": " + found[i]
	}
	return append(found, s.warnMode()...)
}

func (s *Signer) warnKey() (found []string) {
	switch k := PublicKey(s.Certificate).(type) {
	case ed25519.PublicKey:
		found = append(found, "an Ed25519 key; Firefox and clients in Go refuse its answers")
	case sign.PublicKey:
		found = append(found, "an "+k.Scheme().Name()+" key; clients older than OpenSSL 3.5 and Java 24 refuse its answers")
	case *compositePublic:
		found = append(found, "a composite key, "+k.name+": experimental; only clients that know draft-ietf-lamps-pq-composite-sigs-14 take its answers")
	case *ecdsa.PublicKey:
		if s.algorithm.opts.HashFunc() != curveHash(k) {
			found = append(found, "-rmd is not the digest that belongs to the key's curve")
		}
	}
	if _, pss := s.algorithm.opts.(*rsa.PSSOptions); pss {
		found = append(found, "RSA-PSS; clients in Go refuse its answers")
	}
	return found
}

func (s *Signer) warnDelegate(ca *x509.Certificate) (found []string) {
	cert := s.Certificate
	if !bytes.Equal(cert.RawIssuer, ca.RawSubject) {
		found = append(found, fmt.Sprintf("its issuer's name %q is not the CA's name %q; clients will not connect them", cert.Issuer, ca.Subject))
	}
	switch e := nocheck(cert); {
	case e == nil:
		found = append(found, "no id-pkix-ocsp-nocheck; clients may ask for the status of this certificate too (noCheck = ignored)")
	case e.Critical || !bytes.Equal(e.Value, []byte{5, 0}):
		found = append(found, "id-pkix-ocsp-nocheck should be NULL and not critical")
	}
	if len(cert.ExtKeyUsage)+len(cert.UnknownExtKeyUsage) > 1 {
		found = append(found, "more extended key usages than OCSPSigning")
	}
	if cert.IsCA {
		found = append(found, "a CA certificate; a signer should be none (basicConstraints = CA:FALSE)")
	}
	if len(cert.OCSPServer)+len(cert.IssuingCertificateURL) > 0 {
		found = append(found, "authorityInfoAccess does not belong into a signer")
	}
	if len(cert.CRLDistributionPoints) > 0 {
		found = append(found, "crlDistributionPoints does not belong into a signer")
	}
	return found
}

// nocheck finds id-pkix-ocsp-nocheck (RFC 6960 §4.2.2.2.1).
func nocheck(cert *x509.Certificate) *pkix.Extension {
	for i, e := range cert.Extensions {
		if e.Id.Equal([]int{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}) {
			return &cert.Extensions[i]
		}
	}
	return nil
}

// day is what people count the rest of a certificate's life in.
const day = 24 * time.Hour

// Reminder returns how long before its end the certificate should last have
// been spoken of at now: 30, 14, 7 or 1 days, those that are less than half of
// its life, or else a quarter of its life; 0 before the first of them, and once
// it is over.
func (s *Signer) Reminder(now time.Time) time.Duration {
	life := s.Certificate.NotAfter.Sub(s.Certificate.NotBefore)
	left := s.Certificate.NotAfter.Sub(now)
	steps := []time.Duration{day, 7 * day, 14 * day, 30 * day}
	if life <= 2*day {
		steps = []time.Duration{life / 4}
	}
	for _, step := range steps {
		if left >= 0 && left < step && step < life/2 {
			return step
		}
	}
	return 0
}

// Expiry says when the certificate ends, for people, and how long that is from
// now.
func (s *Signer) Expiry(now time.Time) string {
	end := s.Certificate.NotAfter
	left, unit := int(end.Sub(now)/day), "days"
	if left < 2 {
		left, unit = int(end.Sub(now)/time.Hour), "hours"
	}
	return fmt.Sprintf("expires on %s (%d %s left)", utc(end), left, unit)
}

func (s *Signer) warnExpiry(now time.Time) string {
	if s.Reminder(now) == 0 {
		return ""
	}
	return s.Expiry(now) + "; renew it"
}

func (s *Signer) warnMode() []string {
	path := s.guard
	if path == "" {
		return nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return []string{err.Error()}
	}
	switch mode := info.Mode().Perm(); {
	case mode&0o007 == 0:
		return nil
	case info.Mode().Type() == os.ModeSocket:
		return []string{fmt.Sprintf("%s: everybody may ask for signatures (mode %#o); chmod o= %s", path, mode, path)}
	case path != s.KeyPath:
		return []string{fmt.Sprintf("%s: everybody may read this PIN (mode %#o); chmod o= %s", path, mode, path)}
	default:
		return []string{fmt.Sprintf("%s: everybody may open this key (mode %#o); chmod o= %s", path, mode, path)}
	}
}
