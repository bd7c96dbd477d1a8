package command

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"ocspcgi/lib/verify"
	"ocspcgi/lib/wire"
)

const queryUsage = `ocspcgi query [-ca FILE] [URL] (CERT | -serial HEX)… [-nonce] [-get]

asks a responder, and says what it answers and whether that is to be believed.
Without a URL it asks the one that the certificate names. A responder behind a web
server is asked past it by its socket: unix:PATH or tcp:HOST:PORT speak FastCGI.

` + subjectUsage + `  -request FILE asks this request (-reqin); -ca says whose answer it should be
  -url URL      another way to name the responder; also -host HOST:PORT -path PATH
  -nonce        with 32 random octets that the answer has to repeat; -nonce=HEX
                for octets of your own
  -get          ask by GET; by POST without
  -header N=V   a header field more; may be repeated
  -timeout D    how long it may take, in seconds or as 1m30s; 10 seconds without
` + trustUsage + `  -reqout FILE  where to write the request
  -respout FILE where to write the answer
  -text         show both as text (-req_text, -resp_text for one)
  -json         as JSON

Redirections are not followed. It exits with 0 for good, 1 for revoked, 2 for
unknown, 3 for everything that tells no status, 64 when it was called wrongly; of
several certificates for the one that is worst off.

  ocspcgi query -ca ca.pem server.pem
  ocspcgi query -ca ca.pem server.pem unix:/run/ocspcgi/ocspcgi.sock
`

// query is what is asked, and of whom.
type query struct {
	of           *subjects
	with         *trust
	nonce        *nonceFlag
	to           asker
	host, path   string
	request      string
	out, answer  string
	timeout      string
	showRequest  bool
	showResponse bool
}

func (s *Shell) query(args []string) int {
	v := s.verb("query", queryUsage)
	v.failed = 3
	q := &query{of: v.subjects(), with: v.trust(), nonce: v.nonceToSend(), timeout: "10"}
	v.text(&q.request, "request", "reqin")
	v.text(&q.to.url, "url")
	v.text(&q.host, "host")
	v.text(&q.path, "path")
	v.text(&q.timeout, "timeout")
	v.text(&q.out, "reqout")
	v.text(&q.answer, "respout")
	v.toggle(&q.to.get, "get")
	v.toggle(&q.showRequest, "req_text")
	v.toggle(&q.showResponse, "resp_text")
	v.flags.BoolFunc("text", "", func(string) error { q.showRequest, q.showResponse = true, true; return nil })
	v.call(q.to.addHeader, "header")
	return v.run(args, func() (int, error) { return v.ask(q) })
}

// ask asks, and judges the answer.
func (v *verb) ask(q *query) (int, error) {
	if err := q.place(v.rest); err != nil {
		return 0, err
	}
	about, err := q.of.find()
	if err != nil {
		return 0, err
	}
	if err := q.findURL(about); err != nil {
		return 0, err
	}
	der, err := v.toSend(q, about)
	if err != nil {
		return 0, err
	}
	answer, err := v.send(q, der)
	if err != nil {
		return 0, err
	}
	question, err := v.questionOf(q, about, der, answer)
	if err != nil {
		return 0, err
	}
	return v.answered(q, question, about, answer)
}

// place sorts what is no flag: URLs and certificates.
func (q *query) place(rest []string) error {
	if q.host != "" || q.path != "" {
		if q.to.url != "" || q.host == "" {
			return misused("-host and -path go together, in the place of -url")
		}
		q.to.url = "http://" + q.host + "/" + strings.TrimPrefix(q.path, "/")
	}
	for _, arg := range rest {
		switch {
		case isSocket(arg):
			return misused("%s is a socket, and no certificate; write it as unix:%s", arg, arg)
		case !isURL(arg):
			q.of.add(named{cert: arg})
		case q.to.url != "":
			return misused("%s: one URL is enough, and %s is named", arg, q.to.url)
		default:
			q.to.url = arg
		}
	}
	return nil
}

// findURL takes the responder that the certificates name, where no flag names one.
// A certificate does not get to name a socket of this machine.
func (q *query) findURL(about []subject) error {
	for _, subject := range about {
		if q.to.url != "" {
			return nil
		}
		if subject.cert == nil {
			continue
		}
		for _, url := range subject.cert.OCSPServer {
			if strings.HasPrefix(url, "http://") || strings.HasPrefix(url, "https://") {
				q.to.url = url
				break
			}
		}
	}
	if q.to.url == "" {
		return misused("whom to ask? No certificate names a responder; name its URL")
	}
	return nil
}

// toSend is the request: that of the file, or one about the certificates.
func (v *verb) toSend(q *query, about []subject) ([]byte, error) {
	var der []byte
	var err error
	switch {
	case q.request == "":
		der, err = newRequest(about, q.nonce.octets)
	case len(about) > 0 || q.nonce.octets != nil:
		err = misused("-request has its certificates and its nonce; leave the others out")
	default:
		if der, err = v.read(q.request); err == nil {
			der, err = unwrap(der)
		}
	}
	if err != nil || q.out == "" {
		return der, err
	}
	return der, v.write(q.out, "", pemRequest, der)
}

// send asks, and reads the answer.
func (v *verb) send(q *query, der []byte) (*wire.OCSPResponse, error) {
	timeout, err := parsePatience(q.timeout)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	body, err := q.to.ask(ctx, der)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", q.to.url, err)
	}
	if q.answer != "" {
		if err := v.write(q.answer, "", pemResponse, body); err != nil {
			return nil, err
		}
	}
	if q.showRequest && !v.json {
		requestText(plain{v.Stdout}, der)
	}
	if q.showResponse && !v.json {
		responseText(plain{v.Stdout}, body)
	}
	answer, err := parseResponse(body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", q.to.url, err)
	}
	return answer, nil
}

// questionOf is what the answer is held against.
func (v *verb) questionOf(q *query, about []subject, der []byte, answer *wire.OCSPResponse) (*verify.Question, error) {
	req, err := parseRequest(der)
	if err != nil {
		return nil, err
	}
	question := &verify.Question{CertIDs: req.CertIDs, Nonce: req.Nonce}
	if question.Issuer, err = oneIssuer(about); err != nil {
		return nil, err
	}
	if question.Issuer == nil {
		if question.Issuer, err = answeredFor(q.of.issuer, answer); err != nil {
			return nil, err
		}
	}
	return question, q.with.apply(question, v.now)
}

// asked is what -json prints of a query.
type asked struct {
	URL    string `json:"url"`
	Status string `json:"status,omitempty"` // the worst, of an answer that is believed
	*judgement
}

// answered judges the answer, tells of it, and returns the exit code.
func (v *verb) answered(q *query, question *verify.Question, about []subject, answer *wire.OCSPResponse) (int, error) {
	found, err := question.Check(answer)
	code, worst := v.failed, ""
	if err == nil {
		code, worst = worstOf(found.Singles)
	}
	if v.json {
		return code, PrintJSON(v.Stdout, asked{q.to.url, worst, judged(found, err, answer)})
	}
	if err != nil {
		return 0, fmt.Errorf("the answer of %s is not to be believed:\n%w", q.to.url, err)
	}
	for i, single := range found.Singles {
		name := viewSingle(single).Serial
		if i < len(about) {
			name = about[i].name
		}
		fmt.Fprintf(plain{v.Stdout}, "%s: %s\n", name, statusText(single))
	}
	fmt.Fprintf(plain{v.Stdout}, "  asked        %s\n", q.to.url)
	foundText(plain{v.Stdout}, found, answer, question.Now())
	return code, nil
}

// worstOf returns the exit code of several, and the status it stands for.
func worstOf(singles []*wire.Single) (code int, status string) {
	worst := wire.Good
	for _, single := range singles {
		if single.Status == wire.Revoked || worst == wire.Good {
			worst = single.Status
		}
	}
	switch worst {
	case wire.Good:
		return 0, worst.String()
	case wire.Revoked:
		return 1, worst.String()
	}
	return 2, worst.String()
}

// isURL tells the name of a responder from that of a file.
func isURL(arg string) bool {
	return strings.Contains(arg, "://") || strings.HasPrefix(arg, "unix:") || strings.HasPrefix(arg, "tcp:")
}

// isSocket tells a socket whose unix: was forgotten from a file.
func isSocket(arg string) bool {
	info, err := os.Stat(arg)
	return err == nil && info.Mode().Type() == fs.ModeSocket
}
