package cadir

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"ocspcgi/lib/signer"
)

// active reads which version the metadata of qpki say is in use, and returns
// its folder; "" where there are no such metadata or no versions.
func (s *search) active(dir, metadata string) (string, error) {
	path := filepath.Join(dir, metadata)
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", err
	}
	var meta struct {
		Active string `json:"active"`
	}
	if err := json.Unmarshal(data, &meta); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	s.Hints = append(s.Hints, path)
	if meta.Active == "" {
		return "", nil
	}
	return filepath.Join(dir, "versions", filepath.Base(meta.Active)), nil
}

// versioned goes by the metadata of a CA of qpki.
func (s *search) versioned() (bool, error) {
	folder, err := s.active(s.dir, "ca.meta.json")
	if err != nil || folder == "" {
		return false, err
	}
	index, err := s.one(indexNames, "index")
	if err != nil {
		return false, err
	}
	s.Index = File{index, "its name"}
	if s.given.CA != "" {
		return true, nil
	}
	var there []string
	for _, path := range s.certificates(filepath.Join(folder, "certs")) {
		// One with a key of another kind than we know cannot have issued ours.
		if certs, err := signer.ReadCertificates(path); err == nil && signer.PublicKey(certs[0]) != nil {
			there = append(there, path)
		}
	}
	switch len(there) {
	case 0:
		return false, fmt.Errorf("no certificate of the CA in %s", filepath.Join(folder, "certs"))
	case 1:
	default:
		return false, ambiguous("certificate of the CA", there, "say which with -CA")
	}
	why := "the active version in " + s.Hints[len(s.Hints)-1]
	s.CA = File{there[0], why}
	for _, key := range s.keys(filepath.Join(folder, "keys")) {
		if stem(key) == stem(there[0]) {
			s.caKey = File{key, why}
		}
	}
	return true, nil
}

// credentials returns the delegates among the credentials of qpki, which are in
// the CA's directory or beside it; of each the active version.
func (s *search) credentials() (pairs []pair, err error) {
	for _, root := range []string{filepath.Join(s.dir, "credentials"), filepath.Join(filepath.Dir(filepath.Clean(s.dir)), "credentials")} {
		entries, err := os.ReadDir(root)
		s.note(err)
		for _, e := range entries {
			if !e.IsDir() {
				continue
			}
			dir := filepath.Join(root, e.Name())
			folder, err := s.active(dir, "credential.meta.json")
			if err != nil {
				return nil, err
			}
			why := "the active version in " + filepath.Join(dir, "credential.meta.json")
			if folder == "" {
				folder, why = dir, "a credential"
			}
			pairs = append(pairs, s.delegates(s.certificates(filepath.Join(folder, "certs")), s.keys(filepath.Join(folder, "keys")), why)...)
			pairs = append(pairs, s.bundle(folder, why)...)
		}
	}
	return pairs, nil
}

// bundle is a credential in the two files that qpki wrote at first.
func (s *search) bundle(folder, why string) []pair {
	cert, key := filepath.Join(folder, "certificates.pem"), filepath.Join(folder, "private-keys.pem")
	parsed, err := signer.ReadCertificates(cert)
	if err != nil || !isFile(key) || !s.mayDelegate(parsed[0]) || parsed[0].NotAfter.Before(s.now) {
		return nil
	}
	return []pair{{cert, key, why, parsed[0]}}
}
