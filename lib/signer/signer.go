// Package signer holds who signs for a CA.
package signer

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"sync/atomic"
	"time"
)

// Signer is a certificate with the private key that fits it. It never changes
// after Load and is safe for concurrent use.
type Signer struct {
	Certificate *x509.Certificate
	Path        string // file of the certificate, for messages
	KeyPath     string // file of the key; the same as Path where one file holds both; or where else it is kept

	key       key
	algorithm algorithm
	guard     string                           // as of Guard
	issuer    atomic.Pointer[x509.Certificate] // found to have issued Certificate
}

// Options says how a Signer signs. The zero value is right for every key.
type Options struct {
	Digest  string   // sha256, sha384 or sha512 (openssl's -rmd); empty for the digest that belongs to the key
	SigOpts []string // openssl's -rsigopt, "name:value"; only the RSA-PSS ones are known
}

// Load reads a certificate and its key, which are one file when rkey is empty.
// Of several certificates and several keys, the first key that fits a certificate
// is taken, and the first certificate that fits it.
// The passphrase is asked for only when the key is encrypted; nil means that
// there is none. Whether the certificate may sign is for Check to say.
func Load(rsigner, rkey string, pass Passphrase, opt Options) (*Signer, error) {
	if rkey == "" {
		rkey = rsigner
	}
	certs, err := readCertificates(rsigner, pass)
	if err != nil {
		return nil, err
	}
	if Elsewhere(rkey) {
		return loadElsewhere(certs, rsigner, rkey, pass, opt)
	}
	key, err := readKey(rkey, pass, certs)
	if err != nil {
		return nil, err
	}
	cert := fitting(certs, key)
	if cert == nil {
		return nil, fmt.Errorf("%s: the key in %s does not fit this certificate (%s); give the -rkey that was made for it",
			rsigner, rkey, quoteSubjects(certs))
	}
	alg, err := chooseAlgorithm(key.Public(), opt)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", rkey, err)
	}
	return &Signer{Certificate: cert, Path: rsigner, KeyPath: rkey, key: ownKey{key}, algorithm: alg, guard: rkey}, nil
}

func fitting(certs []*x509.Certificate, key crypto.Signer) *x509.Certificate {
	for _, cert := range certs {
		if sameKey(PublicKey(cert), key.Public()) {
			return cert
		}
	}
	return nil
}

func sameKey(a, b crypto.PublicKey) bool {
	k, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(b)
}

// Algorithm is the DER of the AlgorithmIdentifier that Sign answers with. It
// must not be changed.
func (s *Signer) Algorithm() []byte { return s.algorithm.identifier }

// Sign signs the bytes (not their digest) and names the algorithm as the DER of
// its AlgorithmIdentifier, which must not be changed. What a key that is kept
// elsewhere has made is verified first: it may be another one than it says. An
// error has ErrAway in it when such a key cannot be asked now.
func (s *Signer) Sign(tbs []byte) (algorithm, signature []byte, err error) {
	signature, err = s.key.sign(tbs, s)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: signing: %w", s.KeyPath, err)
	}
	if _, own := s.key.(ownKey); !own && CheckSignature(s.Certificate, s.algorithm.identifier, tbs, signature) != nil {
		return nil, nil, fmt.Errorf("%s: the signature that %s made is not one for it", s.Path, s.KeyPath)
	}
	return s.algorithm.identifier, signature, nil
}

// SignatureSize is how many bytes a signature has at the most.
func (s *Signer) SignatureSize() int { return signatureSize(PublicKey(s.Certificate)) }

// key makes signatures.
type key interface {
	// sign signs the bytes (not their digest) as s does: with the key of its
	// certificate, by its algorithm. ErrAway is in an error that heals.
	sign(tbs []byte, s *Signer) ([]byte, error)
}

// ownKey is a key that this process holds.
type ownKey struct{ crypto.Signer }

func (k ownKey) sign(tbs []byte, s *Signer) ([]byte, error) {
	return k.Sign(rand.Reader, digestOf(tbs, s.algorithm.opts), s.algorithm.opts)
}

// ValidityError says that a signer's certificate is not valid at a moment,
// which time or the CA will heal.
type ValidityError struct {
	Path                    string
	NotBefore, NotAfter, At time.Time
}

func (e *ValidityError) Error() string {
	if e.At.Before(e.NotBefore) {
		return fmt.Sprintf("%s: not valid before %s; check the clock", e.Path, utc(e.NotBefore))
	}
	return fmt.Sprintf("%s: expired on %s; renew it", e.Path, utc(e.NotAfter))
}

// ValidAt returns a *ValidityError when t lies outside the certificate's life,
// both ends of which still belong to it (RFC 5280 §4.1.2.5).
func (s *Signer) ValidAt(t time.Time) error {
	if t.Before(s.Certificate.NotBefore) || t.After(s.Certificate.NotAfter) {
		return &ValidityError{s.Path, s.Certificate.NotBefore, s.Certificate.NotAfter, t}
	}
	return nil
}

func utc(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }
