package signer

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// ErrPassphrase is in the error of Load when a pass phrase was given that does
// not open the key.
var ErrPassphrase = errors.New("the pass phrase does not open this key; check -passin")

var errEncrypted = errors.New("the key is encrypted; give its pass phrase with -passin file:PATH")

// errNotDecrypted is what decryption ends in when it leaves no key behind.
var errNotDecrypted = errors.New("wrong pass phrase or damaged")

// readKey reads the key in a file that fits one of certs. With none that fits it
// is the first that there is.
func readKey(path string, pass Passphrase, certs []*x509.Certificate) (crypto.Signer, error) {
	data, err := readSetting(path)
	if err != nil {
		return nil, err
	}
	return parseKey(path, data, pass, certs)
}

// parseKey is readKey for data that came from path.
func parseKey(path string, data []byte, pass Passphrase, certs []*x509.Certificate) (crypto.Signer, error) {
	keys := []*pem.Block{{Bytes: data}}
	if isPEM(data) {
		blocks, err := pemBlocks(path, data)
		if err != nil {
			return nil, err
		}
		if keys = keyBlocks(blocks); len(keys) == 0 {
			return nil, fmt.Errorf("%s: no private key found, but %s; name the file of the key with -rkey", path, blockTypes(blocks))
		}
	}
	first, why := usableKey(path, keys[0], pass)
	if why == nil && fitting(certs, first) != nil {
		return first, nil
	}
	for _, block := range keys[1:] {
		if key, err := usableKey(path, block, pass); err == nil && fitting(certs, key) != nil {
			return key, nil
		}
	}
	return first, why
}

func usableKey(path string, block *pem.Block, pass Passphrase) (crypto.Signer, error) {
	key, err := openKey(path, block, pass)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	usable, err := checkKey(key)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return usable, nil
}

func keyBlocks(blocks []*pem.Block) (keys []*pem.Block) {
	for _, b := range blocks {
		if strings.HasSuffix(b.Type, "PRIVATE KEY") {
			keys = append(keys, b)
		}
	}
	return keys
}

func openKey(path string, block *pem.Block, pass Passphrase) (any, error) {
	form := keyForm(block.Bytes)
	legacy := block.Headers["DEK-Info"] != ""
	switch {
	case form == formPKCS12 && !legacy:
		b, err := openPKCS12(path, block.Bytes, pass)
		return b.key, err
	case form != formEncrypted && !legacy:
		return parsePlain(form, block)
	case pass == nil:
		return nil, errEncrypted
	}
	phrase, err := pass(path)
	if err != nil {
		return nil, err
	}
	var key any
	if legacy {
		key, err = openLegacy(block, phrase)
	} else {
		key, err = openPKCS8(block.Bytes, phrase)
	}
	if errors.Is(err, errNotDecrypted) {
		return nil, ErrPassphrase
	}
	return key, err
}

func openPKCS8(der, phrase []byte) (any, error) {
	plain, err := decryptPKCS8(der, phrase)
	if err != nil {
		return nil, err
	}
	if keyForm(plain) != formPKCS8 {
		return nil, errNotDecrypted
	}
	return parsePlain(formPKCS8, &pem.Block{Bytes: plain})
}

// openLegacy decrypts inside PEM, as openssl wrote keys before version 1.0.0
// and still does with -traditional. That scheme cannot tell a wrong pass phrase
// from a right one with certainty: what it leaves has to be a key.
func openLegacy(block *pem.Block, phrase []byte) (any, error) {
	switch name, _, _ := strings.Cut(block.Headers["DEK-Info"], ","); name {
	case "DES-CBC", "DES-EDE3-CBC", "AES-128-CBC", "AES-192-CBC", "AES-256-CBC":
	default:
		return nil, unreadable(name)
	}
	//lint:ignore SA1019 The weakness of the scheme is its writer's choice; refusing to read it protects nobody.
	plain, err := x509.DecryptPEMBlock(block, phrase)
	if errors.Is(err, x509.IncorrectPasswordError) {
		return nil, errNotDecrypted
	}
	if err != nil {
		return nil, err
	}
	opened := &pem.Block{Bytes: plain, Type: block.Type}
	form := keyForm(plain)
	if bare := bareScheme(opened); form == formNone && (bare == nil || len(plain) != bare.PrivateKeySize()) {
		return nil, errNotDecrypted
	}
	return parsePlain(form, opened)
}

// form is how a private key is written in DER.
type form int

const (
	formNone      form = iota
	formPKCS8          // RFC 5958
	formPKCS1          // RFC 8017 appendix A.1.2, RSA
	formSEC1           // RFC 5915, elliptic curves
	formEncrypted      // RFC 5958 §3
	formPKCS12         // RFC 7292, which holds certificates too
)

// keyForm tells the forms apart by their first elements.
func keyForm(data []byte) form {
	der := cryptobyte.String(data)
	var body cryptobyte.String
	if !der.ReadASN1(&body, asn1.SEQUENCE) || !der.Empty() {
		return formNone
	}
	if body.PeekASN1Tag(asn1.SEQUENCE) {
		if body.SkipASN1(asn1.SEQUENCE) && body.SkipASN1(asn1.OCTET_STRING) && body.Empty() {
			return formEncrypted
		}
		return formNone
	}
	var version int
	if !body.ReadASN1Integer(&version) {
		return formNone
	}
	switch {
	case body.PeekASN1Tag(asn1.OCTET_STRING):
		return formSEC1
	case body.PeekASN1Tag(asn1.INTEGER):
		return formPKCS1
	case body.PeekASN1Tag(asn1.SEQUENCE) && version == 3:
		return formPKCS12
	case body.PeekASN1Tag(asn1.SEQUENCE):
		return formPKCS8
	}
	return formNone
}

func parsePlain(f form, block *pem.Block) (key any, err error) {
	if bare := bareScheme(block); bare != nil {
		return mldsaFromExpanded(bare, block.Bytes)
	}
	if strings.HasPrefix(block.Type, "SLH-DSA-") {
		return nil, errSLHDSA
	}
	if key, err := parsePostQuantum(block.Bytes); key != nil || err != nil {
		return key, err
	}
	switch f {
	case formPKCS8:
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case formPKCS1:
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case formSEC1:
		key, err = x509.ParseECPrivateKey(block.Bytes)
	default:
		if block.Type != "" {
			return nil, fmt.Errorf("%s is no form of key that can be read; RSA, P-256, P-384, P-521, Ed25519 and ML-DSA in PKCS#8 can", block.Type)
		}
		return nil, errors.New("no private key found, neither in PEM nor in DER; name the file of the key with -rkey")
	}
	if err != nil {
		return nil, fmt.Errorf("this key cannot be used: %w; RSA, P-256, P-384, P-521, Ed25519 and ML-DSA can", err)
	}
	return key, nil
}
