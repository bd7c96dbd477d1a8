package command

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"

	"ocspcgi/lib/wire"
)

const requestUsage = `ocspcgi request -ca FILE (-cert FILE | -serial HEX)… [-nonce] [-out FILE]

makes an OCSP request about one certificate or several.

` + subjectUsage + `  -nonce        with 32 random octets that the answer has to repeat; -nonce=HEX
                for octets of your own, 1 to 128
  -out FILE     where to write it (-reqout); stdout without
  -outform F    DER (default) or PEM
  -text         show it as text, on stderr (-req_text)
  -json         show it as JSON, on stdout; needs -out FILE

  ocspcgi request -ca ca.pem -cert server.pem -nonce -out request.der
  curl --data-binary @request.der -H 'Content-Type: application/ocsp-request' URL
`

func (s *Shell) request(args []string) int {
	v := s.verb("request", requestUsage)
	of, nonce := v.subjects(), v.nonceToSend()
	var out, form string
	var show bool
	v.text(&out, "out", "reqout", "o")
	v.text(&form, "outform")
	v.toggle(&show, "text", "req_text")
	return v.run(args, func() (int, error) {
		if err := v.nothing(); err != nil {
			return 0, err
		}
		if v.json && (out == "" || out == "-") {
			return 0, misused("-json is for stdout, and so is the request; name a file with -out")
		}
		about, err := of.find()
		if err != nil {
			return 0, err
		}
		der, err := newRequest(about, nonce.octets)
		if err != nil {
			return 0, err
		}
		return 0, v.requested(der, out, form, show)
	})
}

// requested writes a request, and shows it.
func (v *verb) requested(der []byte, out, form string, show bool) error {
	if err := v.write(out, form, pemRequest, der); err != nil {
		return err
	}
	if show {
		requestText(plain{v.Stderr}, der)
	}
	if !v.json {
		return nil
	}
	req, err := wire.ParseRequest(der)
	if err != nil {
		return err
	}
	return PrintJSON(v.Stdout, viewRequest(req))
}

// newRequest makes a request about certificates; nonce may be nil.
func newRequest(about []subject, nonce []byte) (der []byte, err error) {
	if len(about) == 0 {
		return nil, misused("about which certificate? Name it with -cert or -serial")
	}
	var req wire.Request
	for _, subject := range about {
		req.CertIDs = append(req.CertIDs, subject.id)
	}
	if nonce != nil {
		if req.Nonce, err = wire.NonceValue(nonce); err != nil {
			return nil, misuse{err}
		}
	}
	return req.Marshal(nil)
}

// nonceFlag is a nonce to send: random octets, or those in the value.
type nonceFlag struct{ octets []byte }

// nonceToSend takes -nonce, and openssl's -no_nonce, which is how it is.
func (v *verb) nonceToSend() *nonceFlag {
	var n nonceFlag
	v.flags.Var(&n, "nonce", "")
	v.flags.BoolFunc("no_nonce", "", func(string) error { n.octets = nil; return nil })
	return &n
}

func (n *nonceFlag) IsBoolFlag() bool { return true }
func (n *nonceFlag) String() string   { return "" }

func (n *nonceFlag) Set(value string) (err error) {
	switch value {
	case "true":
		n.octets = make([]byte, 32) // RFC 9654 §2.1
		_, err = rand.Read(n.octets)
		return err
	case "false":
		n.octets = nil
		return nil
	}
	n.octets, err = parseOctets(value)
	return err
}

// parseNonce reads the octets of a nonce, as requests and responses carry it.
// With the OCTET STRING around them, as openssl shows them, they may be too.
func parseNonce(text string) ([]byte, error) {
	octets, err := parseOctets(text)
	if err != nil {
		return nil, misused("-nonce %w", err)
	}
	if len(octets) > 2 && octets[0] == 4 && int(octets[1]) == len(octets)-2 {
		return octets, nil
	}
	value, err := wire.NonceValue(octets)
	if err != nil {
		return nil, misused("-nonce: %w", err)
	}
	return value, nil
}

// parseOctets reads octets in hexadecimal, with colons or without.
func parseOctets(text string) ([]byte, error) {
	octets, err := hex.DecodeString(strings.ReplaceAll(strings.TrimPrefix(text, "0x"), ":", ""))
	if err != nil || len(octets) == 0 {
		return nil, fmt.Errorf("%q are no octets in hexadecimal", text)
	}
	return octets, nil
}
