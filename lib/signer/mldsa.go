package signer

import (
	"bytes"
	"crypto"
	"crypto/sha3"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/cloudflare/circl/sign"
	"github.com/cloudflare/circl/sign/mldsa/mldsa44"
	"github.com/cloudflare/circl/sign/mldsa/mldsa65"
	"github.com/cloudflare/circl/sign/mldsa/mldsa87"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// nistSignatures begins the OIDs of NIST's signature algorithms, in DER without
// tag and length: 2.16.840.1.101.3.4.3.
const nistSignatures = "\x60\x86\x48\x01\x65\x03\x04\x03"

// mldsaScheme returns the parameter set of ML-DSA (FIPS 204) that an OID names
// for keys and signatures alike (RFC 9881 §2), nil if it names none.
func mldsaScheme(oid []byte) sign.Scheme {
	switch string(oid) {
	case nistSignatures + "\x11":
		return mldsa44.Scheme()
	case nistSignatures + "\x12":
		return mldsa65.Scheme()
	case nistSignatures + "\x13":
		return mldsa87.Scheme()
	}
	return nil
}

// mldsaNamed is mldsaScheme for a name such as ML-DSA-65.
func mldsaNamed(name string) sign.Scheme {
	for _, last := range []string{"\x11", "\x12", "\x13"} {
		if s := mldsaScheme([]byte(nistSignatures + last)); s.Name() == name {
			return s
		}
	}
	return nil
}

// mldsaIdentifier is the AlgorithmIdentifier of a parameter set, which has no
// parameters (RFC 9881 §2).
func mldsaIdentifier(s sign.Scheme) []byte {
	last := map[string]string{"ML-DSA-44": "\x11", "ML-DSA-65": "\x12", "ML-DSA-87": "\x13"}[s.Name()]
	return []byte("\x30\x0b\x06\x09" + nistSignatures + last)
}

// mldsaKey is a private key of ML-DSA as crypto.Signer has it: what it signs is
// the message, not a digest.
type mldsaKey struct{ sign.PrivateKey }

// Sign signs with fresh randomness, as FIPS 204 §3.4 prefers it.
func (k mldsaKey) Sign(_ io.Reader, message []byte, _ crypto.SignerOpts) ([]byte, error) {
	return k.signWith(message, nil)
}

func (k mldsaKey) signWith(message, context []byte) (signature []byte, err error) {
	signature = make([]byte, k.Scheme().SignatureSize())
	switch key := k.PrivateKey.(type) {
	case *mldsa44.PrivateKey:
		err = mldsa44.SignTo(key, message, context, true, signature)
	case *mldsa65.PrivateKey:
		err = mldsa65.SignTo(key, message, context, true, signature)
	case *mldsa87.PrivateKey:
		err = mldsa87.SignTo(key, message, context, true, signature)
	default:
		err = fmt.Errorf("no way to sign with %s", k.Scheme().Name())
	}
	return signature, err
}

// parseMLDSA reads the content of privateKey in PKCS#8: the seed, the expanded
// key, or both (RFC 9881 §6).
func parseMLDSA(s sign.Scheme, content cryptobyte.String) (key crypto.Signer, err error) {
	var seed, expanded, both cryptobyte.String
	seedTag := asn1.Tag(0).ContextSpecific()
	switch {
	case content.PeekASN1Tag(seedTag):
		if content.ReadASN1(&seed, seedTag) && content.Empty() {
			return mldsaFromSeed(s, seed)
		}
	case content.PeekASN1Tag(asn1.OCTET_STRING):
		if content.ReadASN1(&expanded, asn1.OCTET_STRING) && content.Empty() {
			return mldsaFromExpanded(s, expanded)
		}
	case content.ReadASN1(&both, asn1.SEQUENCE) && content.Empty():
		if both.ReadASN1(&seed, asn1.OCTET_STRING) && both.ReadASN1(&expanded, asn1.OCTET_STRING) && both.Empty() {
			return mldsaFromBoth(s, seed, expanded)
		}
	}
	return nil, fmt.Errorf("this %s key is damaged: it is neither a seed, nor an expanded key, nor both (RFC 9881 §6)", s.Name())
}

func mldsaFromSeed(s sign.Scheme, seed []byte) (crypto.Signer, error) {
	if len(seed) != s.SeedSize() {
		return nil, fmt.Errorf("this %s key is damaged: its seed has %d bytes instead of %d", s.Name(), len(seed), s.SeedSize())
	}
	_, key := s.DeriveKey(seed)
	return mldsaKey{key}, nil
}

// mldsaFromExpanded takes a key whose hash of the public key, which each
// signature begins with, is that of the public key that its secrets make.
func mldsaFromExpanded(s sign.Scheme, expanded []byte) (crypto.Signer, error) {
	const hashAt, hashSize = 64, 64 // behind rho and K (FIPS 204 algorithm 24)
	if len(expanded) != s.PrivateKeySize() {
		return nil, fmt.Errorf("this %s key is damaged: it has %d bytes instead of %d", s.Name(), len(expanded), s.PrivateKeySize())
	}
	key, err := s.UnmarshalBinaryPrivateKey(expanded)
	if err != nil {
		return nil, err
	}
	public, err := key.Public().(sign.PublicKey).MarshalBinary()
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(sha3.SumSHAKE256(public, hashSize), expanded[hashAt:hashAt+hashSize]) {
		return nil, fmt.Errorf("this %s key is damaged: its parts do not belong together", s.Name())
	}
	return mldsaKey{key}, nil
}

// mldsaFromBoth makes the check that RFC 9881 §8.2 asks for.
func mldsaFromBoth(s sign.Scheme, seed, expanded []byte) (crypto.Signer, error) {
	key, err := mldsaFromSeed(s, seed)
	if err != nil {
		return nil, err
	}
	same, err := key.(mldsaKey).MarshalBinary()
	if err == nil && !bytes.Equal(same, expanded) {
		err = errors.New("this " + s.Name() + " key is damaged: the expanded key in it is not that of the seed")
	}
	if err != nil {
		return nil, err
	}
	return key, nil
}

// parsePostQuantum reads a PKCS#8 key of a kind that crypto/x509 does not know.
// It returns none where crypto/x509 has to say what the key is.
func parsePostQuantum(der []byte) (key any, err error) {
	var info, algorithm, oid, content cryptobyte.String
	input := cryptobyte.String(der)
	if !input.ReadASN1(&info, asn1.SEQUENCE) || !info.SkipASN1(asn1.INTEGER) ||
		!info.ReadASN1(&algorithm, asn1.SEQUENCE) || !algorithm.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) ||
		!info.ReadASN1(&content, asn1.OCTET_STRING) {
		return nil, nil
	}
	s, c := mldsaScheme(oid), compositeOf(oid)
	switch {
	case s == nil && c == nil:
		return nil, refused(oid)
	case !algorithm.Empty():
		return nil, errors.New("this key is damaged: its algorithm has parameters, and should have none (RFC 9881 §2)")
	case c != nil:
		return c.parsePrivate(content)
	}
	return parseMLDSA(s, content)
}

// bareScheme returns the parameter set of what qpki writes: the expanded key
// with nothing around it, in PEM whose type says what it is. It returns nil for
// all else.
func bareScheme(block *pem.Block) sign.Scheme {
	name, isPrivate := strings.CutSuffix(block.Type, " PRIVATE KEY")
	if !isPrivate || keyForm(block.Bytes) == formPKCS8 {
		return nil
	}
	return mldsaNamed(name)
}
