package config

import (
	"fmt"
	"strconv"
	"strings"
)

// Secret is a -passin source. Whatever prints it sees no pass phrase;
// string(s) has it.
type Secret string

// String keeps the sources that are not the phrase itself.
func (s Secret) String() string {
	switch {
	case s == "":
		return ""
	case strings.HasPrefix(string(s), "pass:") || !s.wellFormed():
		return "pass:***"
	}
	return string(s)
}

// GoString is for %#v.
func (s Secret) GoString() string { return strconv.Quote(s.String()) }

// Format keeps every other verb from the phrase.
func (s Secret) Format(f fmt.State, verb rune) {
	fmt.Fprintf(f, fmt.FormatString(f, verb), s.String())
}

// MarshalText keeps the phrase out of JSON and logs.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

func (v value) secret() Secret { return Secret(v.text) }

// wellFormed says whether it is one of openssl's sources, or a credential.
func (s Secret) wellFormed() bool {
	source, rest, found := strings.Cut(string(s), ":")
	switch source {
	case "pass":
		return found
	case "env", "file", "credential":
		return rest != ""
	case "fd":
		_, err := strconv.ParseUint(rest, 10, 31)
		return err == nil
	case "stdin":
		return !found
	}
	return false
}
