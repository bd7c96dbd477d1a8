package command

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"fmt"
	"math/big"
	"strings"

	"ocspcgi/lib/signer"
	"ocspcgi/lib/wire"
)

// subjects are the certificates that a verb is about.
type subjects struct {
	issuer  string      // file; the last named, and for those before the first
	hash    crypto.Hash // for what follows; 0 for SHA-1
	named   []named
	hanging string // a hash that nothing has followed so far
}

// named is a certificate as the flags name it.
type named struct {
	cert, serial string // one of both
	issuer       string
	hash         crypto.Hash
}

// subject is a certificate that is asked about.
type subject struct {
	name   string // as it was given
	id     wire.CertID
	cert   *x509.Certificate // nil where a serial number was given
	issuer *x509.Certificate
}

const subjectUsage = `  -ca FILE      certificate of the CA that issued it, also within a chain (-issuer)
  -cert FILE    certificate asked about; may be repeated. With the CA's behind it
                in the file, -ca is not needed
  -serial HEX   serial number asked about, as in index.txt; may be repeated
  -hash NAME    hash of the CertID: sha1 (default), sha256, sha384, sha512,
                sha3-256 …; also -sha256. It counts for what follows
`

// digests are the hashes of CertIDs by openssl's names.
var digests = [...]struct {
	name string
	hash crypto.Hash
}{
	{"sha1", crypto.SHA1}, {"sha224", crypto.SHA224}, {"sha256", crypto.SHA256}, {"sha384", crypto.SHA384}, {"sha512", crypto.SHA512},
	{"sha512-256", crypto.SHA512_256}, {"sha3-256", crypto.SHA3_256}, {"sha3-384", crypto.SHA3_384}, {"sha3-512", crypto.SHA3_512},
}

// digest finds a hash by its name, in any letter case.
func digest(name string) (hash crypto.Hash, known bool) {
	for _, d := range digests {
		if strings.EqualFold(d.name, name) {
			return d.hash, true
		}
	}
	return 0, false
}

// subjects takes the flags that name certificates. As in openssl, an issuer or a
// hash counts for what follows it; what stands before the first has that.
func (v *verb) subjects() *subjects {
	s := &subjects{}
	v.call(func(path string) error { s.settle(path); return nil }, "ca", "CA", "issuer")
	v.call(func(path string) error { s.add(named{cert: path}); return nil }, "cert")
	v.call(func(serial string) error { s.add(named{serial: serial}); return nil }, "serial")
	v.call(s.setHash, "hash")
	for _, d := range digests {
		v.flags.BoolFunc(d.name, "", func(string) error { return s.setHash(d.name) })
	}
	return s
}

func (s *subjects) setHash(name string) error {
	hash, known := digest(name)
	if !known {
		return fmt.Errorf("no CertID is made with it; there are sha1, sha256, sha384, sha512 and more")
	}
	s.hash, s.hanging = hash, name
	return nil
}

func (s *subjects) add(n named) {
	n.issuer, n.hash, s.hanging = s.issuer, s.hash, ""
	s.named = append(s.named, n)
}

// settle gives what has no issuer yet the one that is named now.
func (s *subjects) settle(issuer string) {
	s.issuer = issuer
	for i := range s.named {
		if s.named[i].issuer == "" {
			s.named[i].issuer = issuer
		}
	}
}

// find reads what was named.
func (s *subjects) find() ([]subject, error) {
	if s.hanging != "" {
		return nil, misused("%s counts for what follows it, and nothing does; put it before -cert or -serial", s.hanging)
	}
	found := make([]subject, len(s.named))
	for i, n := range s.named {
		var err error
		if found[i], err = n.find(); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (n *named) find() (subject, error) {
	hash := n.hash
	if hash == 0 {
		hash = crypto.SHA1
	}
	if n.cert == "" {
		serial, err := ParseSerial(n.serial)
		if err != nil {
			return subject{}, misuse{err}
		}
		if n.issuer == "" {
			return subject{}, misused("-serial %s: of which CA? Name its certificate with -ca", n.serial)
		}
		cas, err := signer.ReadCertificates(n.issuer)
		if err != nil {
			return subject{}, err
		}
		return identify(n.serial, hash, nil, cas[0], serial)
	}
	certs, err := signer.ReadCertificates(n.cert)
	if err != nil {
		return subject{}, err
	}
	from, cas := n.cert, certs[1:]
	if n.issuer != "" {
		from = n.issuer
		if cas, err = signer.ReadCertificates(n.issuer); err != nil {
			return subject{}, err
		}
	}
	issuer := issuerOf(certs[0], cas)
	switch {
	case issuer == nil && len(cas) == 0:
		return subject{}, misused("-cert %s: name the certificate of the CA that issued it, %q, with -ca", n.cert, certs[0].Issuer)
	case issuer == nil:
		return subject{}, fmt.Errorf("%s: was issued by %q, whose certificate is not in %s", n.cert, certs[0].Issuer, from)
	}
	return identify(n.cert, hash, certs[0], issuer, certs[0].SerialNumber)
}

func identify(name string, hash crypto.Hash, cert, issuer *x509.Certificate, serial *big.Int) (subject, error) {
	of, err := wire.NewIssuer(issuer.RawSubject, issuer.RawSubjectPublicKeyInfo)
	if err != nil {
		return subject{}, err
	}
	id, err := of.CertID(hash, serial)
	return subject{name: name, id: id, cert: cert, issuer: issuer}, err
}

// issuerOf finds the CA with the name and the key that issued cert.
func issuerOf(cert *x509.Certificate, cas []*x509.Certificate) *x509.Certificate {
	for _, ca := range cas {
		if bytes.Equal(ca.RawSubject, cert.RawIssuer) && signer.Issued(ca, cert) {
			return ca
		}
	}
	return nil
}

// oneIssuer returns the CA that issued all of them; nil where there are none.
func oneIssuer(about []subject) (*x509.Certificate, error) {
	for _, subject := range about {
		if !subject.issuer.Equal(about[0].issuer) {
			return nil, misused("%s and %s are of different CAs; one response is verified for one CA", about[0].name, subject.name)
		}
	}
	if len(about) == 0 {
		return nil, nil
	}
	return about[0].issuer, nil
}

// ParseSerial reads a serial number as index.txt and openssl x509 write it: in
// hexadecimal, with 0x, colons and a minus or without.
func ParseSerial(text string) (*big.Int, error) {
	digits, negative := strings.CutPrefix(strings.ReplaceAll(text, ":", ""), "-")
	digits = strings.TrimPrefix(strings.TrimPrefix(digits, "0x"), "0X")
	n, ok := new(big.Int).SetString(digits, 16)
	if !ok || n.Sign() < 0 || strings.ContainsAny(digits, "_+") {
		return nil, fmt.Errorf("-serial %q is no number in hexadecimal", text)
	}
	if negative {
		n.Neg(n)
	}
	return n, nil
}
