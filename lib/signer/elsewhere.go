package signer

import (
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
)

const (
	unixPrefix  = "unix:"
	tokenPrefix = "pkcs11:"
)

// ErrAway is in the error of Sign and Prove when a key that is kept elsewhere
// cannot be asked now: its process, its token or the way there is gone, and
// may come back.
var ErrAway = errors.New("the key is away")

// Elsewhere reports whether an -rkey names no file, but a key that this process
// never holds: of a signer process (unix:PATH) or of a token (pkcs11:, RFC 7512).
func Elsewhere(rkey string) bool {
	return strings.HasPrefix(rkey, unixPrefix) || strings.HasPrefix(rkey, tokenPrefix)
}

// Guard returns the file whose mode says who has signatures by an -rkey: the key,
// the socket of the signer process, or the PIN of the token; empty where none is
// known.
func Guard(rkey string) string {
	if path, ok := strings.CutPrefix(rkey, unixPrefix); ok {
		return path
	}
	if !Elsewhere(rkey) {
		return rkey
	}
	uri, err := parseURI(rkey)
	if err != nil {
		return ""
	}
	return uri.pinFile
}

// loadElsewhere is Load for a key that is kept elsewhere. What is public of it
// is taken from the certificate, so that nobody has to be asked: of several the
// first is taken that the key proves to fit, or the first while it is away.
func loadElsewhere(certs []*x509.Certificate, rsigner, rkey string, pass Passphrase, opt Options) (*Signer, error) {
	name, key, err := openElsewhere(rkey, pass)
	if err != nil {
		return nil, err
	}
	var first error
	for _, cert := range certs {
		s := &Signer{Certificate: cert, Path: rsigner, KeyPath: name, key: key, guard: Guard(rkey)}
		err := checkPublic(PublicKey(cert))
		if err == nil {
			s.algorithm, err = chooseAlgorithm(PublicKey(cert), opt)
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", rsigner, err)
		} else if len(certs) > 1 {
			err = s.Prove()
		}
		if err == nil || errors.Is(err, ErrAway) {
			return s, nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}

// openElsewhere returns the key, and what it is called in messages.
func openElsewhere(rkey string, pass Passphrase) (name string, k key, err error) {
	if path, ok := strings.CutPrefix(rkey, unixPrefix); ok {
		if path == "" {
			return "", nil, errors.New("-rkey unix: without a path; give the socket of ocspcgi signer")
		}
		return rkey, &remoteKey{path: path}, nil
	}
	uri, err := parseURI(rkey)
	if err != nil {
		return "", nil, fmt.Errorf("%s: %w", uriName(rkey), err)
	}
	k, err = openToken(uri, pass)
	if err != nil {
		return "", nil, fmt.Errorf("%s: %w", uri.name, err)
	}
	return uri.name, k, nil
}
