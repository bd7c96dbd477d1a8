package check

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/command"
	"ocspcgi/lib/index"
	"ocspcgi/lib/signer"
	"ocspcgi/lib/wire"
)

// subject is a certificate that a responder is asked about.
type subject struct {
	ca      *x509.Certificate
	serial  *big.Int
	status  wire.CertStatus     // what the answer has to be; 0: that is not known
	expires time.Time           // zero: not known
	from    string              // what says so
	error   ocsp.ResponseStatus // what it is answered with in place of a status; 0: nothing
}

// request returns the subject's CertID by that hash, and the request for it.
func (s *subject) request(hash crypto.Hash, nonce []byte) (wire.CertID, []byte, error) {
	issuer, err := wire.NewIssuer(s.ca.RawSubject, s.ca.RawSubjectPublicKeyInfo)
	if err != nil {
		return wire.CertID{}, nil, err
	}
	id, err := issuer.CertID(hash, s.serial)
	if err != nil {
		return id, nil, err
	}
	req := wire.Request{CertIDs: []wire.CertID{id}, Nonce: nonce}
	der, err := req.Marshal(nil)
	return id, der, err
}

// awkward is a serial number that nobody has, and whose request makes base64
// with all that servers stumble over: // and + and =.
func awkward(ca *x509.Certificate) (*subject, error) {
	for ones := 4; ones < 10; ones++ {
		for rest := range 3 {
			serial := append([]byte{0x7f}, bytes.Repeat([]byte{0xff}, ones)...)
			serial = append(serial, 0xfb, 0xef, 0xbe, 0xfb, 0xef, 0xbe)
			serial = append(serial, bytes.Repeat([]byte{1}, rest)...)
			s := &subject{ca: ca, serial: new(big.Int).SetBytes(serial)}
			_, der, err := s.request(crypto.SHA1, nil)
			if err != nil {
				return nil, err
			}
			text := base64.StdEncoding.EncodeToString(der)
			if strings.Contains(text, "//") && strings.Contains(text, "+") && strings.HasSuffix(text, "=") {
				return s, nil
			}
		}
	}
	return nil, fmt.Errorf("no request with slashes can be made for %q", ca.Subject.String())
}

// subjects are the certificates that the responder is asked about: those that
// the flags name, or one of each status from each index.
func (c *Checker) subjects() ([]*subject, error) {
	if c.told.issuer != "" {
		return c.toldSubjects()
	}
	var all []*subject
	for _, i := range c.issuers {
		if i.ca == nil {
			continue
		}
		all = append(all, fromIndex(i, c.now())...)
	}
	if c.told.cert+c.told.serial == "" || len(all) == 0 {
		return all, nil
	}
	return c.toldOf(c.issuers)
}

// fromIndex takes the first row of each status that is to be answered alike for
// a while yet.
func fromIndex(i *issuer, now time.Time) (all []*subject) {
	var valid, revoked bool
	err := index.Rows(i.index.Path, func(r *index.Row) bool {
		entry, err := i.index.Lookup(r.Serial)
		if r.Serial == nil || err != nil || entry.Expires.Before(now) {
			return true
		}
		s := &subject{ca: i.ca, serial: new(big.Int).SetBytes(r.Serial), expires: entry.Expires, from: fmt.Sprintf("%s:%d", i.index.Path, r.Line)}
		switch {
		case r.Serial[0]&0x80 != 0:
			return true // a negative number
		case entry.Status == index.Revoked && !revoked:
			revoked, s.status = true, wire.Revoked
		case entry.Status == index.Valid && !valid:
			valid, s.status = true, wire.Good
		default:
			return true
		}
		all = append(all, s)
		return !valid || !revoked
	})
	if err != nil || len(all) == 0 {
		return []*subject{{ca: i.ca, serial: i.ca.SerialNumber, from: "the CA's own serial number"}}
	}
	return all
}

// toldSubjects is the one that -issuer with -cert or -serial names.
func (c *Checker) toldSubjects() ([]*subject, error) {
	cas, err := signer.ReadCertificates(c.told.issuer)
	if err != nil {
		return nil, fmt.Errorf("-issuer: %w", err)
	}
	return c.toldOf([]*issuer{{ca: cas[0]}})
}

// toldOf is the certificate of -cert or -serial, of one of these issuers.
func (c *Checker) toldOf(issuers []*issuer) ([]*subject, error) {
	if c.told.cert == "" {
		serial, err := command.ParseSerial(c.told.serial)
		if err != nil {
			return nil, err
		}
		return []*subject{{ca: issuers[0].ca, serial: serial, from: "-serial"}}, nil
	}
	certs, err := signer.ReadCertificates(c.told.cert)
	if err != nil {
		return nil, fmt.Errorf("-cert: %w", err)
	}
	for _, i := range issuers {
		if i.ca != nil && signer.Issued(i.ca, certs[0]) {
			return []*subject{{ca: i.ca, serial: certs[0].SerialNumber, expires: certs[0].NotAfter, from: c.told.cert}}, nil
		}
	}
	return nil, fmt.Errorf("-cert %s: issued by %q, and by none of the CAs given; give that one as -issuer", c.told.cert, certs[0].Issuer.String())
}
