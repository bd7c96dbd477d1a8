package cadir

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ocspcgi/lib/signer"
)

// pair is a certificate that may sign OCSP answers, with its key.
type pair struct {
	certificate, key string
	why              string
	parsed           *x509.Certificate
}

// findSigner takes the only delegate, or else the CA itself.
func (s *search) findSigner() error {
	certs := s.certificates(s.dir, filepath.Join(s.dir, "certs"), filepath.Join(s.dir, "issued"))
	keys := s.keys(s.dir, filepath.Join(s.dir, "private"), filepath.Join(s.dir, "keys"))
	pairs := s.delegates(certs, keys, "its extended key usage, and the name of the key")
	more, err := s.credentials()
	if err != nil {
		return err
	}
	for _, p := range more {
		if !slices.ContainsFunc(pairs, func(q pair) bool { return p.parsed.Equal(q.parsed) }) {
			pairs = append(pairs, p)
		}
	}
	switch {
	case len(pairs) == 1:
		p := pairs[0]
		s.Signer, s.Key = File{p.certificate, p.why}, File{p.key, p.why}
		return nil
	case len(pairs) > 1:
		var named []string
		for _, p := range pairs {
			named = append(named, fmt.Sprintf("%s, %q until %s, with %s", p.certificate, p.parsed.Subject.String(), p.parsed.NotAfter.Format("2006-01-02"), p.key))
		}
		return ambiguous("signer", named, "say which with -rsigner and -rkey, or give several of them so")
	case s.caKey.Path != "":
		why := strings.Join(append([]string{"the CA itself signs, for no delegate was found"}, s.seen...), "; ")
		s.Signer = File{s.CA.Path, why}
		s.Key = s.caKey
		return nil
	}
	return errors.New(strings.Join(append([]string{"no signer: a certificate for OCSPSigning that this CA issued, with a key of the same name in private or keys"}, s.seen...), "\n  "))
}

// delegates returns the pairs of a certificate that may sign for the CA and the
// key whose name it shares.
func (s *search) delegates(certs, keys []string, why string) (pairs []pair) {
	for _, path := range certs {
		parsed, err := signer.ReadCertificates(path)
		if err != nil || !s.mayDelegate(parsed[0]) {
			continue
		}
		cert := parsed[0]
		i := slices.IndexFunc(keys, func(key string) bool { return stem(key) == stem(path) })
		switch {
		case cert.NotAfter.Before(s.now):
			s.seen = append(s.seen, fmt.Sprintf("%s is over since %s", path, cert.NotAfter.Format("2006-01-02")))
		case i < 0:
			s.seen = append(s.seen, fmt.Sprintf("%s has no key of its name", path))
		case !slices.ContainsFunc(pairs, func(p pair) bool { return p.parsed.Equal(cert) }):
			pairs = append(pairs, pair{path, keys[i], why, cert})
		}
	}
	return pairs
}

func (s *search) mayDelegate(cert *x509.Certificate) bool {
	return slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning) && slices.ContainsFunc(s.cas, func(ca *x509.Certificate) bool {
		return signer.Issued(ca, cert)
	})
}

// certificates returns the files that may be certificates, by their names.
func (s *search) certificates(folders ...string) (paths []string) {
	for _, folder := range folders {
		for _, path := range s.files(folder) {
			switch strings.ToLower(filepath.Ext(path)) {
			case ".pem", ".crt", ".cer", ".cert", ".der":
				paths = append(paths, path)
			}
		}
	}
	return paths
}

// keys returns the files with private keys. What cannot be read is judged by its
// folder: whoever runs the search need not be whoever answers.
func (s *search) keys(folders ...string) (paths []string) {
	for i, folder := range folders {
		for _, path := range s.files(folder) {
			data, err := os.ReadFile(path)
			isKey := strings.EqualFold(filepath.Ext(path), ".key") || bytes.Contains(data, []byte("PRIVATE KEY-----"))
			if isKey || err != nil && i > 0 {
				paths = append(paths, path)
			}
		}
	}
	return paths
}

// files returns the files of a folder that are not too large to be looked at.
func (s *search) files(folder string) (paths []string) {
	entries, err := os.ReadDir(folder)
	s.note(err)
	for _, e := range entries {
		path := filepath.Join(folder, e.Name())
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Size() < 1<<20 {
			paths = append(paths, path)
		}
	}
	return paths
}

// stem is the name that a certificate's file and its key's file share.
func stem(path string) string {
	name := filepath.Base(path)
	for {
		shorter := name
		for _, suffix := range []string{".pem", ".der", ".crt", ".cer", ".cert", ".key", "-cert", "-key", "_cert", "_key"} {
			shorter = strings.TrimSuffix(shorter, suffix)
		}
		if shorter == name || shorter == "" {
			return name
		}
		name = shorter
	}
}
