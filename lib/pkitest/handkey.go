package pkitest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
	"testing"

	"github.com/cloudflare/circl/sign"
	"github.com/cloudflare/circl/sign/mldsa/mldsa44"
	"github.com/cloudflare/circl/sign/mldsa/mldsa65"
	"github.com/cloudflare/circl/sign/mldsa/mldsa87"
)

// handKey is a key of any kind, as certificates need it.
type handKey struct {
	kind, algorithm pkix.AlgorithmIdentifier // of the key, and of its signatures
	public          []byte                   // content of the BIT STRING
	private         []byte                   // PKCS#8
	sign            func(t testing.TB, tbs []byte) []byte
}

func (k *handKey) info() subjectPublicKeyInfo {
	return subjectPublicKeyInfo{k.kind, asn1.BitString{Bytes: k.public, BitLength: 8 * len(k.public)}}
}

// composites are those of draft-ietf-lamps-pq-composite-sigs-14 §6 with ECDSA.
var composites = map[string]struct {
	last   int // of the OID 1.3.6.1.5.5.7.6.N
	scheme sign.Scheme
	curve  elliptic.Curve
	hash   crypto.Hash // of the message, before both sign it
}{
	"MLDSA44-ECDSA-P256-SHA256": {40, mldsa44.Scheme(), elliptic.P256(), crypto.SHA256},
	"MLDSA65-ECDSA-P256-SHA512": {45, mldsa65.Scheme(), elliptic.P256(), crypto.SHA512},
	"MLDSA65-ECDSA-P384-SHA512": {46, mldsa65.Scheme(), elliptic.P384(), crypto.SHA512},
	"MLDSA87-ECDSA-P384-SHA512": {49, mldsa87.Scheme(), elliptic.P384(), crypto.SHA512},
	"MLDSA87-ECDSA-P521-SHA512": {54, mldsa87.Scheme(), elliptic.P521(), crypto.SHA512},
}

func newHandKey(t testing.TB, kind string) *handKey {
	t.Helper()
	switch kind {
	case "ML-DSA-44":
		return newMLDSA(t, mldsa44.Scheme(), 17)
	case "ML-DSA-65":
		return newMLDSA(t, mldsa65.Scheme(), 18)
	case "ML-DSA-87":
		return newMLDSA(t, mldsa87.Scheme(), 19)
	case "P-256":
		return newECDSA(t, elliptic.P256())
	case "P-384":
		return newECDSA(t, elliptic.P384())
	}
	if _, ok := composites[kind]; !ok {
		t.Fatalf("no key of the kind %q is made here", kind)
	}
	return newComposite(t, kind)
}

// newMLDSA makes a key of RFC 9881, with the seed alone.
func newMLDSA(t testing.TB, s sign.Scheme, last int) *handKey {
	t.Helper()
	seed := make([]byte, s.SeedSize())
	rand.Read(seed)
	public, private := s.DeriveKey(seed)
	id := pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, last}}
	return &handKey{
		kind: id, algorithm: id, public: packed(t, public),
		private: pkcs8(t, id, slices.Concat([]byte{0x80, 32}, seed)),
		sign:    func(_ testing.TB, tbs []byte) []byte { return s.Sign(private, tbs, nil) },
	}
}

func newECDSA(t testing.TB, curve elliptic.Curve) *handKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	last := map[int]int{256: 2, 384: 3, 521: 4}[curve.Params().BitSize]
	return &handKey{
		kind: pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1},
			Parameters: asn1.RawValue{FullBytes: marshal(t, curveOID(curve))}},
		algorithm: pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, last}},
		public:    public,
		private:   marshalPKCS8(t, key),
		sign: func(t testing.TB, tbs []byte) []byte {
			signature, err := ecdsa.SignASN1(rand.Reader, key, curveDigest(curve, tbs))
			if err != nil {
				t.Fatal(err)
			}
			return signature
		},
	}
}

// newComposite puts both keys, and both signatures, one behind the other
// (§4 of the draft).
func newComposite(t testing.TB, kind string) *handKey {
	t.Helper()
	c := composites[kind]
	seed := make([]byte, c.scheme.SeedSize())
	rand.Read(seed)
	public, private := c.scheme.DeriveKey(seed)
	classical := newECDSA(t, c.curve)
	id := pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 6, c.last}}
	label := "COMPSIG-" + kind
	return &handKey{
		kind: id, algorithm: id, public: slices.Concat(packed(t, public), classical.public),
		private: pkcs8(t, id, slices.Concat(seed, bareECPrivateKey(t, classical))),
		sign: func(t testing.TB, tbs []byte) []byte {
			h := c.hash.New()
			h.Write(tbs)
			message := slices.Concat([]byte("CompositeAlgorithmSignatures2025"), []byte(label), []byte{0}, h.Sum(nil))
			return slices.Concat(c.scheme.Sign(private, message, &sign.SignatureOpts{Context: label}), classical.sign(t, message))
		},
	}
}

// bareECPrivateKey is the ECPrivateKey of RFC 5915 with the curve and without
// the public key, from PKCS#8, where it is the other way round.
func bareECPrivateKey(t testing.TB, key *handKey) []byte {
	t.Helper()
	var outer struct {
		Version   int
		Algorithm pkix.AlgorithmIdentifier
		Key       []byte
	}
	var inner struct {
		Version int
		Key     []byte
		Public  asn1.BitString `asn1:"optional,explicit,tag:1"`
	}
	if _, err := asn1.Unmarshal(key.private, &outer); err != nil {
		t.Fatal(err)
	}
	if _, err := asn1.Unmarshal(outer.Key, &inner); err != nil {
		t.Fatal(err)
	}
	var curve asn1.ObjectIdentifier
	if _, err := asn1.Unmarshal(outer.Algorithm.Parameters.FullBytes, &curve); err != nil {
		t.Fatal(err)
	}
	return marshal(t, struct {
		Version int
		Key     []byte
		Curve   asn1.ObjectIdentifier `asn1:"explicit,tag:0"`
	}{1, inner.Key, curve})
}

// pkcs8 is RFC 5958 around the content of privateKey.
func pkcs8(t testing.TB, id pkix.AlgorithmIdentifier, content []byte) []byte {
	t.Helper()
	return marshal(t, struct {
		Version   int
		Algorithm pkix.AlgorithmIdentifier
		Key       []byte
	}{0, id, content})
}

func packed(t testing.TB, key sign.PublicKey) []byte {
	t.Helper()
	octets, err := key.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return octets
}

func curveOID(curve elliptic.Curve) asn1.ObjectIdentifier {
	return map[string]asn1.ObjectIdentifier{
		"P-256": {1, 2, 840, 10045, 3, 1, 7}, "P-384": {1, 3, 132, 0, 34}, "P-521": {1, 3, 132, 0, 35},
	}[curve.Params().Name]
}

// curveDigest is the digest that belongs to a curve.
func curveDigest(curve elliptic.Curve, message []byte) []byte {
	switch curve.Params().BitSize {
	case 256:
		d := sha256.Sum256(message)
		return d[:]
	case 384:
		d := sha512.Sum384(message)
		return d[:]
	}
	d := sha512.Sum512(message)
	return d[:]
}
