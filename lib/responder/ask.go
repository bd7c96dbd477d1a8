package responder

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"fmt"
	"math/big"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/signer"
	"ocspcgi/lib/wire"
)

// Request returns the OCSPRequest that asks for one of the issuer's serial
// numbers, as most clients write it: unsigned, without a nonce, with SHA-1.
func (i *Issuer) Request(serial *big.Int) ([]byte, error) {
	id, err := i.hashes.CertID(crypto.SHA1, serial)
	if err != nil {
		return nil, err
	}
	return (&wire.Request{CertIDs: []wire.CertID{id}}).Marshal(nil)
}

// Issued reports whether the certificate was issued under the issuer's name and
// signed by its key. A kind of signature that is not known here is nobody's.
func (i *Issuer) Issued(cert *x509.Certificate) bool {
	return bytes.Equal(cert.RawIssuer, i.CA.RawSubject) && signer.Issued(i.CA, cert)
}

// Statement is what a signed answer says of one certificate.
type Statement struct {
	Status     string    // good, revoked or unknown
	Revoked    time.Time // of a revoked one
	Reason     string    // of a revoked one, in openssl's words; empty: none
	ThisUpdate time.Time
	NextUpdate time.Time
}

// Statement reads what the answer to a request of one certificate says, from
// the bytes that a client gets. The error says that it tells no status.
func (a *Answer) Statement() (Statement, error) {
	resp, err := wire.ParseResponse(a.DER)
	if err != nil {
		return Statement{}, err
	}
	if resp.Status != ocsp.Success || len(resp.Singles) != 1 {
		return Statement{}, fmt.Errorf("%v, of %d certificates", resp.Status, len(resp.Singles))
	}
	single := &resp.Singles[0]
	s := Statement{Status: single.Status.String(), ThisUpdate: single.ThisUpdate, NextUpdate: single.NextUpdate}
	if single.Status == wire.Revoked {
		s.Revoked, s.Reason = single.RevokedAt, wire.ReasonName(int(int8(single.Reason)))
	}
	return s, nil
}
