package pkitest

import "testing"

// Company is a CA with what most tests need: a signer, and a certificate of each
// status.
type Company struct {
	*CA
	Signer  *Signer
	Good    *Leaf
	Revoked *Leaf // for keyCompromise
	Unknown *Leaf // signed by the CA, not in its index
}

// NewCompany makes one, with P-256 keys throughout.
func NewCompany(t testing.TB) *Company {
	t.Helper()
	ca := New(t)
	c := &Company{
		CA:      ca,
		Good:    ca.Issue("good"),
		Revoked: ca.Issue("revoked"),
		Signer:  ca.OCSPSigner("ocsp"),
		Unknown: ca.Unlisted("unknown"),
	}
	ca.Revoke(c.Revoked, "keyCompromise")
	return c
}
