package store

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
)

// Sealed keeps values in a directory that others may write to: what it gives is
// what somebody who knows the secret has put there under that very name, to the
// byte. Anything else is not there. Names say nothing to others. It is safe for
// concurrent use.
type Sealed struct {
	Directory *Directory
	Secret    [sha256.Size]byte
}

// Get returns the value kept under name, of any bytes. The error is
// fs.ErrNotExist where there is none that is to be believed.
func (s *Sealed) Get(name []byte) ([]byte, error) {
	file := s.digest('n', name)
	sealed, err := s.Directory.Get(hex.EncodeToString(file))
	if err != nil {
		return nil, err
	}
	if len(sealed) < sha256.Size {
		return nil, fs.ErrNotExist
	}
	seal, value := sealed[:sha256.Size], sealed[sha256.Size:]
	if !hmac.Equal(seal, s.digest('v', file, value)) {
		return nil, fs.ErrNotExist
	}
	return value, nil
}

// Put keeps value under name, whole or not at all.
func (s *Sealed) Put(name, value []byte) error {
	file := s.digest('n', name)
	return s.Directory.Put(hex.EncodeToString(file), append(s.digest('v', file, value), value...))
}

// digest is a keyed digest of parts, for one purpose.
func (s *Sealed) digest(purpose byte, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, s.Secret[:])
	h.Write([]byte{purpose})
	for _, part := range parts {
		h.Write(part)
	}
	return h.Sum(nil)
}
