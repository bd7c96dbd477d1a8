package signer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"io"
	"slices"

	"github.com/cloudflare/circl/sign"
)

// composite is an algorithm of draft-ietf-lamps-pq-composite-sigs-14: an ML-DSA
// key and an ECDSA key sign the same, and both signatures have to be right. The
// draft is no standard yet, and its revisions do not understand each other.
type composite struct {
	name  string // as in §6 of the draft
	last  byte   // of its OID, 1.3.6.1.5.5.7.6.N
	mldsa byte   // last of the OID of its ML-DSA
	bits  int    // of its curve
	hash  crypto.Hash
}

// compositeOIDs begins their OIDs in DER, without tag and length.
const compositeOIDs = "\x2b\x06\x01\x05\x05\x07\x06"

// composites are those with ECDSA on a curve of NIST.
var composites = [...]composite{
	{"MLDSA44-ECDSA-P256-SHA256", 40, 17, 256, crypto.SHA256},
	{"MLDSA65-ECDSA-P256-SHA512", 45, 18, 256, crypto.SHA512},
	{"MLDSA65-ECDSA-P384-SHA512", 46, 18, 384, crypto.SHA512},
	{"MLDSA87-ECDSA-P384-SHA512", 49, 19, 384, crypto.SHA512},
	{"MLDSA87-ECDSA-P521-SHA512", 54, 19, 521, crypto.SHA512},
}

// compositeOf returns the composite that an OID names, nil if it names none.
func compositeOf(oid []byte) *composite {
	for i := range composites {
		if string(oid) == compositeOIDs+string([]byte{composites[i].last}) {
			return &composites[i]
		}
	}
	return nil
}

func (c *composite) identifier() []byte {
	return append([]byte("\x30\x0a\x06\x08"+compositeOIDs), c.last)
}

func (c *composite) scheme() sign.Scheme { return mldsaScheme(append([]byte(nistSignatures), c.mldsa)) }

func (c *composite) curve() elliptic.Curve {
	switch c.bits {
	case 256:
		return elliptic.P256()
	case 384:
		return elliptic.P384()
	}
	return elliptic.P521()
}

// label tells the signatures of one composite from those of all others, and of
// the keys alone (§2.2 of the draft).
func (c *composite) label() []byte { return []byte("COMPSIG-" + c.name) }

// representative is what both keys sign instead of the message, with an empty
// context (§2.2).
func (c *composite) representative(message []byte) []byte {
	return slices.Concat([]byte("CompositeAlgorithmSignatures2025"), c.label(), []byte{0}, digestOf(message, c.hash))
}

// compositePublic is the public key of a composite.
type compositePublic struct {
	*composite
	first  sign.PublicKey
	second *ecdsa.PublicKey
}

// parsePublic reads the content of the BIT STRING: the two keys, one behind the
// other (§4.1).
func (c *composite) parsePublic(octets []byte) (*compositePublic, error) {
	s := c.scheme()
	if len(octets) < s.PublicKeySize() {
		return nil, sign.ErrPubKeySize
	}
	first, err := s.UnmarshalBinaryPublicKey(octets[:s.PublicKeySize()])
	if err != nil {
		return nil, err
	}
	second, err := ecdsa.ParseUncompressedPublicKey(c.curve(), octets[s.PublicKeySize():])
	return &compositePublic{c, first, second}, err
}

func (p *compositePublic) Equal(other crypto.PublicKey) bool {
	o, ok := other.(*compositePublic)
	return ok && p.composite == o.composite && p.first.Equal(o.first) && p.second.Equal(o.second)
}

// verifies demands both signatures (§3.3).
func (p *compositePublic) verifies(message, signature []byte) bool {
	s, representative := p.scheme(), p.representative(message)
	if len(signature) < s.SignatureSize() {
		return false
	}
	first, second := signature[:s.SignatureSize()], signature[s.SignatureSize():]
	return s.Verify(p.first, representative, first, &sign.SignatureOpts{Context: string(p.label())}) &&
		ecdsa.VerifyASN1(p.second, digestOf(representative, curveHash(p.second)), second)
}

// compositeKey is the private key of a composite, as crypto.Signer has it: what
// it signs is the message, not a digest.
type compositeKey struct {
	*composite
	first  mldsaKey
	second *ecdsa.PrivateKey
}

// parsePrivate reads the content of privateKey in PKCS#8: the seed of the
// ML-DSA key, and behind it an ECPrivateKey (§4.2).
func (c *composite) parsePrivate(octets []byte) (key compositeKey, err error) {
	s := c.scheme()
	if len(octets) < s.SeedSize() {
		return key, fmt.Errorf("this %s key is damaged: it has no seed of %d bytes", c.name, s.SeedSize())
	}
	_, first := s.DeriveKey(octets[:s.SeedSize()])
	second, err := x509.ParseECPrivateKey(octets[s.SeedSize():])
	if err == nil && second.Curve != c.curve() {
		err = fmt.Errorf("it is on the curve %s", second.Curve.Params().Name)
	}
	if err != nil {
		return key, fmt.Errorf("this %s key is damaged: no ECDSA key of it behind the seed: %w", c.name, err)
	}
	return compositeKey{c, mldsaKey{first}, second}, nil
}

func (k compositeKey) Public() crypto.PublicKey {
	return &compositePublic{k.composite, k.first.Public().(sign.PublicKey), &k.second.PublicKey}
}

// Sign signs with both keys (§3.2).
func (k compositeKey) Sign(_ io.Reader, message []byte, _ crypto.SignerOpts) ([]byte, error) {
	representative := k.representative(message)
	first, err := k.first.signWith(representative, k.label())
	if err != nil {
		return nil, err
	}
	hash := curveHash(&k.second.PublicKey)
	second, err := k.second.Sign(rand.Reader, digestOf(representative, hash), hash)
	if err != nil {
		return nil, err
	}
	return append(first, second...), nil
}
