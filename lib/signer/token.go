//go:build pkcs11 && cgo

package signer

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/miekg/pkcs11"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// tokenKey is a key that a PKCS#11 token holds. It is safe for concurrent use.
type tokenKey struct {
	uri      *tokenURI
	pass     Passphrase
	module   *module
	patience time.Duration // with a token that hangs; 0: askTimeout
}

// openToken loads the module. The token is looked for when it is first to sign:
// it may be away now.
func openToken(uri *tokenURI, pass Passphrase) (key, error) {
	m, err := loadModule(uri.module)
	if err != nil {
		return nil, err
	}
	return &tokenKey{uri: uri, pass: pass, module: m}, nil
}

// pin returns the PIN as it is now.
func (k *tokenKey) pin() (string, error) {
	var pin []byte
	var err error
	switch {
	case k.uri.pinFile != "":
		if pin, err = readFile(k.uri.pinFile); err != nil {
			return "", fmt.Errorf("pin-source: %w", err)
		}
		pin, _, _ = bytes.Cut(pin, []byte("\n"))
		pin = bytes.TrimSuffix(pin, []byte("\r"))
	case k.pass != nil:
		pin, err = k.pass(k.uri.name)
	default:
		err = errors.New("the token wants its PIN; give it with pin-source=file:PATH behind ?, or with -passin file:PATH")
	}
	return string(pin), err
}

// sign has the token sign, if it does so in time. One that hangs cannot be told to
// stop: it has the places of those who wait for it until it answers.
func (k *tokenKey) sign(tbs []byte, s *Signer) (signature []byte, err error) {
	patience := cmp.Or(k.patience, askTimeout)
	late := time.NewTimer(patience)
	defer late.Stop()
	hangs := fmt.Errorf("%w: the token has not answered for %v", ErrAway, patience)
	select {
	case k.module.turns <- struct{}{}:
	case <-late.C:
		return nil, hangs
	}
	type answer struct {
		signature []byte
		err       error
	}
	come := make(chan answer, 1)
	go func() {
		defer func() { <-k.module.turns }()
		signature, err := k.ask(tbs, s)
		come <- answer{signature, err}
	}()
	select {
	case a := <-come:
		return a.signature, a.err
	case <-late.C:
		return nil, hangs
	}
}

// ask has the token sign, however long that takes. When it does not, or not as it
// should, the module is begun anew, as a token that went away and came back needs it,
// and asked once more.
func (k *tokenKey) ask(tbs []byte, s *Signer) ([]byte, error) {
	o, err := operationFor(PublicKey(s.Certificate), s.algorithm, tbs)
	if err != nil {
		return nil, err
	}
	once := func() (signature []byte, generation int, err error) {
		signature, generation, err = k.module.sign(k, o)
		if err == nil && o.ecdsa {
			signature, err = ecdsaSignature(signature)
		}
		if err == nil && CheckSignature(s.Certificate, s.algorithm.identifier, tbs, signature) != nil {
			err = fmt.Errorf("the key does not fit %s", s.Path)
		}
		return signature, generation, err
	}
	signature, generation, err := once()
	if err != nil && !settled(err) && k.module.renew(generation) {
		signature, _, err = once()
	}
	var code pkcs11.Error
	if errors.As(err, &code) && !settled(err) {
		err = fmt.Errorf("%w: %w", ErrAway, err)
	}
	return signature, err
}

// settled reports whether an error stays, however often the token is asked.
func settled(err error) bool {
	var code pkcs11.Error
	if errors.Is(err, errPIN) {
		return true
	}
	if !errors.As(err, &code) {
		return false
	}
	switch code {
	case pkcs11.CKR_KEY_TYPE_INCONSISTENT, pkcs11.CKR_MECHANISM_INVALID, pkcs11.CKR_MECHANISM_PARAM_INVALID,
		pkcs11.CKR_KEY_FUNCTION_NOT_PERMITTED, pkcs11.CKR_KEY_SIZE_RANGE, pkcs11.CKR_DATA_LEN_RANGE:
		return true
	}
	return false
}

// operation is what a token is told to do.
type operation struct {
	mechanism *pkcs11.Mechanism
	data      []byte
	ecdsa     bool // or else RSA
}

// kind is what keys are for that can do it.
func (o *operation) kind() (name string, keyType uint) {
	if o.ecdsa {
		return "ECDSA", pkcs11.CKK_EC
	}
	return "RSA", pkcs11.CKK_RSA
}

func operationFor(key crypto.PublicKey, by algorithm, tbs []byte) (operation, error) {
	digest, hash := digestOf(tbs, by.opts), by.opts.HashFunc()
	switch key.(type) {
	case *rsa.PublicKey:
		if _, pss := by.opts.(*rsa.PSSOptions); pss {
			return operation{mechanism: pkcs11.NewMechanism(pkcs11.CKM_RSA_PKCS_PSS, pssParameters(hash)), data: digest}, nil
		}
		return operation{mechanism: pkcs11.NewMechanism(pkcs11.CKM_RSA_PKCS, nil), data: append(digestInfo(hash), digest...)}, nil
	case *ecdsa.PublicKey:
		return operation{mechanism: pkcs11.NewMechanism(pkcs11.CKM_ECDSA, nil), data: digest, ecdsa: true}, nil
	}
	return operation{}, fmt.Errorf("a token signs with RSA, P-256, P-384 and P-521 keys here, not with %s", kindOf(key))
}

func pssParameters(hash crypto.Hash) []byte {
	switch hash {
	case crypto.SHA384:
		return pkcs11.NewPSSParams(pkcs11.CKM_SHA384, pkcs11.CKG_MGF1_SHA384, uint(hash.Size()))
	case crypto.SHA512:
		return pkcs11.NewPSSParams(pkcs11.CKM_SHA512, pkcs11.CKG_MGF1_SHA512, uint(hash.Size()))
	default:
		return pkcs11.NewPSSParams(pkcs11.CKM_SHA256, pkcs11.CKG_MGF1_SHA256, uint(hash.Size()))
	}
}

// digestInfo begins what PKCS#1 v1.5 pads (RFC 8017 §9.2, note 1).
func digestInfo(hash crypto.Hash) []byte {
	size := byte(hash.Size())
	prefix := []byte("\x30?\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02?\x05\x00\x04?")
	prefix[1], prefix[14], prefix[18] = 0x11+size, byte(hash-crypto.SHA256)+1, size
	return prefix
}

// ecdsaSignature turns the two numbers that a token gives into their DER (RFC
// 3279 §2.2.3).
func ecdsaSignature(raw []byte) ([]byte, error) {
	half := len(raw) / 2
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(new(big.Int).SetBytes(raw[:half]))
		b.AddASN1BigInt(new(big.Int).SetBytes(raw[half:]))
	})
	return b.Bytes()
}
