package signer

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
)

// tokenURI is a PKCS#11 URI (RFC 7512): which key of which token, through which
// module. What is empty was not said, and fits everything.
type tokenURI struct {
	name string // the URI without what stands behind "?", for messages

	token, serial, model, manufacturer string
	slot                               *uint // slot-id

	object string
	id     []byte

	module  string // path of the module
	pinFile string // where the PIN is; empty: it comes as -passin says
}

// pinValue is the attribute with the PIN itself, which is refused wherever it may
// stand.
const pinValue = "pin-value"

// uriName is what a URI is called in messages, as far as nothing in it can be
// a PIN.
func uriName(uri string) string {
	name, _, _ := strings.Cut(uri, "?")
	if strings.Contains(name, pinValue) {
		return tokenPrefix
	}
	return name
}

// parseURI reads a PKCS#11 URI. An attribute that would not be heeded is an
// error, for another key might be meant. The PIN is in no error.
func parseURI(uri string) (*tokenURI, error) {
	path, query, _ := strings.Cut(strings.TrimPrefix(uri, tokenPrefix), "?")
	u := &tokenURI{name: uriName(uri)}
	if strings.Contains(uri, pinValue) {
		return nil, errors.New("pin-value shows the PIN to whoever lists processes; write it to a file and give that with pin-source=file:PATH or -passin file:PATH")
	}
	if err := u.each(path, ";", u.setPath); err != nil {
		return nil, err
	}
	if err := u.each(query, "&", u.setQuery); err != nil {
		return nil, err
	}
	switch {
	case u.module == "":
		return nil, errors.New("no module-path; add ?module-path=FILE with the PKCS#11 library of the token, such as /usr/lib/softhsm/libsofthsm2.so")
	case u.object == "" && u.id == nil:
		return nil, errors.New("no key is named; add object=LABEL or id=%01, as pkcs11-tool --list-objects shows them")
	case u.token == "" && u.serial == "" && u.slot == nil:
		return nil, errors.New("no token is named; add token=LABEL, serial=NUMBER or slot-id=N, as pkcs11-tool --list-slots shows them")
	}
	return u, nil
}

// each calls set with each attribute of a part of the URI, once.
func (u *tokenURI) each(part, separator string, set func(name, value string) error) error {
	if part == "" {
		return nil
	}
	seen := map[string]bool{}
	for attribute := range strings.SplitSeq(part, separator) {
		name, escaped, ok := strings.Cut(attribute, "=")
		if !ok {
			return errors.New("an attribute without =; write NAME=VALUE, with %3B for ; and %25 for %")
		}
		value, err := url.PathUnescape(escaped)
		switch {
		case err != nil:
			return fmt.Errorf("%s: %% is not followed by two hexadecimal digits; write %%25 for %%", name)
		case value == "":
			return fmt.Errorf("%s is empty; give a value or leave it out", name)
		case seen[name]:
			return fmt.Errorf("%s is given twice", name)
		}
		seen[name] = true
		if err := set(name, value); err != nil {
			return err
		}
	}
	return nil
}

func (u *tokenURI) setPath(name, value string) error {
	switch name {
	case "token":
		u.token = value
	case "serial":
		u.serial = value
	case "model":
		u.model = value
	case "manufacturer":
		u.manufacturer = value
	case "object":
		u.object = value
	case "id":
		u.id = []byte(value)
	case "slot-id":
		n, err := strconv.ParseUint(value, 10, strconv.IntSize)
		if err != nil {
			return errors.New("slot-id is no number")
		}
		slot := uint(n)
		u.slot = &slot
	case "type":
		if value != "private" {
			return fmt.Errorf("type=%s does not sign; give type=private or leave it out", printable(value))
		}
	case "pin-source": // where drafts of RFC 7512 had it, and many write it
		return u.setQuery(name, value)
	case "module-path", "module-name":
		return fmt.Errorf("%s belongs behind ?, with & between several", name)
	default:
		return fmt.Errorf("%s is not known before ?; token, serial, model, manufacturer, slot-id, object, id and type are", printable(name))
	}
	return nil
}

func (u *tokenURI) setQuery(name, value string) error {
	switch name {
	case "module-path":
		if !filepath.IsAbs(value) {
			return fmt.Errorf("module-path=%s is not absolute; begin it with /", printable(value))
		}
		u.module = value
	case "pin-source":
		path, isFile := strings.CutPrefix(value, "file:")
		path = strings.TrimPrefix(path, "//")
		switch {
		case !isFile && !filepath.IsAbs(path) || path == "":
			return errors.New("pin-source: give file:PATH or credential:NAME")
		case u.pinFile != "":
			return errors.New("pin-source is given twice")
		}
		u.pinFile = path
	case "module-name":
		return errors.New("module-name is not looked for; give module-path=FILE")
	default:
		return fmt.Errorf("%s is not known behind ?; module-path and pin-source are", printable(name))
	}
	return nil
}

// printable quotes what would disturb a message.
func printable(s string) string {
	if quoted := strconv.Quote(s); quoted != `"`+s+`"` {
		return quoted
	}
	return s
}
