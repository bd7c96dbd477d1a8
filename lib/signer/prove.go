package signer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"fmt"
)

// Prove has the key sign something, and checks the signature with the
// certificate's key: a key that is kept elsewhere may be another one than it
// says.
func (s *Signer) Prove() error {
	message := []byte("ocspcgi proves that this key signs for this certificate")
	_, signature, err := s.Sign(message)
	if err != nil {
		return fmt.Errorf("%s: a signature to try it: %w", s.KeyPath, err)
	}
	if !s.Verifies(message, signature) {
		return fmt.Errorf("%s: the signature that %s made is not one for it", s.Path, s.KeyPath)
	}
	return nil
}

// Verifies reports whether signature is one that Sign could have made of message:
// with that key and that algorithm.
func (s *Signer) Verifies(message, signature []byte) bool {
	digest, hash := message, s.algorithm.opts.HashFunc()
	if hash != 0 {
		h := hash.New()
		h.Write(message)
		digest = h.Sum(nil)
	}
	switch key := s.Certificate.PublicKey.(type) {
	case *rsa.PublicKey:
		return verifiesRSA(key, s.algorithm.opts, hash, digest, signature)
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(key, digest, signature)
	case ed25519.PublicKey:
		return ed25519.Verify(key, digest, signature)
	}
	return false
}

func verifiesRSA(key *rsa.PublicKey, opts crypto.SignerOpts, hash crypto.Hash, digest, signature []byte) bool {
	if pss, ok := opts.(*rsa.PSSOptions); ok {
		return rsa.VerifyPSS(key, hash, digest, signature, pss) == nil
	}
	return rsa.VerifyPKCS1v15(key, hash, digest, signature) == nil
}
