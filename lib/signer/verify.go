package signer

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	encodingasn1 "encoding/asn1"
	"errors"
	"fmt"

	"github.com/cloudflare/circl/sign"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// ErrAlgorithm is in the error of CheckSignature when the algorithm is not
// known, or not one of the certificate's key.
var ErrAlgorithm = errors.New("no algorithm that is known here for its key")

// errSignature is what CheckSignature says of a signature that is none.
var errSignature = errors.New("it does not verify with its key")

// CheckSignature returns nil when signature is that of the bytes signed, made by
// the key of cert with algorithm, which is an AlgorithmIdentifier in DER as it
// stands before a signature. All that Sign makes can be checked, and RSA with
// another digest of SHA-2 than Sign would take. It is safe for concurrent use.
func CheckSignature(cert *x509.Certificate, algorithm, signed, signature []byte) error {
	if err := Bounded(cert); err != nil {
		return err
	}
	key := PublicKey(cert)
	for _, a := range algorithmsOf(key) {
		if sameIdentifier(a.identifier, algorithm) {
			if !verifies(key, a.opts, signed, signature) {
				return errSignature
			}
			return nil
		}
	}
	return fmt.Errorf("%s is %w (%s)", identifierText(algorithm), ErrAlgorithm, KindOf(cert))
}

// The largest key of RSA that anything is verified with: the modulus in bits, which is
// openssl's limit too, and the exponent, which is that of crypto/rsa. What it takes
// grows with the square of the one, and with the length of the other.
const (
	maxModulus  = 16384
	maxExponent = 1<<31 - 1
)

// Bounded says why nothing is verified with the key of a certificate: it would take
// for ever. nil: it takes a moment. What ReadCertificates returns is bounded.
func Bounded(cert *x509.Certificate) error {
	key, ok := cert.PublicKey.(*rsa.PublicKey)
	switch {
	case !ok:
		return nil
	case key.N.BitLen() > maxModulus:
		return fmt.Errorf("an RSA key of %d bits; those of at most %d are verified with: have a smaller one certified, such as of 3072",
			key.N.BitLen(), maxModulus)
	case key.E > maxExponent:
		return fmt.Errorf("an RSA key with the exponent %d; at most %d is verified with: have another one certified, such as with 65537",
			key.E, maxExponent)
	}
	return nil
}

// Issued reports whether the key of ca, which is Bounded, signed cert. Names can be
// chosen, and are not looked at.
func Issued(ca, cert *x509.Certificate) bool {
	if cert.SignatureAlgorithm != x509.UnknownSignatureAlgorithm {
		return ca.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature) == nil
	}
	algorithm, ok := certificateAlgorithm(cert)
	return ok && CheckSignature(ca, algorithm, cert.RawTBSCertificate, cert.Signature) == nil
}

// certificateAlgorithm returns the AlgorithmIdentifier that a certificate is
// signed with.
func certificateAlgorithm(cert *x509.Certificate) (algorithm cryptobyte.String, ok bool) {
	var content cryptobyte.String
	der := cryptobyte.String(cert.Raw)
	ok = der.ReadASN1(&content, asn1.SEQUENCE) && content.SkipASN1(asn1.SEQUENCE) &&
		content.ReadASN1Element(&algorithm, asn1.SEQUENCE)
	return algorithm, ok
}

// PublicKey returns the key of a certificate: what x509.ParseCertificate made
// of it, or the key of a kind that it does not know. It is nil where we do not
// know it either.
func PublicKey(cert *x509.Certificate) crypto.PublicKey {
	var spki, algorithm, oid cryptobyte.String
	var bits []byte
	der := cryptobyte.String(cert.RawSubjectPublicKeyInfo)
	if !der.ReadASN1(&spki, asn1.SEQUENCE) || !spki.ReadASN1(&algorithm, asn1.SEQUENCE) ||
		!algorithm.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) || !algorithm.Empty() || !spki.ReadASN1BitStringAsBytes(&bits) {
		return cert.PublicKey
	}
	if scheme := mldsaScheme(oid); scheme != nil {
		if key, err := scheme.UnmarshalBinaryPublicKey(bits); err == nil {
			return key
		}
	}
	if c := compositeOf(oid); c != nil {
		if key, err := c.parsePublic(bits); err == nil {
			return key
		}
	}
	return cert.PublicKey
}

// KindOf says what kind of key a certificate has, for people.
func KindOf(cert *x509.Certificate) string { return kindOf(PublicKey(cert)) }

func kindOf(key crypto.PublicKey) string {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA of %d bits", key.N.BitLen())
	case *ecdsa.PublicKey:
		return key.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	case sign.PublicKey:
		return key.Scheme().Name()
	case *compositePublic:
		return key.name
	}
	return "a key of a kind that is not known here"
}

// algorithmsOf lists what a key may sign with.
func algorithmsOf(key crypto.PublicKey) (all []algorithm) {
	hashes := []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512}
	switch k := key.(type) {
	case *rsa.PublicKey:
		for _, hash := range hashes {
			all = append(all, pkcs1Algorithm(hash), pssAlgorithm(hash))
		}
	case *ecdsa.PublicKey:
		for _, hash := range hashes {
			all = append(all, algorithm{ecdsaIdentifier(hash), hash})
		}
	case ed25519.PublicKey:
		all = append(all, ed25519Algorithm())
	case sign.PublicKey:
		all = append(all, algorithm{mldsaIdentifier(k.Scheme()), crypto.Hash(0)})
	case *compositePublic:
		all = append(all, algorithm{k.identifier(), crypto.Hash(0)})
	}
	return all
}

// signatureSize is how many bytes a signature of key has at the most.
func signatureSize(key crypto.PublicKey) int {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return k.Size()
	case *ecdsa.PublicKey:
		return 2*(k.Params().BitSize/8+4) + 3 // two INTEGERs in a SEQUENCE
	case sign.PublicKey:
		return k.Scheme().SignatureSize()
	case *compositePublic:
		return signatureSize(k.first) + signatureSize(k.second)
	}
	return ed25519.SignatureSize
}

func verifies(key crypto.PublicKey, opts crypto.SignerOpts, signed, signature []byte) bool {
	digest, hash := digestOf(signed, opts), opts.HashFunc()
	switch k := key.(type) {
	case *rsa.PublicKey:
		if pss, ok := opts.(*rsa.PSSOptions); ok {
			return rsa.VerifyPSS(k, hash, digest, signature, pss) == nil
		}
		return rsa.VerifyPKCS1v15(k, hash, digest, signature) == nil
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(k, digest, signature)
	case ed25519.PublicKey:
		return ed25519.Verify(k, digest, signature)
	case sign.PublicKey:
		return k.Scheme().Verify(k, digest, signature, nil)
	case *compositePublic:
		return k.verifies(digest, signature)
	}
	return false
}

// digestOf is what is signed instead of a message: the message itself for a key
// that has a digest of its own.
func digestOf(message []byte, opts crypto.SignerOpts) []byte {
	hash := opts.HashFunc()
	if hash == 0 {
		return message
	}
	h := hash.New()
	h.Write(message)
	return h.Sum(nil)
}

// sameIdentifier compares two AlgorithmIdentifiers. NULL parameters and none are
// one for RSA (RFC 4055 §5); all others that we know have to have none.
func sameIdentifier(known, other []byte) bool {
	if bytes.Equal(known, other) {
		return true
	}
	const null = "\x05\x00"
	bare, isNull := bytes.CutSuffix(known, []byte(null))
	return isNull && len(other) == len(bare) && other[0] == bare[0] &&
		int(other[1]) == len(bare)-2 && bytes.Equal(other[2:], bare[2:])
}

// identifierText names an algorithm that may be any.
func identifierText(der cryptobyte.String) string {
	var content cryptobyte.String
	var oid encodingasn1.ObjectIdentifier
	if !der.ReadASN1(&content, asn1.SEQUENCE) || !content.ReadASN1ObjectIdentifier(&oid) {
		return "no AlgorithmIdentifier"
	}
	return oid.String()
}
