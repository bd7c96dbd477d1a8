// Package cadir finds in a CA's directory what a responder for it needs.
package cadir

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ocspcgi/lib/signer"
)

// File is a file that was found, and why it was taken.
type File struct{ Path, Why string }

func (f File) String() string { return f.Path + " (" + f.Why + ")" }

// Found is what a directory has. Who signs is a delegate, or else the CA itself.
type Found struct {
	Index, CA   File
	Signer, Key File
	// Hints are files that say which of several is in use: when one of them
	// changes, Find may find something else.
	Hints []string
}

// Given is what is known already, and need not be found.
type Given struct {
	CA     string // the file with the CA's certificate; empty: it is looked for
	Signer bool   // who signs is not looked for
}

// Find looks through the directory of a CA that openssl ca keeps by an
// openssl.cnf, of easy-rsa (also the one that pki is in), of qpki with its
// credentials, of TinyCA, or with index.txt and certificates as XCA exports
// them. It changes nothing. What could be one or the other is an error that
// names both. At now a signer must not be over.
func Find(dir string, now time.Time, given Given) (*Found, error) {
	if _, err := os.ReadDir(dir); err != nil {
		return nil, fmt.Errorf("ca-dir: %w", err)
	}
	s := &search{dir: dir, now: now, given: given}
	if !isFile(filepath.Join(dir, "index.txt")) && isFile(filepath.Join(dir, "pki", "index.txt")) {
		s.dir = filepath.Join(dir, "pki")
	}
	if err := s.find(); err != nil {
		return nil, fmt.Errorf("ca-dir %s: %w", dir, err)
	}
	return &s.Found, nil
}

// search is one look through a directory.
type search struct {
	Found
	dir   string
	now   time.Time
	given Given
	caKey File
	cas   []*x509.Certificate // of the CA's file
	seen  []string            // what was looked at and could not be used
}

func (s *search) find() error {
	known, err := s.configured()
	if err == nil && !known {
		known, err = s.versioned()
	}
	if err == nil && !known {
		err = s.guessed()
	}
	if err != nil {
		return err
	}
	if s.given.CA != "" {
		s.CA = File{s.given.CA, "it was given"}
	}
	if s.given.Signer {
		return nil
	}
	if s.cas, err = signer.ReadCertificates(s.CA.Path); err != nil {
		return err
	}
	return s.findSigner()
}

// indexes and the others are names in the order of their ages, below the
// directory; of CAs' certificates those of easy-rsa, jamielinux, TinyCA, XCA.
const (
	indexNames = "index.txt db/index.txt db/index index"
	caNames    = "ca.crt ca.pem ca.cert.pem cacert.pem ca-cert.pem certs/ca.crt certs/ca.pem certs/ca.cert.pem certs/cacert.pem"
	keyNames   = "private/ca.key private/ca.key.pem private/ca.pem private/cakey.pem ca.key ca.key.pem cakey.pem cacert.key"
)

// guessed goes by the names that files have.
func (s *search) guessed() error {
	index, err := s.one(indexNames, "index")
	if err != nil {
		return err
	}
	ca := s.given.CA
	if ca == "" {
		if ca, err = s.one(caNames, "certificate of the CA"); err != nil && ca == "" {
			ca, err = s.onlyCA(err)
		}
	}
	if err != nil {
		return err
	}
	s.Index, s.CA = File{index, "its name"}, File{ca, "its name"}
	for name := range strings.FieldsSeq(keyNames) {
		if path := filepath.Join(s.dir, name); isFile(path) {
			s.caKey = File{path, "its name"}
			break
		}
	}
	return nil
}

// one returns the only file of these names.
func (s *search) one(names, what string) (string, error) {
	var there []string
	for name := range strings.FieldsSeq(names) {
		if path := filepath.Join(s.dir, name); isFile(path) && !sameAsOne(path, there) {
			there = append(there, path)
		}
	}
	switch len(there) {
	case 0:
		return "", fmt.Errorf("no %s: there is none of %s", what, strings.ReplaceAll(names, " ", ", "))
	case 1:
		return there[0], nil
	}
	return there[0], ambiguous(what, there, "say which with -index, -CA, -rsigner and -rkey instead of -ca-dir")
}

// onlyCA returns the file with the only CA certificate in the directory.
func (s *search) onlyCA(none error) (string, error) {
	var there []string
	for _, path := range s.certificates(s.dir, filepath.Join(s.dir, "certs")) {
		certs, err := signer.ReadCertificates(path)
		if err == nil && len(certs) == 1 && certs[0].IsCA {
			there = append(there, path)
		}
	}
	switch len(there) {
	case 0:
		return "", none
	case 1:
		return there[0], nil
	}
	return "", ambiguous("certificate of the CA", there, "say which with -CA")
}

func ambiguous(what string, candidates []string, remedy string) error {
	return fmt.Errorf("which is the %s? there are:\n  %s\n%s", what, strings.Join(candidates, "\n  "), remedy)
}

// isFile tells whether a file is there, or will be in a moment: openssl ca renames the
// index to .old, and then .new to the index. That may be done while it is looked for.
func isFile(path string) bool {
	return isRegular(path) || isRegular(path+".old") && (isRegular(path+".new") || isRegular(path))
}

func isRegular(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// sameAsOne tells whether path is one of others by another name.
func sameAsOne(path string, others []string) bool {
	if slices.Contains(others, path) {
		return true
	}
	info, err := os.Stat(path)
	if err != nil {
		return false
	}
	for _, other := range others {
		if o, err := os.Stat(other); err == nil && os.SameFile(info, o) {
			return true
		}
	}
	return false
}

// note keeps why something could not be looked at.
func (s *search) note(err error) {
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		s.seen = append(s.seen, err.Error())
	}
}
