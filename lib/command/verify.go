package command

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"ocspcgi/lib/signer"
	"ocspcgi/lib/verify"
	"ocspcgi/lib/wire"
)

const verifyUsage = `ocspcgi verify -ca FILE [-cert FILE | -serial HEX]… [-nonce HEX] RESPONSE

says whether an OCSP response is to be believed: its signature, who made it and
whether that one may (RFC 6960 §4.2.2.2), its times, and whether it is about the
certificates named. What is wrong is said with the rule that is broken.

` + subjectUsage + `  -response FILE   another way to name the response (-respin)
  -request FILE    the request it answers: its certificates, its nonce (-reqin)
  -nonce HEX       the nonce that the response has to repeat
` + trustUsage + `  -json            as JSON

It exits with 0 when the response is to be believed, whatever it says, 1 when it
is not, 64 when it was called wrongly.

  ocspcgi verify -ca ca.pem -cert server.pem response.der
`

func (s *Shell) verify(args []string) int {
	v := s.verb("verify", verifyUsage)
	of, with := v.subjects(), v.trust()
	var response, request, nonce string
	v.text(&response, "response", "respin")
	v.text(&request, "request", "reqin")
	v.text(&nonce, "nonce")
	return v.run(args, func() (int, error) {
		path, err := v.file(response)
		if err != nil {
			return 0, err
		}
		resp, err := v.readResponse(path)
		if err != nil {
			return 0, err
		}
		q, err := v.question(of, with, request, nonce, resp)
		if err != nil {
			return 0, err
		}
		return v.judge(q, path, resp)
	})
}

func (v *verb) readResponse(path string) (*wire.OCSPResponse, error) {
	data, err := v.read(path)
	if err != nil {
		return nil, err
	}
	der, err := unwrap(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", called(path), err)
	}
	resp, err := parseResponse(der)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", called(path), err)
	}
	return resp, nil
}

// question puts together what a response is held against.
func (v *verb) question(of *subjects, with *trust, request, nonce string, resp *wire.OCSPResponse) (*verify.Question, error) {
	q := &verify.Question{}
	about, err := of.find()
	if err != nil {
		return nil, err
	}
	for _, subject := range about {
		q.CertIDs = append(q.CertIDs, subject.id)
	}
	if q.Issuer, err = oneIssuer(about); err != nil {
		return nil, err
	}
	if err := v.asked(q, request, nonce); err != nil {
		return nil, err
	}
	if q.Issuer == nil {
		ca := of.issuer
		if ca == "" {
			ca = with.chain
		}
		if q.Issuer, err = answeredFor(ca, resp); err != nil {
			return nil, err
		}
	}
	return q, with.apply(q, v.now)
}

// asked adds what a request asked for, and a nonce.
func (v *verb) asked(q *verify.Question, request, nonce string) (err error) {
	if request != "" {
		data, err := v.read(request)
		if err != nil {
			return err
		}
		der, err := unwrap(data)
		if err != nil {
			return fmt.Errorf("%s: %w", called(request), err)
		}
		req, err := parseRequest(der)
		if err != nil {
			return fmt.Errorf("%s: %w", called(request), err)
		}
		q.CertIDs, q.Nonce = append(q.CertIDs, req.CertIDs...), req.Nonce
	}
	if nonce == "" {
		return nil
	}
	q.Nonce, err = parseNonce(nonce)
	return err
}

// answeredFor picks from a file the CA that a response is about; the first where
// it is about none of them, which is a fault to be told.
func answeredFor(path string, resp *wire.OCSPResponse) (*x509.Certificate, error) {
	if path == "" {
		return nil, misused("whose response should it be? Name the certificate of the CA with -ca")
	}
	cas, err := signer.ReadCertificates(path)
	if err != nil {
		return nil, err
	}
	for _, ca := range cas {
		issuer, err := wire.NewIssuer(ca.RawSubject, ca.RawSubjectPublicKeyInfo)
		for i := range resp.Singles {
			id, idErr := wire.ParseCertID(resp.Singles[i].CertID)
			if err == nil && idErr == nil && issuer.Matches(&id) {
				return ca, nil
			}
		}
	}
	return cas[0], nil
}

// judgement is what -json prints of a response that was judged.
type judgement struct {
	Verified bool          `json:"verified"`
	Faults   []faultView   `json:"faults,omitempty"`
	Notes    []string      `json:"notes,omitempty"`
	Signer   string        `json:"signer,omitempty"`
	Role     verify.Role   `json:"signer_is,omitempty"`
	Response *responseView `json:"response"`
}

type faultView struct {
	Rule string `json:"rule"`
	Text string `json:"text"`
}

// judge checks a response and tells what came of it.
func (v *verb) judge(q *verify.Question, name string, resp *wire.OCSPResponse) (int, error) {
	found, err := q.Check(resp)
	if v.json {
		code := 0
		if err != nil {
			code = v.failed
		}
		return code, PrintJSON(v.Stdout, judged(found, err, resp))
	}
	if err != nil {
		return 0, fmt.Errorf("%s is not to be believed:\n%w", called(name), err)
	}
	fmt.Fprintf(plain{v.Stdout}, "%s: verified\n", called(name))
	foundText(plain{v.Stdout}, found, resp, q.Now())
	return 0, nil
}

func judged(found *verify.Finding, err error, resp *wire.OCSPResponse) *judgement {
	j := &judgement{Verified: err == nil, Notes: found.Notes, Role: found.Role, Response: viewResponse(resp)}
	if found.Signer != nil {
		j.Signer = found.Signer.Subject.String()
	}
	for _, err := range faultsOf(err) {
		j.Faults = append(j.Faults, faultView{err.Rule, err.Text})
	}
	return j
}

// faultsOf takes the faults out of the error of Check.
func faultsOf(err error) (all []*verify.Fault) {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	for _, err := range joined.Unwrap() {
		if fault := (*verify.Fault)(nil); errors.As(err, &fault) {
			all = append(all, fault)
		}
	}
	return all
}

// foundText tells people of a response that is believed.
func foundText(w io.Writer, found *verify.Finding, resp *wire.OCSPResponse, now time.Time) {
	fmt.Fprintf(w, "  signer       %s (%s)\n  signature    %s\n  produced at  %s\n", found.Signer.Subject, found.Role, algorithmName(resp.SignatureAlgorithm), textTime(resp.ProducedAt))
	for _, single := range found.Singles {
		fmt.Fprintf(w, "  serial %s: %s\n", viewSingle(single).Serial, statusText(single))
		fmt.Fprintf(w, "    this update  %s\n", textTime(single.ThisUpdate))
		if !single.NextUpdate.IsZero() {
			fmt.Fprintf(w, "    next update  %s (%s)\n", textTime(single.NextUpdate), left(single.NextUpdate.Sub(now)))
		}
	}
	for _, note := range found.Notes {
		fmt.Fprintf(w, "  note: %s\n", note)
	}
}

// statusText is a status, of a revoked one with time and reason.
func statusText(s *wire.Single) string {
	var text strings.Builder
	text.WriteString(s.Status.String())
	if s.Status == wire.Revoked {
		text.WriteString(" on " + textTime(s.RevokedAt))
		if reason := reasonText(s.Reason); reason != "" {
			text.WriteString(", " + reason)
		}
	}
	return text.String()
}

// left says how long something still is.
func left(d time.Duration) string {
	if d < 0 {
		return "passed"
	}
	return "in " + d.Truncate(time.Second).String()
}
