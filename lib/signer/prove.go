package signer

import "fmt"

// proof is what a key signs to show that it can: no OCSP response, no
// certificate, nothing that anybody else takes for something.
const proof = "ocspcgi proves that this key signs for this certificate"

// Prove has the key sign something, and checks the signature with the
// certificate's key: a key that is kept elsewhere may be another one than it
// says.
func (s *Signer) Prove() error {
	message := []byte(proof)
	algorithm, signature, err := s.Sign(message)
	if err != nil {
		return fmt.Errorf("%s: a signature to try it: %w", s.KeyPath, err)
	}
	if CheckSignature(s.Certificate, algorithm, message, signature) != nil {
		return fmt.Errorf("%s: the signature that %s made is not one for it", s.Path, s.KeyPath)
	}
	return nil
}
