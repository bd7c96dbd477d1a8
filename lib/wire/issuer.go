package wire

import (
	"bytes"
	"crypto"
	"crypto/sha1"
	"errors"
	"sync/atomic"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// Issuer is a CA as CertIDs name it: by its subject with its key. It is safe
// for concurrent use.
type Issuer struct {
	name    []byte // subject, DER
	key     []byte // content of the key's BIT STRING
	digests [len(certHashes)]atomic.Pointer[digest]
}

// digest holds both hashes of one algorithm.
type digest struct{ name, key []byte }

// NewIssuer takes the subject and the SubjectPublicKeyInfo of the CA's
// certificate, both exactly as encoded there, and keeps them. A hash is
// computed when it is first asked for.
func NewIssuer(rawSubject, rawSubjectPublicKeyInfo []byte) (*Issuer, error) {
	if !isSequence(rawSubject) {
		return nil, errors.New("the issuer's subject is not a DER Name")
	}
	key, err := keyBits(rawSubjectPublicKeyInfo)
	if err != nil {
		return nil, err
	}
	return &Issuer{name: rawSubject, key: key}, nil
}

// Matches reports whether id names a certificate of this issuer: both hashes
// are of the name and of the key (RFC 6960 §4.1.1). A hash of the wrong length
// or of an algorithm not known here never matches.
func (i *Issuer) Matches(id *CertID) bool {
	slot := hashSlot(id.Hash)
	if slot < 0 {
		return false
	}
	d := i.digest(slot)
	return bytes.Equal(d.key, id.IssuerKeyHash) && bytes.Equal(d.name, id.IssuerNameHash)
}

// KeyHash is KeyHash of the issuer's own key.
func (i *Issuer) KeyHash() [sha1.Size]byte {
	return sha1.Sum(i.key)
}

// KeyHash returns what names a signer byKey (RFC 6960 §4.2.1): the SHA-1 of
// the content of its key's BIT STRING, without tag, length and unused bits.
func KeyHash(rawSubjectPublicKeyInfo []byte) ([sha1.Size]byte, error) {
	key, err := keyBits(rawSubjectPublicKeyInfo)
	if err != nil {
		return [sha1.Size]byte{}, err
	}
	return sha1.Sum(key), nil
}

// digest returns the hashes of the algorithm in that slot of certHashes. Two
// callers may both compute them the first time, to the same end.
func (i *Issuer) digest(slot int) *digest {
	if d := i.digests[slot].Load(); d != nil {
		return d
	}
	d := &digest{sum(certHashes[slot].hash, i.name), sum(certHashes[slot].hash, i.key)}
	i.digests[slot].Store(d)
	return d
}

func sum(hash crypto.Hash, octets []byte) []byte {
	h := hash.New()
	h.Write(octets)
	return h.Sum(nil)
}

// hashSlot returns where hash stands in certHashes, -1 where it does not.
func hashSlot(hash crypto.Hash) int {
	for slot := range certHashes {
		if certHashes[slot].hash == hash {
			return slot
		}
	}
	return -1
}

// keyBits returns the content of the subjectPublicKey BIT STRING.
func keyBits(rawSubjectPublicKeyInfo []byte) ([]byte, error) {
	var content, algorithm cryptobyte.String
	var bits []byte
	s := cryptobyte.String(rawSubjectPublicKeyInfo)
	if !s.ReadASN1(&content, asn1.SEQUENCE) || !s.Empty() ||
		!content.ReadASN1(&algorithm, asn1.SEQUENCE) || !isAlgorithm(algorithm) ||
		!content.ReadASN1BitStringAsBytes(&bits) || !content.Empty() {
		return nil, errors.New("the public key is not a DER SubjectPublicKeyInfo")
	}
	return bits, nil
}
