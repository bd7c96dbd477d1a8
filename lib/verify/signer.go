package verify

import (
	"bytes"
	"crypto/x509"
	"slices"

	"ocspcgi/lib/signer"
	"ocspcgi/lib/wire"
)

// signed finds whose signature it is, and whether he may make it.
func (c *check) signed() {
	candidates := c.candidates()
	named := slices.DeleteFunc(slices.Clone(candidates), func(cert *x509.Certificate) bool { return !c.names(cert) })
	if len(named) == 0 {
		c.fault(ruleResponder, "the certificate of %s, who is said to have signed, is neither in the response nor given", c.responder())
		return
	}
	var why error
	for _, cert := range named {
		if why = signer.CheckSignature(cert, c.response.SignatureAlgorithm, c.response.TBS, c.response.Signature); why == nil {
			c.found.Signer = cert
			c.authorized(cert)
			return
		}
	}
	c.fault(ruleSignature, "the signature is not that of %q: %v", named[0].Subject, why)
}

// candidates are the certificates that are at hand, those of the asker first.
func (c *check) candidates() []*x509.Certificate {
	all := slices.Concat([]*x509.Certificate{c.Issuer}, c.Trusted, c.Others)
	for i, der := range c.response.Certificates {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			c.fault(ruleResponder, "certificate %d of the response cannot be read: %v", i+1, err)
			continue
		}
		all = append(all, cert)
	}
	return all
}

// names says whether responderID means that certificate.
func (c *check) names(cert *x509.Certificate) bool {
	if c.response.ByName != nil {
		return bytes.Equal(c.response.ByName, cert.RawSubject)
	}
	hash, err := wire.KeyHash(cert.RawSubjectPublicKeyInfo)
	return err == nil && hash == c.response.KeyHash
}

// responder is what responderID says, for messages.
func (c *check) responder() string { return Responder(&c.response.Response) }

// authorized looks at whether cert may sign for the CA now.
func (c *check) authorized(cert *x509.Certificate) {
	itself := bytes.Equal(cert.RawSubjectPublicKeyInfo, c.Issuer.RawSubjectPublicKeyInfo)
	switch trusted := slices.ContainsFunc(c.Trusted, cert.Equal); {
	case trusted:
		c.found.Role = Local
	case itself:
		c.found.Role = Itself
	default:
		c.found.Role = Delegated
		delegate := signer.Signer{Certificate: cert, Path: "the signer " + cert.Subject.String()}
		if err := delegate.Check(c.Issuer); err != nil {
			c.fault(ruleAuthorized, "%v", err)
		}
	}
	c.valid("the signer", cert)
	if c.found.Role == Delegated {
		c.valid("the CA", c.Issuer)
		if !slices.ContainsFunc(cert.Extensions, isNocheck) {
			c.note("the signer has no id-pkix-ocsp-nocheck: clients may want to know its own status (RFC 6960 §4.2.2.2.1)")
		}
	}
}

// valid looks at the dates of a certificate.
func (c *check) valid(who string, cert *x509.Certificate) {
	switch {
	case c.at.Add(c.Skew).Before(cert.NotBefore):
		c.fault(ruleAuthorized, "%s %q is not valid before %s", who, cert.Subject, utc(cert.NotBefore))
	case c.at.Add(-c.Skew).After(cert.NotAfter):
		c.fault(ruleAuthorized, "%s %q expired on %s", who, cert.Subject, utc(cert.NotAfter))
	}
}
