package conformance_test

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/wire"
)

// want is what a request has to be answered with.
type want struct {
	page   int                 // the HTTP status that the page comes with; 0: DER comes
	status ocsp.ResponseStatus // of the DER
	said   []wire.CertStatus   // of each certificate, where that is successful
	ids    [][]byte            // their CertIDs, to the byte
	nonce  []byte              // extnValue; nil: none
	by     *x509.Certificate   // who signs
	ca     *x509.Certificate   // who issued that one
}

var malformed = want{status: ocsp.Malformed}

// check tells all that is wrong with a reply.
func (w *want) check(r *reply, head bool) error {
	if w.page != 0 {
		return w.checkPage(r, head)
	}
	faults := []error{checkFields(r)}
	if head {
		return errors.Join(append(faults, empty(r.body))...)
	}
	if n := r.header.Get("Content-Length"); n != strconv.Itoa(len(r.body)) {
		faults = append(faults, fmt.Errorf("HTTP-22: Content-Length %q of %d bytes", n, len(r.body)))
	}
	if w.status != ocsp.Success {
		five := []byte{0x30, 3, 0x0a, 1, byte(w.status)}
		if !bytes.Equal(r.body, five) {
			faults = append(faults, fmt.Errorf("RSP-01: the answer is %x, want %x", first(r.body), five))
		}
		return errors.Join(append(faults, checkNoStore(r))...)
	}
	return errors.Join(append(faults, w.checkSigned(r))...)
}

func first(b []byte) []byte { return b[:min(len(b), 100)] }

func empty(body []byte) error {
	if len(body) > 0 {
		return fmt.Errorf("HTTP-16: a body of %d bytes", len(body))
	}
	return nil
}

func (w *want) checkPage(r *reply, head bool) error {
	if r.status != w.page || r.header.Get("Content-Type") != "text/html; charset=utf-8" {
		return fmt.Errorf("status %d with %s, want the page with %d", r.status, r.header.Get("Content-Type"), w.page)
	}
	if !head && !bytes.Contains(r.body, []byte("OCSP responder")) {
		return fmt.Errorf("not the page: %q", first(r.body))
	}
	return checkNoStore(r)
}

// checkFields looks at what every answer of OCSP has in its header.
func checkFields(r *reply) error {
	var faults []error
	if r.status != 200 {
		faults = append(faults, fmt.Errorf("RSP-08: status %d", r.status))
	}
	if got := r.header["Content-Type"]; len(got) != 1 || got[0] != "application/ocsp-response" {
		faults = append(faults, fmt.Errorf("HTTP-20: Content-Type %q", got))
	}
	date, err := http.ParseTime(r.header.Get("Date"))
	if off := time.Since(date); err != nil || len(r.header["Date"]) != 1 || off < -time.Second || off > patience {
		faults = append(faults, fmt.Errorf("CGI-09: Date %q", r.header["Date"]))
	}
	for _, name := range []string{"Pragma", "Set-Cookie", "Location", "Transfer-Encoding", "Content-Encoding", "Access-Control-Allow-Origin"} {
		if r.header[name] != nil {
			faults = append(faults, fmt.Errorf("HTTP-34: %s: %q", name, r.header[name]))
		}
	}
	return errors.Join(faults...)
}

func checkNoStore(r *reply) error {
	if r.header.Get("Cache-Control") != "no-store" || r.header["Etag"] != nil || r.header["Expires"] != nil {
		return fmt.Errorf("HTTP-29: not to be stored, but %v", r.header)
	}
	return nil
}

// checkSigned looks at a successful answer.
func (w *want) checkSigned(r *reply) error {
	answer, err := wire.ParseResponse(r.body)
	if err != nil {
		return fmt.Errorf("RSP-09: %w in %x", err, first(r.body))
	}
	if answer.Status != ocsp.Success {
		return fmt.Errorf("the answer is %v", answer.Status)
	}
	faults := []error{w.checkSigner(answer), checkShape(answer), w.checkSingles(answer)}
	if !bytes.Equal(answer.Nonce, w.nonce) {
		faults = append(faults, fmt.Errorf("RSP-33: nonce %x, want %x", answer.Nonce, w.nonce))
	}
	if w.nonce != nil {
		return errors.Join(append(faults, checkNoStore(r))...)
	}
	return errors.Join(append(faults, checkCaching(r, answer))...)
}

// checkSigner looks at who signed, and whether that is told.
func (w *want) checkSigner(answer *wire.OCSPResponse) error {
	if len(answer.Certificates) != 1 || !bytes.Equal(answer.Certificates[0], w.by.Raw) {
		return fmt.Errorf("SGN-08, SGN-11: %d certificates, or the first is another", len(answer.Certificates))
	}
	algorithm := x509.ECDSAWithSHA256
	if w.by.PublicKeyAlgorithm == x509.RSA {
		algorithm = x509.SHA256WithRSA
	}
	if err := w.by.CheckSignature(algorithm, answer.TBS, answer.Signature); err != nil {
		return fmt.Errorf("SGN-07: %w", err)
	}
	if answer.ByName != nil || answer.KeyHash != sha1.Sum(authorityOf(w.by).key) {
		return fmt.Errorf("RSP-11: responderID %x", answer.KeyHash)
	}
	return w.by.CheckSignatureFrom(w.ca)
}

// checkShape looks at the bytes of what is signed.
func checkShape(answer *wire.OCSPResponse) error {
	tbs := cryptobyte.String(answer.TBS)
	var inside cryptobyte.String
	if !tbs.ReadASN1(&inside, 0x30) || inside[0] != 0xa2 {
		return fmt.Errorf("RSP-10: ResponseData does not begin with byKey: %x", first(answer.TBS))
	}
	if hasBoolean(answer.TBS) {
		return errors.New("RSP-31: there is a BOOLEAN in the answer, as only what is critical has")
	}
	if (answer.ExtendedRevoke || answer.Nonce == nil) && bytes.Contains(answer.TBS, []byte("\xa1\x02\x30\x00")) {
		return errors.New("RSP-32: empty responseExtensions")
	}
	for name, octets := range map[string]string{"crlReferences": oidOCSP + "\x03", "reasonCode": "\x06\x03\x55\x1d\x15"} {
		if bytes.Contains(answer.TBS, []byte(octets)) {
			return fmt.Errorf("RSP-29, RSP-30: %s in the answer", name)
		}
	}
	return nil
}

// hasBoolean looks for a BOOLEAN in all elements of DER.
func hasBoolean(der cryptobyte.String) bool {
	for !der.Empty() {
		var inside cryptobyte.String
		var tag asn1.Tag
		if !der.ReadAnyASN1(&inside, &tag) {
			return true
		}
		if tag == 0x01 || tag&0x20 != 0 && hasBoolean(inside) {
			return true
		}
	}
	return false
}

// checkSingles looks at what is said of each certificate.
func (w *want) checkSingles(answer *wire.OCSPResponse) error {
	if len(answer.Singles) != len(w.said) {
		return fmt.Errorf("RSP-14: %d answers to %d questions", len(answer.Singles), len(w.said))
	}
	now := time.Now()
	for i, said := range answer.Singles {
		switch {
		case said.Status != w.said[i]:
			return fmt.Errorf("certificate %d is %v, want %v", i+1, said.Status, w.said[i])
		case !bytes.Equal(said.CertID, w.ids[i]):
			return fmt.Errorf("RSP-13: CertID %x, asked for %x", said.CertID, w.ids[i])
		case said.ThisUpdate.After(answer.ProducedAt) || answer.ProducedAt.After(now):
			return fmt.Errorf("TIM-02: thisUpdate %v, producedAt %v, now %v", said.ThisUpdate, answer.ProducedAt, now)
		case said.NextUpdate.Before(now.Add(10 * time.Minute)):
			return fmt.Errorf("TIM-04, TIM-05: nextUpdate %v", said.NextUpdate)
		case said.Status == wire.Revoked && said.RevokedAt.After(answer.ProducedAt):
			return fmt.Errorf("RSP-25: revoked at %v, after producedAt %v", said.RevokedAt, answer.ProducedAt)
		}
	}
	return nil
}

// checkCaching compares the header with the answer.
func checkCaching(r *reply, answer *wire.OCSPResponse) error {
	next := answer.Singles[0].NextUpdate
	for _, said := range answer.Singles {
		if said.NextUpdate.Before(next) {
			next = said.NextUpdate
		}
	}
	var faults []error
	age, rest, _ := strings.Cut(strings.TrimPrefix(r.header.Get("Cache-Control"), "max-age="), ", ")
	seconds, err := strconv.Atoi(age)
	if err != nil || rest != "public, no-transform, must-revalidate" {
		faults = append(faults, fmt.Errorf("HTTP-23: Cache-Control %q", r.header["Cache-Control"]))
	}
	if stale := time.Now().Add(time.Duration(seconds) * time.Second); seconds <= 0 || stale.After(next) {
		faults = append(faults, fmt.Errorf("HTTP-24: max-age %d goes to %v, nextUpdate is %v", seconds, stale, next))
	}
	for name, want := range map[string]string{
		"Expires":       next.Format(http.TimeFormat),
		"Last-Modified": answer.Singles[0].ThisUpdate.Format(http.TimeFormat),
		"Etag":          fmt.Sprintf(`"%x"`, sha256.Sum256(r.body)),
	} {
		if got := r.header.Get(name); got != want {
			faults = append(faults, fmt.Errorf("HTTP-25, HTTP-26: %s %s, want %s", name, got, want))
		}
	}
	return errors.Join(faults...)
}
