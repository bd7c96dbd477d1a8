// Package verify says whether an OCSP response is to be believed.
package verify

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/wire"
)

// Question is what was asked and what the asker knows. Only Issuer is needed.
type Question struct {
	Issuer  *x509.Certificate   // the CA whose certificates the response is to be about
	Trusted []*x509.Certificate // may sign as well, whoever issued them (RFC 6960 §4.2.2.2, 1)
	Others  []*x509.Certificate // the signer's may be among these too, where the response does not bring it

	CertIDs []wire.CertID // what was asked about; none: whatever of Issuer's the response is about
	Nonce   []byte        // what the response has to repeat, as wire.Request.Nonce holds it; nil: nothing

	Skew   time.Duration    // how far clocks may be apart
	MaxAge time.Duration    // how long ago thisUpdate may be; 0: any time
	Now    func() time.Time // the clock; nil means time.Now
}

// Finding is what came of looking at a response.
type Finding struct {
	Signer  *x509.Certificate // whose key made the signature; nil: nobody's that is known
	Role    Role
	Singles []*wire.Single // those asked about, in the order of the question; all where nothing was asked
	Notes   []string       // what is no fault, and better known
}

// Role is why a signer may speak for the CA.
type Role string

const (
	Itself    Role = "the CA itself"
	Delegated Role = "delegated by the CA"
	Local     Role = "trusted here"
)

// Fault is a rule that a response breaks.
type Fault struct {
	Rule string // where it is written, such as RFC 6960 §3.2 (2)
	Text string
}

func (f *Fault) Error() string { return f.Text + " [" + f.Rule + "]" }

// The rules of RFC 6960 §3.2, which are numbered there.
const (
	ruleCertificate = "RFC 6960 §3.2 (1)"
	ruleSignature   = "RFC 6960 §3.2 (2)"
	ruleResponder   = "RFC 6960 §3.2 (3), §4.2.2.3"
	ruleAuthorized  = "RFC 6960 §3.2 (4), §4.2.2.2"
	ruleThisUpdate  = "RFC 6960 §3.2 (5), §4.2.2.1"
	ruleNextUpdate  = "RFC 6960 §3.2 (6), §4.2.2.1"
	ruleStatus      = "RFC 6960 §2.3"
	ruleNonce       = "RFC 9654 §2.1"
)

// check is one response being looked at.
type check struct {
	*Question
	response *wire.OCSPResponse
	at       time.Time
	found    Finding
	faults   []error
}

// Check looks at all rules of RFC 6960 §3.2, and of §4.2.2.2 about who may sign.
// The error joins a *Fault for each rule that is broken; only with a nil error
// does the Finding say anything that may be relied on.
func (q *Question) Check(response *wire.OCSPResponse) (*Finding, error) {
	c := &check{Question: q, response: response, at: q.now()}
	if response.Status != ocsp.Success {
		c.fault(ruleStatus, "the response is the error %s (%d), and says nothing of any certificate", wire.StatusName(response.Status), int(response.Status))
		return &c.found, errors.Join(c.faults...)
	}
	c.signed()
	c.answered()
	for _, single := range c.found.Singles {
		c.times(single)
	}
	c.nonce()
	return &c.found, errors.Join(c.faults...)
}

func (q *Question) now() time.Time {
	if q.Now == nil {
		return time.Now()
	}
	return q.Now()
}

func (c *check) fault(rule, format string, a ...any) {
	c.faults = append(c.faults, &Fault{rule, fmt.Sprintf(format, a...)})
}

// answered finds the single response for each certificate asked about.
func (c *check) answered() {
	issuer, err := wire.NewIssuer(c.Issuer.RawSubject, c.Issuer.RawSubjectPublicKeyInfo)
	if err != nil {
		c.fault(ruleCertificate, "the CA %q: %v", c.Issuer.Subject, err)
		return
	}
	if len(c.response.Singles) == 0 {
		c.fault(ruleCertificate, "the response is about no certificate")
	}
	ids := make([]wire.CertID, len(c.response.Singles))
	for i := range c.response.Singles {
		if ids[i], err = wire.ParseCertID(c.response.Singles[i].CertID); err != nil {
			c.fault(ruleCertificate, "single response %d: %v", i+1, err)
			return
		}
	}
	if len(c.CertIDs) == 0 {
		for i := range ids {
			c.found.Singles = append(c.found.Singles, &c.response.Singles[i])
			if !issuer.Matches(&ids[i]) {
				c.fault(ruleCertificate, "single response %d is about a certificate (serial %X) of another CA than %q", i+1, ids[i].Serial, c.Issuer.Subject)
			}
		}
		return
	}
	for _, asked := range c.CertIDs {
		c.answers(asked, ids)
	}
}

// answers finds the single response for one certificate.
func (c *check) answers(asked wire.CertID, ids []wire.CertID) {
	for i := range ids {
		if sameCertificate(&asked, &ids[i]) {
			c.found.Singles = append(c.found.Singles, &c.response.Singles[i])
			return
		}
	}
	for i := range ids {
		if bytes.Equal(ids[i].Serial, asked.Serial) {
			c.fault(ruleCertificate, "the response is about the serial %X, but of another CA or by another hash (%v) than was asked for", asked.Serial, ids[i].Hash)
			return
		}
	}
	c.fault(ruleCertificate, "the response is not about the certificate with the serial %X", asked.Serial)
}

// sameCertificate compares what CertIDs say: NULL parameters of the hash and
// none are one.
func sameCertificate(a, b *wire.CertID) bool {
	return a.Hash != 0 && a.Hash == b.Hash && bytes.Equal(a.Serial, b.Serial) &&
		bytes.Equal(a.IssuerNameHash, b.IssuerNameHash) && bytes.Equal(a.IssuerKeyHash, b.IssuerKeyHash)
}

// times looks at those of a single response.
func (c *check) times(s *wire.Single) {
	switch {
	case s.ThisUpdate.After(c.at.Add(c.Skew)):
		c.fault(ruleThisUpdate, "thisUpdate %s lies in the future: it is %s now; check the clocks", utc(s.ThisUpdate), utc(c.at))
	case c.MaxAge > 0 && s.ThisUpdate.Before(c.at.Add(-c.MaxAge-c.Skew)):
		c.fault(ruleThisUpdate, "thisUpdate %s is longer ago than %v", utc(s.ThisUpdate), c.MaxAge)
	}
	switch {
	case s.NextUpdate.IsZero():
		c.note("no nextUpdate: newer information is available all the time, and no stapler keeps such a response")
	case s.NextUpdate.Before(s.ThisUpdate):
		c.fault(ruleNextUpdate, "nextUpdate %s is before thisUpdate %s", utc(s.NextUpdate), utc(s.ThisUpdate))
	case s.NextUpdate.Before(c.at.Add(-c.Skew)):
		c.fault(ruleNextUpdate, "nextUpdate %s has passed: it is %s now; ask for a newer response", utc(s.NextUpdate), utc(c.at))
	}
}

// nonce compares it to the octet.
func (c *check) nonce() {
	got := c.response.Nonce
	switch {
	case c.Nonce == nil:
	case len(got) == 0:
		c.fault(ruleNonce, "the response has no nonce: it may be one that was made earlier")
	case !bytes.Equal(got, c.Nonce):
		c.fault(ruleNonce, "the response has another nonce (%X) than was sent (%X)", got, c.Nonce)
	}
}

func (c *check) note(text string) {
	for _, said := range c.found.Notes {
		if said == text {
			return
		}
	}
	c.found.Notes = append(c.found.Notes, text)
}

func utc(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }
