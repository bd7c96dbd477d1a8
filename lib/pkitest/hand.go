package pkitest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Hand is a certificate with its key that is made here, DER by DER: openssl
// before 3.5 knows no ML-DSA, and no openssl knows composite keys.
type Hand struct {
	Leaf
	key *handKey
}

// HandCA makes a CA below dir that signs itself. Kind is ML-DSA-44, ML-DSA-65,
// ML-DSA-87, a composite of draft-ietf-lamps-pq-composite-sigs-14 such as
// MLDSA65-ECDSA-P256-SHA512, P-256 or P-384.
func HandCA(t testing.TB, dir, kind string) *Hand {
	t.Helper()
	return makeHand(t, dir, "ca", kind, nil, handCAExtensions(t))
}

// Intermediate makes a CA below this one, in the same directory.
func (h *Hand) Intermediate(t testing.TB, name, kind string) *Hand {
	t.Helper()
	return makeHand(t, filepath.Dir(h.Cert), name, kind, h, handCAExtensions(t))
}

func handCAExtensions(t testing.TB) []pkix.Extension {
	t.Helper()
	return []pkix.Extension{
		extensionOf(t, 19, true, struct{ CA bool }{true}),
		extensionOf(t, 15, true, asn1.BitString{Bytes: []byte{0x86}, BitLength: 7}), // digitalSignature, keyCertSign, cRLSign
	}
}

// OCSPSigner issues a delegated signer with a key of that kind. Its files are in
// the CA's directory, and have its name.
func (h *Hand) OCSPSigner(t testing.TB, name, kind string, more ...pkix.Extension) *Hand {
	t.Helper()
	return makeHand(t, filepath.Dir(h.Cert), name, kind, h, append([]pkix.Extension{
		extensionOf(t, 15, true, asn1.BitString{Bytes: []byte{0x80}, BitLength: 1}),
		extensionOf(t, 37, true, []asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 9}}),
		{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}, Value: []byte{5, 0}},
	}, more...))
}

// Catalyst issues a signer with a key of that kind and another one in its
// extensions 2.5.29.72 to 74 (ITU-T X.509 of 2019 §9.8), with a second
// signature of the same key as alternative as the CA's: who does not know them
// passes over them.
func (h *Hand) Catalyst(t testing.TB, name, kind, alternative string) *Hand {
	t.Helper()
	other := newHandKey(t, alternative)
	signature := other.sign(t, []byte("the certificate without this extension"))
	return h.OCSPSigner(t, name, kind,
		pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 72}, Value: marshal(t, other.info())},
		pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 73}, Value: marshal(t, other.algorithm)},
		extensionOf(t, 74, false, asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}))
}

// Index writes an index.txt beside the CA in which each of certs is valid, and
// returns its path.
func (h *Hand) Index(t testing.TB, certs ...*Hand) string {
	t.Helper()
	path, rows := filepath.Join(filepath.Dir(h.Cert), "index.txt"), ""
	for _, c := range certs {
		rows += fmt.Sprintf("V\t%s\t\t%s\tunknown\t/CN=%s\n",
			c.Certificate.NotAfter.Format("060102150405Z"), c.Serial, c.Certificate.Subject.CommonName)
	}
	writeFile(t, path, rows)
	return path
}

// RSACertificate makes a certificate with an RSA key of so many bits and that
// exponent, which nobody has the other half of.
func RSACertificate(t testing.TB, bits, exponent int) *x509.Certificate {
	t.Helper()
	signs, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serialNumber(t), Subject: pkix.Name{CommonName: "absurd"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	key := &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), bits-1, 1), E: exponent}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key, signs)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// PKCS8 is the DER of the private key.
func (h *Hand) PKCS8() []byte { return h.key.private }

// tbsCertificate is RFC 5280 §4.1.
type tbsCertificate struct {
	Version    int `asn1:"explicit,tag:0"`
	Serial     *big.Int
	Signature  pkix.AlgorithmIdentifier
	Issuer     pkix.RDNSequence
	Validity   struct{ NotBefore, NotAfter time.Time }
	Subject    pkix.RDNSequence
	PublicKey  subjectPublicKeyInfo
	Extensions []pkix.Extension `asn1:"explicit,tag:3"`
}

type subjectPublicKeyInfo struct {
	Algorithm pkix.AlgorithmIdentifier
	PublicKey asn1.BitString
}

// makeHand issues a certificate with a new key; without a CA it signs itself.
func makeHand(t testing.TB, dir, name, kind string, ca *Hand, extensions []pkix.Extension) *Hand {
	t.Helper()
	h := &Hand{key: newHandKey(t, kind)}
	subject := pkix.Name{CommonName: name}.ToRDNSequence()
	tbs := tbsCertificate{Version: 2, Serial: serialNumber(t), Signature: h.key.algorithm, Issuer: subject, Subject: subject, PublicKey: h.key.info()}
	signs := h.key
	if ca != nil {
		signs = ca.key
		tbs.Signature, tbs.Issuer = ca.key.algorithm, ca.Certificate.Subject.ToRDNSequence()
	}
	tbs.Validity.NotBefore = time.Now().Add(-time.Hour).UTC().Truncate(time.Second)
	tbs.Validity.NotAfter = tbs.Validity.NotBefore.AddDate(1, 0, 0)
	id := sha1.Sum(h.key.public)
	issuer := sha1.Sum(signs.public)
	tbs.Extensions = append(extensions, extensionOf(t, 14, false, id[:]),
		extensionOf(t, 35, false, struct {
			Key []byte `asn1:"tag:0"`
		}{issuer[:]}))
	signed := marshal(t, tbs)
	signature := signs.sign(t, signed)
	cert := marshal(t, struct {
		TBS       asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}{asn1.RawValue{FullBytes: signed}, tbs.Signature, asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}})

	h.Cert, h.Key = filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")
	writePEM(t, h.Cert, "CERTIFICATE", cert)
	writePEM(t, h.Key, "PRIVATE KEY", h.key.private)
	h.Leaf = *readLeaf(t, h.Cert, h.Key)
	return h
}

func serialNumber(t testing.TB) *big.Int {
	t.Helper()
	n, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	return n.Add(n, big.NewInt(1<<62))
}

// extensionOf makes the extension 2.5.29.N.
func extensionOf(t testing.TB, n int, critical bool, value any) pkix.Extension {
	t.Helper()
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, n}, Critical: critical, Value: marshal(t, value)}
}

func marshal(t testing.TB, value any) []byte {
	t.Helper()
	der, err := asn1.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func writePEM(t testing.TB, path, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// marshalPKCS8 is x509.MarshalPKCS8PrivateKey for tests.
func marshalPKCS8(t testing.TB, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}
