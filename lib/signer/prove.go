package signer

import "fmt"

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
	return CheckSignature(s.Certificate, s.algorithm.identifier, message, signature) == nil
}
