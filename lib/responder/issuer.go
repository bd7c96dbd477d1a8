package responder

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/index"
	"ocspcgi/lib/signer"
	"ocspcgi/lib/wire"
)

// Index looks a serial number up, given as the content octets of its DER
// INTEGER. The error is index.ErrNotFound where the issuer never gave that
// number out; any other error means that the status cannot be told.
type Index interface {
	Lookup(serial []byte) (index.Entry, error)
}

// epochs is an Index that can tell whether it may have changed: the number
// has gone up since a Lookup if its answer may be another one now. now is the
// time of whoever asks; 0 says that it cannot be told.
type epochs interface {
	Epoch(now time.Time) uint64
}

// Files names what an issuer is made of.
type Files struct {
	Where    string // where these settings stand, for messages
	CA       string // the issuer's certificate, with others or alone
	Signers  []SignerFiles
	Other    []string // more certificates for each answer (-rother)
	Digest   string   // of the signature; empty: the key's own (-rmd)
	SigOpts  []string // -rsigopt
	Lifetime time.Duration
	ByName   bool // responderID byName instead of byKey
	NoCerts  bool // no certificates in the answers

	Public   bool          // what the rules for publicly trusted CAs forbid is a fault
	Backdate time.Duration // as the Responder's, for these rules
}

// SignerFiles names a signer's certificate and key.
type SignerFiles struct {
	Certificate string
	Key         string            // empty: in the certificate's file; see signer.Elsewhere
	Passphrase  signer.Passphrase // asked for an encrypted key's; nil: there is none
}

// Paths returns the files that Open reads, for whoever watches them.
func (f *Files) Paths() []string {
	paths := append([]string{f.CA}, f.Other...)
	for _, pair := range f.Signers {
		paths = append(paths, pair.Certificate)
		if pair.Key != "" && !signer.Elsewhere(pair.Key) {
			paths = append(paths, pair.Key)
		}
	}
	return paths
}

// Issuer is one CA key that is answered for, with its index and who signs.
// It does not change once it is open.
type Issuer struct {
	Name     string // the CA's name, for people
	CA       *x509.Certificate
	Index    Index
	Lifetime time.Duration // from producedAt to nextUpdate

	epochs epochs // Index's; nil: it has none

	where   string
	public  bool // says nothing that a publicly trusted CA may not
	hashes  *wire.Issuer
	signers []*identity // the newest first
}

// identity is a signer with all that an answer says of it.
type identity struct {
	signer       *signer.Signer
	keyHash      [20]byte
	byName       []byte // nil: byKey
	certificates [][]byte
	away         atomic.Bool // its key could not be asked the last time
	tried        atomic.Bool // by one request, whether its key is still away
	cost         cost        // of a signature
	turns        *turns      // of a key that is kept elsewhere; nil: the responder's
}

// Open reads an issuer's certificates and keys, and checks that they belong
// together. All that is wrong is in the one error. A signer that is not valid
// now is no error: time heals it.
func Open(files Files, idx Index) (*Issuer, error) {
	var faults []error
	cas, err := signer.ReadCertificates(files.CA)
	if err != nil {
		faults = append(faults, fmt.Errorf("-CA: %w", err))
	}
	changes, _ := idx.(epochs)
	issuer := &Issuer{Index: idx, epochs: changes, Lifetime: files.Lifetime, public: files.Public, where: files.Where}
	others, err := readAll(files.Other)
	if err != nil {
		faults = append(faults, err)
	}
	for _, pair := range files.Signers {
		s, err := signer.Load(pair.Certificate, pair.Key, pair.Passphrase,
			signer.Options{Digest: files.Digest, SigOpts: files.SigOpts})
		if err == nil && cas != nil {
			err = issuer.add(s, cas, others, files)
		}
		if err != nil {
			faults = append(faults, err)
		}
	}
	if files.Public {
		faults = append(faults, files.checkPublic(issuer.signers))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("%s: %w", files.Where, err)
	}
	slices.SortStableFunc(issuer.signers, func(a, b *identity) int {
		return b.signer.Certificate.NotBefore.Compare(a.signer.Certificate.NotBefore)
	})
	return issuer, nil
}

// add makes s a signer of the issuer, which the first one picks from cas.
func (i *Issuer) add(s *signer.Signer, cas []*x509.Certificate, others [][]byte, files Files) error {
	ca, err := signer.Issuer(cas, s)
	if err != nil {
		return fmt.Errorf("%s: %w", files.CA, err)
	}
	if i.CA == nil {
		if err := i.of(ca); err != nil {
			return err
		}
	}
	if err := s.Check(i.CA); err != nil {
		return err
	}
	keyHash, err := wire.KeyHash(s.Certificate.RawSubjectPublicKeyInfo)
	if err != nil {
		return fmt.Errorf("%s: %w", s.Path, err)
	}
	id := &identity{signer: s, keyHash: keyHash}
	if id.cost.elsewhere = signer.Elsewhere(s.KeyPath); id.cost.elsewhere {
		id.turns = &turns{most: elsewhere}
	}
	if files.ByName {
		id.byName = s.Certificate.RawSubject
	}
	if !files.NoCerts {
		id.certificates = append([][]byte{s.Certificate.Raw}, others...)
	}
	i.signers = append(i.signers, id)
	return nil
}

// of makes ca the certificate of the issuer.
func (i *Issuer) of(ca *x509.Certificate) error {
	hashes, err := wire.NewIssuer(ca.RawSubject, ca.RawSubjectPublicKeyInfo)
	if err != nil {
		return err
	}
	i.CA, i.hashes, i.Name = ca, hashes, name(ca)
	return nil
}

// name is what people call a CA by.
func name(ca *x509.Certificate) string {
	if ca.Subject.CommonName != "" {
		return ca.Subject.CommonName
	}
	return ca.Subject.String()
}

func readAll(paths []string) ([][]byte, error) {
	var out [][]byte
	for _, path := range paths {
		certs, err := signer.ReadCertificates(path)
		if err != nil {
			return nil, fmt.Errorf("-rother: %w", err)
		}
		for _, cert := range certs {
			out = append(out, cert.Raw)
		}
	}
	return out, nil
}

// Signers returns who signs for the issuer, the newest first.
func (i *Issuer) Signers() []*signer.Signer {
	out := make([]*signer.Signer, len(i.signers))
	for n, id := range i.signers {
		out[n] = id.signer
	}
	return out
}

// mostStapled is the size of the largest answer that Apache staples.
const mostStapled = 10239

// Warnings lists what is not wrong, but will be refused by some who ask. Each
// says where it is set.
func (i *Issuer) Warnings() []string {
	for _, id := range i.signers {
		if size := id.answerSize(); size > mostStapled {
			remedy := "leave some -rother out"
			if len(id.certificates) == 1 {
				remedy = "a signer with a smaller key would do, such as ML-DSA-65 or P-256"
			}
			return []string{fmt.Sprintf("%s: answers have about %d bytes with these certificates; Apache staples none over %d: %s", i.where, size, mostStapled, remedy)}
		}
	}
	return nil
}

// answerSize is about the size of an answer about one certificate.
func (id *identity) answerSize() int {
	const rest = 300 // all that is neither signature nor certificate
	size := rest + id.signer.SignatureSize()
	for _, cert := range id.certificates {
		size += len(cert)
	}
	return size
}

// SameKey reports whether two issuers are one CA: the same name and key, so
// that no request can tell them apart.
func (i *Issuer) SameKey(other *Issuer) bool {
	return bytes.Equal(i.CA.RawSubject, other.CA.RawSubject) &&
		bytes.Equal(i.CA.RawSubjectPublicKeyInfo, other.CA.RawSubjectPublicKeyInfo)
}

// Equal reports whether two issuers give the same answers from the same rows.
func (i *Issuer) Equal(other *Issuer) bool {
	return i.Index == other.Index && i.Lifetime == other.Lifetime && bytes.Equal(i.CA.Raw, other.CA.Raw) &&
		slices.EqualFunc(i.signers, other.signers, func(a, b *identity) bool {
			return bytes.Equal(a.signer.Certificate.Raw, b.signer.Certificate.Raw) &&
				slices.EqualFunc(a.certificates, b.certificates, bytes.Equal)
		})
}

// Prove has each signer sign, and checks the signature with its certificate. It
// says so of one whose key is away with signer.ErrAway, where nothing else is
// wrong.
func (i *Issuer) Prove() error {
	var away error
	for _, id := range i.signers {
		switch err := id.signer.Prove(); {
		case errors.Is(err, signer.ErrAway):
			away = err
		case err != nil:
			return err
		}
	}
	return away
}

// Able says why nobody signs for the issuer at now; nil: somebody does.
func (i *Issuer) Able(now time.Time) error {
	var why error
	for _, id := range i.signers {
		err := id.rests(now)
		if err == nil {
			return nil
		}
		why = errors.Join(why, err)
	}
	return why
}

// lastMinutes is how long before its notAfter a signer rests: an answer that
// ends sooner than that helps nobody who staples it.
const lastMinutes = 10 * time.Minute

// identityFor picks who signs for all of rows: of the signers that are valid
// now the one whose algorithm the client wishes for most (RFC 6960 §4.4.7.2),
// else the newest. With no one, it returns the status to answer.
func identityFor(rows []row, req *wire.Request, now time.Time) (*identity, ocsp.ResponseStatus, error) {
	var able []*identity
	var why error
	authorized := false
	for _, id := range rows[0].issuer.signers {
		if !signsForAll(id, rows) {
			continue
		}
		authorized = true
		if err := id.rests(now); err != nil {
			why = errors.Join(why, err)
			continue
		}
		able = append(able, id)
	}
	switch {
	case !authorized:
		return nil, ocsp.Unauthorized, errors.New("the request names certificates of issuers that no one signer may answer for together")
	case len(able) == 0:
		return nil, ocsp.TryLater, why
	}
	for _, wish := range req.Preferred {
		for _, id := range able {
			if wire.SameAlgorithm(wish, id.signer.Algorithm()) {
				return id, ocsp.Success, nil
			}
		}
	}
	return able[0], ocsp.Success, nil
}

// rests says why the signer does not sign at now, if it does not.
func (id *identity) rests(now time.Time) error {
	if err := id.signer.ValidAt(now); err != nil {
		return err
	}
	if end := id.signer.Certificate.NotAfter; !now.Add(lastMinutes).Before(end) {
		return fmt.Errorf("%s: ends at %s, in less than %v", id.signer.Path, end.UTC().Format(time.RFC3339), lastMinutes)
	}
	return nil
}

// gone is the answer while the key is away.
func (id *identity) gone(rows []row) *Answer {
	return refusal(ocsp.TryLater, fmt.Errorf("%s: %w", id.signer.KeyPath, signer.ErrAway), describe(rows))
}

// signsForAll reports whether every row's issuer has that same signer.
func signsForAll(id *identity, rows []row) bool {
	for i := range rows {
		if rows[i].issuer == rows[0].issuer {
			continue
		}
		if !slices.ContainsFunc(rows[i].issuer.signers, func(other *identity) bool {
			return bytes.Equal(other.signer.Certificate.Raw, id.signer.Certificate.Raw)
		}) {
			return false
		}
	}
	return true
}
