package wire

import (
	"crypto"
	_ "crypto/sha1" // the hashes of a CertID, so that crypto.Hash has them
	_ "crypto/sha256"
	_ "crypto/sha3"
	_ "crypto/sha512"
	"errors"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// CertID names one certificate (RFC 6960 §4.1.1). Its slices point into what
// it was read from.
type CertID struct {
	Raw            []byte      // DER of the whole CertID, exactly as it came
	Hash           crypto.Hash // 0: an algorithm not known here
	IssuerNameHash []byte
	IssuerKeyHash  []byte
	Serial         []byte // content octets of the INTEGER: two's complement, the fewest octets, any length from 1
}

// certHashes are the hash algorithms of a CertID with the content octets of
// their OIDs. An Issuer keeps its hashes in this order.
var certHashes = [...]struct {
	oid  string
	hash crypto.Hash
}{
	{"\x2b\x0e\x03\x02\x1a", crypto.SHA1},
	{"\x60\x86\x48\x01\x65\x03\x04\x02\x01", crypto.SHA256},
	{"\x60\x86\x48\x01\x65\x03\x04\x02\x02", crypto.SHA384},
	{"\x60\x86\x48\x01\x65\x03\x04\x02\x03", crypto.SHA512},
	{"\x60\x86\x48\x01\x65\x03\x04\x02\x04", crypto.SHA224},
	{"\x60\x86\x48\x01\x65\x03\x04\x02\x06", crypto.SHA512_256},
	{"\x60\x86\x48\x01\x65\x03\x04\x02\x08", crypto.SHA3_256},
	{"\x60\x86\x48\x01\x65\x03\x04\x02\x09", crypto.SHA3_384},
	{"\x60\x86\x48\x01\x65\x03\x04\x02\x0a", crypto.SHA3_512},
}

// certHash returns the hash that an AlgorithmIdentifier names, 0 where it is
// not known. Parameters are absent or NULL (RFC 5754 §2); with any others it is
// not an algorithm that we know.
func certHash(oid, parameters []byte) crypto.Hash {
	if len(parameters) > 0 && string(parameters) != "\x05\x00" {
		return 0
	}
	for i := range certHashes {
		if certHashes[i].oid == string(oid) {
			return certHashes[i].hash
		}
	}
	return 0
}

// ParseCertID reads one CertID in DER, such as Single.CertID.
func ParseCertID(der []byte) (CertID, error) {
	var id CertID
	s := cryptobyte.String(der)
	if err := id.read(&s); err != nil {
		return CertID{}, err
	}
	if !s.Empty() {
		return CertID{}, errors.New("bytes follow the CertID")
	}
	return id, nil
}

// read reads a CertID from the front of s.
func (id *CertID) read(s *cryptobyte.String) error {
	var content, algorithm, oid, parameters cryptobyte.String
	if !s.ReadASN1Element((*cryptobyte.String)(&id.Raw), asn1.SEQUENCE) {
		return errors.New("CertID is not a SEQUENCE")
	}
	element := cryptobyte.String(id.Raw)
	element.ReadASN1(&content, asn1.SEQUENCE)
	if !content.ReadASN1(&algorithm, asn1.SEQUENCE) || !readAlgorithm(algorithm, &oid, &parameters) {
		return errors.New("hashAlgorithm of the CertID is not an AlgorithmIdentifier")
	}
	id.Hash = certHash(oid, parameters)
	if !content.ReadASN1Bytes(&id.IssuerNameHash, asn1.OCTET_STRING) {
		return errors.New("issuerNameHash is not an OCTET STRING")
	}
	if !content.ReadASN1Bytes(&id.IssuerKeyHash, asn1.OCTET_STRING) {
		return errors.New("issuerKeyHash is not an OCTET STRING")
	}
	if !content.ReadASN1Bytes(&id.Serial, asn1.INTEGER) || !isInteger(id.Serial) {
		return errors.New("serialNumber is not an INTEGER in the fewest octets")
	}
	if !content.Empty() {
		return errors.New("an element follows the serialNumber of the CertID")
	}
	return nil
}

// CertID returns the name of the issuer's certificate with that serial number,
// written as openssl writes it: with NULL parameters. The hash must be one that
// ParseRequest knows.
func (i *Issuer) CertID(hash crypto.Hash, serial *big.Int) (CertID, error) {
	slot := hashSlot(hash)
	if slot < 0 {
		return CertID{}, errors.New("no CertID is made with the hash " + hash.String())
	}
	var number cryptobyte.Builder
	number.AddASN1BigInt(serial)
	serialNumber, err := number.Bytes()
	if err != nil {
		return CertID{}, err
	}
	d := i.digest(slot)
	var w writer
	id := w.begin(asn1.SEQUENCE)
	algorithm := w.begin(asn1.SEQUENCE)
	w.oid(certHashes[slot].oid)
	w.element(asn1.NULL, nil)
	w.end(algorithm)
	w.element(asn1.OCTET_STRING, d.name)
	w.element(asn1.OCTET_STRING, d.key)
	w.raw(serialNumber)
	w.end(id)
	return ParseCertID(w)
}
