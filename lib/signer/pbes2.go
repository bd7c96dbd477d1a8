package signer

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/asn1"
	"errors"
	"fmt"
	"hash"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/scrypt"
)

// The work that a key file may ask for: seconds, not hours or all memory.
const (
	maxIterations   = 10_000_000
	maxScryptMemory = 256 << 20
)

var errEncryption = errors.New("the encryption of this key is damaged")

// decryptPKCS8 opens an EncryptedPrivateKeyInfo (RFC 5958 §3), most often one
// that PBES2 encrypted (RFC 8018 §6.2). What comes back may be garbage when the pass
// phrase is wrong, errNotDecrypted says that it certainly is.
func decryptPKCS8(data, phrase []byte) ([]byte, error) {
	input := cryptobyte.String(data)
	var info, scheme, params, sealed cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !input.ReadASN1(&info, der.SEQUENCE) || !input.Empty() ||
		!info.ReadASN1(&scheme, der.SEQUENCE) || !info.ReadASN1(&sealed, der.OCTET_STRING) ||
		!scheme.ReadASN1ObjectIdentifier(&oid) {
		return nil, errEncryption
	}
	if oid.String() != "1.2.840.113549.1.5.13" {
		return decryptPBES1(oid, scheme, sealed, phrase)
	}
	var derivation, encryption cryptobyte.String
	if !scheme.ReadASN1(&params, der.SEQUENCE) ||
		!params.ReadASN1(&derivation, der.SEQUENCE) || !params.ReadASN1(&encryption, der.SEQUENCE) {
		return nil, errEncryption
	}
	block, err := readCipher(&encryption)
	if err != nil {
		return nil, err
	}
	key, err := deriveKey(derivation, phrase, block.keySize)
	if err != nil {
		return nil, err
	}
	return block.open(key, sealed)
}

// cbc is a block cipher in CBC mode with its initialisation vector.
type cbc struct {
	keySize int
	cipher  func(key []byte) (cipher.Block, error)
	iv      []byte
}

func readCipher(encryption *cryptobyte.String) (c cbc, err error) {
	var oid asn1.ObjectIdentifier
	if !encryption.ReadASN1ObjectIdentifier(&oid) {
		return c, errEncryption
	}
	switch oid.String() {
	case "2.16.840.1.101.3.4.1.2":
		c = cbc{keySize: 16, cipher: aes.NewCipher}
	case "2.16.840.1.101.3.4.1.22":
		c = cbc{keySize: 24, cipher: aes.NewCipher}
	case "2.16.840.1.101.3.4.1.42":
		c = cbc{keySize: 32, cipher: aes.NewCipher}
	case "1.2.840.113549.3.7":
		c = cbc{keySize: 24, cipher: des.NewTripleDESCipher}
	case "1.3.14.3.2.7":
		c = cbc{keySize: 8, cipher: des.NewCipher}
	default:
		return c, unreadable(oid.String())
	}
	if !encryption.ReadASN1Bytes(&c.iv, der.OCTET_STRING) {
		return c, errEncryption
	}
	return c, nil
}

func (c cbc) open(key, sealed []byte) ([]byte, error) {
	block, err := c.cipher(key)
	if err != nil {
		return nil, err
	}
	size := block.BlockSize()
	if len(c.iv) != size || len(sealed) == 0 || len(sealed)%size != 0 {
		return nil, errEncryption
	}
	plain := make([]byte, len(sealed))
	cipher.NewCBCDecrypter(block, c.iv).CryptBlocks(plain, sealed)
	pad := int(plain[len(plain)-1])
	if pad > size || !bytes.HasSuffix(plain, bytes.Repeat([]byte{byte(pad)}, pad)) {
		return nil, errNotDecrypted
	}
	return plain[:len(plain)-pad], nil
}

func deriveKey(derivation cryptobyte.String, phrase []byte, size int) ([]byte, error) {
	var oid asn1.ObjectIdentifier
	var params cryptobyte.String
	if !derivation.ReadASN1ObjectIdentifier(&oid) || !derivation.ReadASN1(&params, der.SEQUENCE) {
		return nil, errEncryption
	}
	switch oid.String() {
	case "1.2.840.113549.1.5.12":
		return derivePBKDF2(params, phrase, size)
	case "1.3.6.1.4.1.11591.4.11":
		return deriveScrypt(params, phrase, size)
	}
	return nil, fmt.Errorf("encrypted with a key derivation that cannot be read (%s); PBKDF2 and scrypt can", oid)
}

func derivePBKDF2(params cryptobyte.String, phrase []byte, size int) ([]byte, error) {
	var salt []byte
	var iterations int
	if !params.ReadASN1Bytes(&salt, der.OCTET_STRING) || !params.ReadASN1Integer(&iterations) ||
		!params.SkipOptionalASN1(der.INTEGER) || iterations < 1 {
		return nil, errEncryption
	}
	if iterations > maxIterations {
		return nil, fmt.Errorf("encrypted with %d iterations of PBKDF2; at most %d are done", iterations, maxIterations)
	}
	prf, err := readPRF(params)
	if err != nil {
		return nil, err
	}
	return pbkdf2.Key(prf, string(phrase), salt, iterations, size)
}

// readPRF reads the digest of PBKDF2's HMAC, SHA-1 where nothing is said.
func readPRF(params cryptobyte.String) (func() hash.Hash, error) {
	if params.Empty() {
		return sha1.New, nil
	}
	var prf cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !params.ReadASN1(&prf, der.SEQUENCE) || !prf.ReadASN1ObjectIdentifier(&oid) {
		return nil, errEncryption
	}
	switch oid.String() {
	case "1.2.840.113549.2.7":
		return sha1.New, nil
	case "1.2.840.113549.2.8":
		return sha256.New224, nil
	case "1.2.840.113549.2.9":
		return sha256.New, nil
	case "1.2.840.113549.2.10":
		return sha512.New384, nil
	case "1.2.840.113549.2.11":
		return sha512.New, nil
	case "1.2.840.113549.2.12":
		return sha512.New512_224, nil
	case "1.2.840.113549.2.13":
		return sha512.New512_256, nil
	}
	return nil, fmt.Errorf("encrypted with a digest in PBKDF2 that cannot be read (%s); SHA-1 and SHA-2 can", oid)
}

func deriveScrypt(params cryptobyte.String, phrase []byte, size int) ([]byte, error) {
	var salt []byte
	var n, r, p int
	if !params.ReadASN1Bytes(&salt, der.OCTET_STRING) || !params.ReadASN1Integer(&n) ||
		!params.ReadASN1Integer(&r) || !params.ReadASN1Integer(&p) || n < 2 || r < 1 || p < 1 {
		return nil, errEncryption
	}
	if n > maxScryptMemory/128/r || p > 16 {
		return nil, fmt.Errorf("encrypted with scrypt parameters %d, %d, %d that are too costly", n, r, p)
	}
	return scrypt.Key(phrase, salt, n, r, p, size)
}
