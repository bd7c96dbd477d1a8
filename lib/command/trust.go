package command

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"time"

	"ocspcgi/lib/signer"
	"ocspcgi/lib/verify"
)

// trust is what else decides whether a response is believed.
type trust struct {
	chain, others, trusted, skew, age, at string
}

const trustUsage = `  -CAfile FILE     the CA has to be among these certificates, or below them
  -VAfile FILE     certificates that may sign as well, whoever issued them
  -verify_other FILE    more certificates, where the response lacks the signer's
  -validity_period S    by how many seconds clocks may be apart; 300 without
  -status_age S         how many seconds ago thisUpdate may be; any without
  -attime S             seconds since 1970 to look at it; now without
`

func (v *verb) trust() *trust {
	t := &trust{skew: "300"}
	v.text(&t.chain, "CAfile")
	v.text(&t.others, "verify_other")
	v.text(&t.trusted, "VAfile")
	v.text(&t.skew, "validity_period")
	v.text(&t.age, "status_age")
	v.text(&t.at, "attime")
	return t
}

// apply adds the trust to a question.
func (t *trust) apply(q *verify.Question, now func() time.Time) (err error) {
	q.Now = now
	if t.at != "" {
		seconds, err := parseSeconds("attime", t.at)
		if err != nil {
			return err
		}
		q.Now = func() time.Time { return time.Unix(0, 0).Add(seconds) }
	}
	if q.Skew, err = parseSeconds("validity_period", t.skew); err != nil {
		return err
	}
	if t.age != "" {
		if q.MaxAge, err = parseSeconds("status_age", t.age); err != nil {
			return err
		}
	}
	if t.others != "" {
		if q.Others, err = signer.ReadCertificates(t.others); err != nil {
			return err
		}
	}
	if t.trusted != "" {
		if q.Trusted, err = signer.ReadCertificates(t.trusted); err != nil {
			return err
		}
	}
	return t.chained(q)
}

func parseSeconds(flag, text string) (time.Duration, error) {
	d, err := time.ParseDuration(text + "s")
	if err != nil || d < 0 {
		return 0, misused("-%s %q is no number of seconds", flag, text)
	}
	return d, nil
}

// chained checks that the CA is among the certificates of -CAfile, or below one
// of them.
func (t *trust) chained(q *verify.Question) error {
	if t.chain == "" {
		return nil
	}
	certs, err := signer.ReadCertificates(t.chain)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	for _, cert := range certs {
		if cert.Equal(q.Issuer) || above(cert, q.Issuer, q.Now()) {
			return nil
		}
		roots.AddCert(cert)
	}
	_, err = q.Issuer.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: q.Now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	if err != nil {
		return fmt.Errorf("the CA %q is not below those of -CAfile %s: %w", q.Issuer.Subject, t.chain, err)
	}
	return nil
}

// above reports whether cert is the CA above ca, where crypto/x509 cannot tell
// because it does not know the key.
func above(cert, ca *x509.Certificate, at time.Time) bool {
	valid := func(c *x509.Certificate) bool { return !at.Before(c.NotBefore) && !at.After(c.NotAfter) }
	return cert.PublicKey == nil && cert.IsCA && bytes.Equal(cert.RawSubject, ca.RawIssuer) &&
		valid(cert) && valid(ca) && signer.Issued(cert, ca)
}
