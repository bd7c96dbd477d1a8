package ocsphttp

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"net/url"
	"strings"

	"ocspcgi/lib/responder"
)

// The names of the form's fields.
const (
	fieldWhich  = "certificate"
	fieldIssuer = "issuer"
)

// question is what a person asks by the form.
type question struct {
	issuer  *responder.Issuer
	serial  *big.Int
	subject string // of a certificate that was pasted; empty: a serial number was
}

// mostDigits is how long a serial number is that may be asked for: twice what
// certificates may have (RFC 5280 §4.1.2.2).
const mostDigits = 80

// readQuestion reads the body of a form. The fault is what the person
// is told.
func readQuestion(body []byte, issuers []*responder.Issuer) (q *question, fault string) {
	fields, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, "The form cannot be read. Send it again."
	}
	which := strings.TrimSpace(fields.Get(fieldWhich))
	if which == "" {
		return nil, "Paste a serial number or a certificate."
	}
	if strings.Contains(which, "-----BEGIN ") {
		return aboutCertificate(which, issuers)
	}
	serial, ok := readSerial(which)
	if !ok {
		return nil, "This is neither a serial number in hexadecimal digits nor a certificate in PEM."
	}
	for _, issuer := range issuers {
		if len(issuers) == 1 || issuerID(issuer) == fields.Get(fieldIssuer) {
			return &question{issuer: issuer, serial: serial}, ""
		}
	}
	return nil, "Choose the CA that issued the certificate."
}

// aboutCertificate takes the first certificate of a text: what follows are the
// CAs above it.
func aboutCertificate(text string, issuers []*responder.Issuer) (q *question, fault string) {
	for block, rest := pem.Decode([]byte(text)); block != nil; block, rest = pem.Decode(rest) {
		if !strings.HasSuffix(block.Type, "CERTIFICATE") {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			break
		}
		for _, issuer := range issuers {
			if issuer.Issued(cert) {
				return &question{issuer: issuer, serial: cert.SerialNumber, subject: cert.Subject.String()}, ""
			}
		}
		return nil, "None of the CAs named below has signed this certificate."
	}
	return nil, "There is no certificate in this text that can be read: paste it from BEGIN to END."
}

// readSerial reads hexadecimal digits as openssl, browsers and index.txt write
// them: in pairs with colons, behind 0x or serial=, with a minus.
func readSerial(text string) (*big.Int, bool) {
	if len(text) > 2*mostDigits {
		return nil, false
	}
	text = strings.TrimPrefix(strings.ToLower(text), "serial=")
	digits, negative := strings.CutPrefix(text, "-")
	digits = strings.TrimPrefix(digits, "0x")
	digits = strings.NewReplacer(":", "", " ", "", "\t", "", "\r", "", "\n", "").Replace(digits)
	if digits == "" || len(digits) > mostDigits || strings.Trim(digits, "0123456789abcdef") != "" {
		return nil, false
	}
	serial, ok := new(big.Int).SetString(digits, 16)
	if negative && ok {
		serial.Neg(serial)
	}
	return serial, ok
}

// issuerID is what the form calls an issuer by: its place among the others may
// change between the page and the answer.
func issuerID(issuer *responder.Issuer) string {
	digest := sha256.Sum256(issuer.CA.Raw)
	return hex.EncodeToString(digest[:8])
}
