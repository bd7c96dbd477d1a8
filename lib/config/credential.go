package config

import (
	"errors"
	"path/filepath"
	"strings"
)

// credentialPrefix begins the name of a credential that systemd passes on
// (systemd.exec(5), LoadCredential=).
const credentialPrefix = "credential:"

// What an rkey begins with that is no file: the socket of a signer process, the
// URI of a key in a token (RFC 7512), in which pinSource is where its PIN is.
const (
	unixPrefix  = "unix:"
	tokenPrefix = "pkcs11:"
	pinSource   = "pin-source="
)

// resolveCredentials puts the files of credentials in the place of their names.
func resolveCredentials(issuers []Issuer, environ []string) (found faults) {
	for i := range issuers {
		for j := range issuers[i].Signers {
			found = append(found, issuers[i].Signers[j].resolve(environ)...)
		}
	}
	return found
}

// Resolve puts the files of systemd's credentials in the place of their names,
// as Load does.
func (s *Signer) Resolve(environ []string) error { return errors.Join(s.resolve(environ)...) }

func (s *Signer) resolve(environ []string) (found faults) {
	folder := ""
	for _, entry := range environ {
		if value, ok := strings.CutPrefix(entry, "CREDENTIALS_DIRECTORY="); ok {
			folder = value
			break
		}
	}
	file := func(setting, given, prefix string) string {
		name, ok := strings.CutPrefix(given, credentialPrefix)
		switch {
		case !ok:
			return given
		case name == "" || name == "." || name == ".." || strings.Contains(name, "/"):
			found.addf("%s: %s %q: give the name of a credential behind %s, without /", s.Where, setting, given, credentialPrefix)
		case folder == "":
			found.addf("%s: %s %q: CREDENTIALS_DIRECTORY is not set; systemd sets it for a unit with LoadCredential=%s:PATH", s.Where, setting, given, name)
		}
		return prefix + filepath.Join(folder, name)
	}
	if key, query, _ := strings.Cut(s.RKey, pinSource); strings.HasPrefix(key, tokenPrefix) && query != "" {
		end := strings.IndexAny(query, "?&;")
		if end < 0 {
			end = len(query)
		}
		s.RKey = key + pinSource + file("pin-source", query[:end], "file:") + query[end:]
	}
	s.RSigner = file("rsigner", s.RSigner, "")
	s.RKey = file("rkey", s.RKey, "")
	s.PassIn = Secret(file("passin", string(s.PassIn), "file:"))
	return found
}

// isCredential says whether a signer's setting names a credential, not a path.
func (s *setting) isCredential(text string) bool {
	return s.signer != nil && strings.HasPrefix(text, credentialPrefix)
}

// isToken says whether a signer's setting is the URI of a token's key.
func (s *setting) isToken(text string) bool {
	return s.signer != nil && strings.HasPrefix(text, tokenPrefix)
}
