package check

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/verify"
	"ocspcgi/lib/wire"
)

// skew is how far the clock here and that of a responder may be apart.
const skew = 5 * time.Minute

// probe is one way in which clients ask.
type probe struct {
	name  string
	query query
	want  outcome

	about *subject
	id    wire.CertID
	nonce []byte // as wire.Request.Nonce holds it; nil: none
}

// outcome is what a probe has to be answered with.
type outcome string

const (
	answered    outcome = "an answer about the certificate"
	malformed   outcome = "malformedRequest"
	refused     outcome = "refused"
	headersOnly outcome = "headers without a body"
	notEchoed   outcome = "not sent back"
)

const (
	requestType  = "Content-Type: application/ocsp-request"
	responseType = "application/ocsp-response"
	maxRequest   = 64 << 10 // what servers are told to let through
)

// The names of probes that more than their own row is told by.
const (
	plainGET   = "GET, escaped"
	slashGET   = "GET, escaped, with slashes"
	oldGET     = "GET, escaped, HTTP/1.0"
	rawGET     = "GET, raw base64"
	doubleGET  = "GET, two slashes before it"
	plainPOST  = "POST"
	oldPOST    = "POST, HTTP/1.0"
	noncePOST  = "POST, with a nonce"
	sha256POST = "POST, SHA-256 CertID"
	chunkPOST  = "POST, chunked"
	largePOST  = "POST of more than 64 KiB"
	traceName  = "TRACE"
)

// gets are the ways to put a request into a path (RFC 6960 A.1).
func gets(s *subject) ([]*probe, error) {
	id, der, err := s.request(crypto.SHA1, nil)
	if err != nil {
		return nil, err
	}
	raw := base64.StdEncoding.EncodeToString(der)
	escaped := strings.NewReplacer("/", "%2F", "+", "%2B", "=", "%3D").Replace(raw)
	lower := strings.NewReplacer("/", "%2f", "+", "%2b", "=", "%3d").Replace(raw)
	probes := []*probe{
		{name: plainGET, query: query{path: "/" + escaped}},
		{name: oldGET, query: query{path: "/" + escaped, version: "1.0"}},
		{name: "GET, lower-case escapes", query: query{path: "/" + lower}},
		{name: rawGET, query: query{path: "/" + raw}},
		{name: doubleGET, query: query{path: "//" + escaped}},
		{name: "GET, two slashes, raw base64", query: query{path: "//" + raw}},
		{name: "GET, without padding", query: query{path: "/" + strings.TrimRight(raw, "=")}},
		{name: "GET, base64url", query: query{path: "/" + base64.URLEncoding.EncodeToString(der)}},
		{name: "HEAD", query: query{method: "HEAD", path: "/" + escaped}, want: headersOnly},
	}
	for _, p := range probes {
		p.about, p.id = s, id
		if p.want == "" {
			p.query.method, p.want = "GET", answered
		}
	}
	return probes, nil
}

// posts are the ways to send a request in a body.
func posts(s *subject, octets []byte) ([]*probe, error) {
	nonce, err := wire.NonceValue(octets)
	if err != nil {
		return nil, err
	}
	id, der, err := s.request(crypto.SHA1, nil)
	if err != nil {
		return nil, err
	}
	fresh, withNonce, err := s.request(crypto.SHA1, nonce)
	if err != nil {
		return nil, err
	}
	long, sha256, err := s.request(crypto.SHA256, nil)
	if err != nil {
		return nil, err
	}
	probes := []*probe{
		{name: plainPOST, query: query{body: der}, want: answered, id: id},
		{name: oldPOST, query: query{body: der, version: "1.0"}, want: answered, id: id},
		{name: chunkPOST, query: query{body: der, chunked: true}, want: answered, id: id},
		{name: noncePOST, query: query{body: withNonce}, want: answered, id: fresh, nonce: nonce},
		{name: sha256POST, query: query{body: sha256}, want: answered, id: long},
		{name: "POST, other Content-Type", query: query{body: der, header: []string{"Content-Type: text/plain"}}, want: refused, id: id},
		{name: "POST, garbage", query: query{body: []byte("x")}, want: malformed},
		{name: "POST, empty", query: query{body: []byte{}}, want: malformed},
		{name: largePOST, query: query{body: bytes.Repeat([]byte("M"), maxRequest+1024)}, want: refused},
		{name: traceName, query: query{method: "TRACE"}, want: notEchoed},
	}
	for _, p := range probes {
		p.about = s
		if p.query.method == "" {
			p.query.method = "POST"
		}
		if p.query.method == "POST" && p.query.header == nil {
			p.query.header = []string{requestType}
		}
	}
	return probes, nil
}

// fits tells what is wrong with the answer to a probe; "" when nothing is. The
// response is there where there is one that can be read.
func (p *probe) fits(r *reply, now func() time.Time) (*wire.OCSPResponse, string) {
	switch p.want {
	case headersOnly:
		return nil, when(r.status != 200, "HTTP %d", r.status)
	case notEchoed:
		return nil, when(r.status == 200 && bytes.Contains(r.body, []byte(traceName+" ")), "the request is sent back, with the headers that proxies have added")
	case refused:
		if r.status >= 400 && r.status < 500 {
			return nil, ""
		}
	}
	response, text := r.ocsp()
	switch {
	case text != "":
		return nil, text
	case p.want == answered:
		return response, p.believed(response, now)
	case p.want == refused && response.Status == ocsp.Success:
		return nil, ""
	case response.Status != ocsp.Malformed:
		return nil, fmt.Sprintf("the answer is %v", response.Status)
	}
	return nil, ""
}

// ocsp reads a reply that has to be an OCSPResponse, or says why it is none.
func (r *reply) ocsp() (*wire.OCSPResponse, string) {
	kind := r.header.Get("Content-Type")
	switch {
	case r.status != 200:
		return nil, fmt.Sprintf("HTTP %d", r.status)
	case kind != responseType && !bytes.HasPrefix(r.body, []byte{0x30}):
		return nil, fmt.Sprintf("no OCSP response but a page (Content-Type: %s)", kind)
	case kind != responseType:
		return nil, fmt.Sprintf("Content-Type is %q, and clients want %s alone", kind, responseType)
	case r.behind > 0:
		return nil, fmt.Sprintf("%d bytes and more follow what Content-Length counts", r.behind)
	}
	response, err := wire.ParseResponse(r.body)
	if err != nil {
		return nil, "not one DER OCSPResponse: " + err.Error()
	}
	return response, ""
}

// believed tells why a client would not believe a response.
func (p *probe) believed(response *wire.OCSPResponse, now func() time.Time) string {
	if response.Status != ocsp.Success {
		return when(response.Status != p.about.error, "the answer is %v", response.Status)
	}
	q := verify.Question{Issuer: p.about.ca, CertIDs: []wire.CertID{p.id}, Skew: skew, Now: now}
	if len(response.Nonce) > 0 {
		q.Nonce = p.nonce // that there is none is for each client to judge
	}
	found, err := q.Check(response)
	if err != nil {
		return err.Error()
	}
	got := found.Singles[0].Status
	return when(p.about.status != 0 && got != p.about.status, "the answer is %v, and %s says %v", got, p.about.from, p.about.status)
}

// when is the text if it is so, and else "".
func when(so bool, format string, a ...any) string {
	if !so {
		return ""
	}
	return fmt.Sprintf(format, a...)
}
