package check

import (
	"crypto"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/wire"
)

// survey is what came of asking one responder in every way.
type survey struct {
	*Checker
	target *target
	server string // as it calls itself; empty: it does not
	down   bool   // nothing answers at all

	failed map[string]string // probes by name, and why
	asked  map[string]bool   // probes by name
	get    *reply            // to plainGET
	post   *reply            // to plainPOST
	answer *wire.OCSPResponse
	about  *subject // of answer
	echoed bool     // the nonce came back
}

// url asks the responder at -url in every way that clients do.
func (c *Checker) url() {
	t, err := parseTarget(c.told.url)
	if err != nil {
		c.say(fault, "-url: "+err.Error())
		return
	}
	c.issuer = "responder at " + t.String()
	subjects, err := c.subjects()
	if err != nil {
		c.say(fault, err.Error())
		return
	}
	if len(subjects) == 0 {
		c.add(row{Level: fault, Text: "there is no certificate to ask about", Remedy: "give -issuer CA.pem with -cert F or -serial HEX, or the settings of the responder"})
		return
	}
	if t.Scheme == "https" {
		c.add(row{Level: warning, Text: "the URL is https: who connects to check a certificate would have to check that one first", Remedy: "have certificates say http://, which is safe: answers are signed"})
	}
	s := &survey{Checker: c, target: t, failed: map[string]string{}, asked: map[string]bool{}, about: subjects[0]}
	s.ask(subjects)
}

// ask sends all probes.
func (s *survey) ask(subjects []*subject) {
	nonce := make([]byte, 16)
	if _, err := rand.Read(nonce); err != nil {
		s.say(fault, err.Error())
		return
	}
	first, err := posts(s.about, nonce)
	if err != nil {
		s.say(fault, err.Error())
		return
	}
	s.send(first[0])
	if s.down {
		return
	}
	s.others(subjects[1:], nonce)
	for _, p := range first[1:] {
		s.send(p)
	}
	s.paths()
	s.caching()
	s.clients()
}

// others asks about the other certificates once.
func (s *survey) others(subjects []*subject, nonce []byte) {
	for _, about := range subjects {
		all, err := posts(about, nonce)
		if err != nil {
			s.say(fault, err.Error())
			continue
		}
		all[0].name += ", serial " + serialText(about)
		s.send(all[0])
	}
}

// paths asks by GET: for the certificate, and in all ways for one that makes
// slashes.
func (s *survey) paths() {
	own, err := gets(s.about)
	if err != nil {
		s.say(fault, err.Error())
		return
	}
	s.send(own[0])
	about, err := awkward(s.about.ca)
	if err == nil {
		err = s.never(about)
	}
	if err != nil {
		s.say(warning, err.Error())
		return
	}
	all, err := gets(about)
	if err != nil {
		s.say(fault, err.Error())
		return
	}
	all[0].name = slashGET
	for _, p := range all {
		s.send(p)
	}
}

// never finds out what a serial number is answered with that nobody has.
func (s *survey) never(about *subject) error {
	_, der, err := about.request(crypto.SHA1, nil)
	if err != nil {
		return err
	}
	r, err := s.target.ask(&query{method: "POST", header: []string{requestType}, body: der})
	if err != nil {
		return err
	}
	response, text := r.ocsp()
	switch {
	case text != "":
		return nil // the row of the POST says it
	case response.Status == ocsp.Unauthorized:
		about.error = ocsp.Unauthorized
	case response.Status == ocsp.Success && len(response.Singles) == 1 && response.Singles[0].Status == wire.Good:
		s.add(row{Level: fault, Text: "a serial number that was never issued is answered with good", Remedy: "answer from index.txt, not from a CRL"})
	}
	return nil
}

// send sends one probe, and adds a row for what came of it.
func (s *survey) send(p *probe) {
	s.asked[p.name] = true
	r, err := s.target.ask(&p.query)
	if err != nil {
		s.down = p.name == plainPOST
		s.fail(p, nil, err.Error())
		return
	}
	if name := r.server(); name != "" {
		s.server = name
	}
	response, text := p.fits(r, s.now)
	if text != "" {
		s.fail(p, r, text)
		return
	}
	s.keep(p, r, response)
	s.add(row{Level: good, Way: p.name, Text: outcomeText(p, r, response)})
	s.extra(p, r)
	if p.name == noncePOST && !s.echoed {
		s.add(row{Level: hint, Way: p.name, Text: "no nonce comes back: who insists on one gets no answer that he takes", Remedy: "nonces = \"echo\"; or there: Apache SSLOCSPUseRequestNonce off, ocspcheck -N"})
	}
}

// keep holds on to what the clients' rules are about.
func (s *survey) keep(p *probe, r *reply, response *wire.OCSPResponse) {
	switch p.name {
	case plainGET:
		s.get = r
	case plainPOST:
		s.post, s.answer = r, response
	case noncePOST:
		s.echoed = len(response.Nonce) > 0
	}
}

// fail adds a row for a probe that failed, with what to do about it.
func (s *survey) fail(p *probe, r *reply, text string) {
	s.failed[p.name] = text
	if p.name == slashGET {
		s.failed[plainGET] = text // those who ask so ask for all certificates
	}
	out := row{Level: fault, Way: p.name, Text: text}
	if s.down {
		out.Remedy = "start the responder, and look at the address"
	}
	if r != nil {
		why, l := s.cause(p, r)
		out.Level = l
		if why != "" {
			out.Text += ": " + string(why)
			out.Remedy = why.remedy(s.server)
		}
	}
	s.add(out)
}

func outcomeText(p *probe, r *reply, response *wire.OCSPResponse) string {
	if response == nil || p.want != answered {
		return fmt.Sprintf("%s, as it should be: HTTP %d", p.want, r.status)
	}
	if response.Status != ocsp.Success {
		return fmt.Sprintf("%v: the serial number %s is nobody's", response.Status, serialText(p.about))
	}
	single := response.Singles[0]
	text := fmt.Sprintf("%v, serial %s", single.Status, serialText(p.about))
	if p.name == plainPOST && !single.NextUpdate.IsZero() {
		text += fmt.Sprintf(", until %s", single.NextUpdate.UTC().Format(time.RFC3339))
	}
	return text
}

func serialText(s *subject) string { return strings.ToUpper(s.serial.Text(16)) }
