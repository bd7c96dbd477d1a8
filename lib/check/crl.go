package check

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"slices"
	"time"

	"ocspcgi/lib/index"
	"ocspcgi/lib/signer"
)

// Reasons of a CRL's entry (RFC 5280 section 5.3.1).
const (
	onHold        = 6
	removeFromCRL = 8
)

// crls compares the CRLs of -crl with the indexes.
func (c *Checker) crls() {
	for _, path := range c.told.crls {
		c.issuer = "-crl " + path
		list, err := readCRL(path)
		if err != nil {
			c.say(fault, err.Error(), path)
			continue
		}
		at := slices.IndexFunc(c.issuers, func(i *issuer) bool { return i.ca != nil && signedBy(i.ca, list) })
		if at < 0 {
			c.add(row{Level: fault, File: path, Text: fmt.Sprintf("the CRL says that it is of %q, and none of the CAs here has signed it", list.Issuer.String()), Remedy: "give the CRL of the CA whose index.txt is answered from"})
			continue
		}
		c.issuer = c.issuers[at].where
		c.crl(path, list, c.issuers[at])
	}
}

// readCRL reads a CRL in PEM or DER.
func readCRL(path string) (*x509.RevocationList, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	for rest := data; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type == "X509 CRL" {
			data = block.Bytes
			break
		}
	}
	list, err := x509.ParseRevocationList(data)
	if err != nil {
		if old, oldErr := parseV1(data); oldErr == nil {
			return old, nil
		}
		return nil, fmt.Errorf("%s: not a CRL (%w); give one in PEM or DER", path, err)
	}
	return list, nil
}

// signedList is a CRL as it is signed (RFC 5280 section 5.1).
type signedList struct {
	TBS, Algorithm asn1.RawValue
	Signature      asn1.BitString
}

// parseV1 reads a CRL of version 1, which openssl ca makes where crl_extensions
// are not set and no reason is given, and crypto/x509 does not read.
func parseV1(der []byte) (*x509.RevocationList, error) {
	var signed signedList
	var tbs struct {
		Algorithm  asn1.RawValue
		Issuer     asn1.RawValue
		ThisUpdate time.Time
		NextUpdate time.Time `asn1:"optional"`
		Revoked    []struct {
			Serial *big.Int
			At     time.Time
		} `asn1:"optional"`
	}
	var name pkix.RDNSequence
	if err := whole(asn1.Unmarshal(der, &signed)); err != nil {
		return nil, err
	}
	if err := whole(asn1.Unmarshal(signed.TBS.FullBytes, &tbs)); err != nil {
		return nil, err
	}
	if err := whole(asn1.Unmarshal(tbs.Issuer.FullBytes, &name)); err != nil {
		return nil, err
	}
	list := &x509.RevocationList{Raw: der, RawIssuer: tbs.Issuer.FullBytes, ThisUpdate: tbs.ThisUpdate, NextUpdate: tbs.NextUpdate}
	list.Issuer.FillFromRDNSequence(&name)
	for _, e := range tbs.Revoked {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: e.Serial, RevocationTime: e.At})
	}
	return list, nil
}

// whole is the error of asn1.Unmarshal, which a rest is too.
func whole(rest []byte, err error) error {
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%d bytes too many", len(rest))
	}
	return err
}

func signedBy(ca *x509.Certificate, list *x509.RevocationList) bool {
	if list.SignatureAlgorithm != x509.UnknownSignatureAlgorithm {
		return ca.CheckSignature(list.SignatureAlgorithm, list.RawTBSRevocationList, list.Signature) == nil
	}
	var signed signedList
	err := whole(asn1.Unmarshal(list.Raw, &signed))
	return err == nil && signer.CheckSignature(ca, signed.Algorithm.FullBytes, signed.TBS.FullBytes, signed.Signature.RightAlign()) == nil
}

// crl compares one with the index of its CA: what is revoked in the one and not
// in the other.
func (c *Checker) crl(path string, list *x509.RevocationList, i *issuer) {
	c.dates(path, list, i.ca)
	listed := map[string]bool{}
	missing, extra := crowd{c: c}, crowd{c: c}
	for _, e := range list.RevokedCertificateEntries {
		serial := octets(e.SerialNumber)
		if listed[string(serial)] = e.ReasonCode != removeFromCRL; !listed[string(serial)] {
			continue
		}
		entry, err := i.index.Lookup(serial)
		switch {
		case errors.Is(err, index.ErrNotFound):
			missing.add(row{Level: warning, File: path, Text: fmt.Sprintf("serial %X is revoked in the CRL, and not in %s; not known to the responder", serial, i.index.Path), Remedy: "copy index.txt from the CA again"})
		case err == nil && entry.Status != index.Revoked:
			missing.add(row{Level: fault, File: path, Text: fmt.Sprintf("serial %X is revoked in the CRL, and not in %s; answered good", serial, i.index.Path), Remedy: "copy index.txt from the CA again, or openssl ca -revoke it"})
		}
	}
	i.index.Revoked(func(serial []byte, line int, e index.Entry) bool {
		if over := !e.Expires.IsZero() && e.Expires.Before(list.ThisUpdate); !listed[string(serial)] && !over {
			extra.add(row{Level: warning, File: i.index.Path, Line: line, Text: fmt.Sprintf("serial %X is revoked, and not in %s", serial, path), Remedy: "openssl ca -gencrl, and publish it: who reads CRLs does not know yet"})
		}
		return true
	})
	missing.close()
	extra.close()
	if missing.n+extra.n == 0 {
		c.ok(path, "revokes what %s revokes: %s", i.index.Path, plural(len(list.RevokedCertificateEntries), "certificate"))
	}
}

// dates looks at those of a CRL, and at who may have signed it.
func (c *Checker) dates(path string, list *x509.RevocationList, ca *x509.Certificate) {
	now := c.now()
	switch {
	case list.ThisUpdate.After(now.Add(skew)):
		c.add(row{Level: warning, File: path, Text: "thisUpdate " + clock(list.ThisUpdate) + " lies in the future", Remedy: "set the clock, here or at the CA"})
	case !list.NextUpdate.IsZero() && list.NextUpdate.Before(now):
		c.add(row{Level: warning, File: path, Text: "nextUpdate " + clock(list.NextUpdate) + " has passed", Remedy: "openssl ca -gencrl, and publish it"})
	case !list.NextUpdate.IsZero() && list.NextUpdate.Sub(now) < 24*time.Hour:
		c.add(row{Level: hint, File: path, Text: "nextUpdate is " + clock(list.NextUpdate), Remedy: "openssl ca -gencrl soon"})
	}
	if !bytes.Equal(list.RawIssuer, ca.RawSubject) {
		c.add(row{Level: warning, File: path, Text: fmt.Sprintf("the CRL names %q, and the CA is %q", list.Issuer.String(), ca.Subject.String())})
	}
	if ca.KeyUsage != 0 && ca.KeyUsage&x509.KeyUsageCRLSign == 0 {
		c.add(row{Level: warning, File: path, Text: "the CA's key usage lacks cRLSign; clients refuse the CRL"})
	}
}
