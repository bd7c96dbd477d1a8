package check

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/signer"
	"ocspcgi/lib/verify"
	"ocspcgi/lib/wire"
)

// nginx begins to ask at the first handshake, and staples nothing to it: one
// more try, a while later, tells.
const (
	handshakes = 4
	between    = time.Second
)

// handshake is what a site showed.
type handshake struct {
	leaf   *x509.Certificate
	chain  []*x509.Certificate
	staple []byte // nil: none
	server string // as it calls itself; empty: not told
	late   int    // handshakes before the first staple
}

// staple visits the site of -staple, or judges the settings by the name of a
// stapler alone.
func (c *Checker) staple() {
	told := c.told.staple
	switch {
	case told == "":
		return
	case !strings.Contains(told, ":"):
		c.issuer = "-staple " + told
		if staplerNamed(told) == nil {
			c.add(row{Level: fault, Text: told + ": neither HOST:PORT nor a server that is known", Remedy: "write HOST:PORT, or haproxy, nginx, apache or certmagic"})
		} else if len(c.issuers) == 0 {
			c.add(row{Level: fault, Text: "there are no settings to judge", Remedy: "give the responder's settings, or HOST:PORT of a site"})
		}
		return // lifetimes has judged
	}
	c.issuer = "site at " + told
	h, err := c.visit(told)
	if err != nil {
		c.say(fault, err.Error())
		return
	}
	c.stapled(h)
}

// visit shakes hands until there is a staple.
func (c *Checker) visit(address string) (h *handshake, err error) {
	for try := range handshakes {
		if try > 0 {
			c.wait(between)
		}
		if h, err = shake(address); err != nil {
			return nil, err
		}
		if h.late = try; h.staple != nil {
			break
		}
	}
	return h, nil
}

func (c *Checker) wait(d time.Duration) {
	if c.Wait == nil {
		time.Sleep(d)
		return
	}
	c.Wait(d)
}

// shake makes a TLS handshake that asks for a staple. Whether the certificate
// is to be trusted is not what is looked at.
func shake(address string) (*handshake, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	d := tls.Dialer{Config: &tls.Config{ServerName: host, InsecureSkipVerify: true}}
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	state := conn.(*tls.Conn).ConnectionState()
	if len(state.PeerCertificates) == 0 {
		return nil, errors.New("the site shows no certificate")
	}
	h := &handshake{leaf: state.PeerCertificates[0], chain: state.PeerCertificates[1:], staple: state.OCSPResponse}
	h.server = nameOf(conn, host)
	return h, nil
}

// nameOf finds out what a web server calls itself; "" where there is none.
func nameOf(conn io.ReadWriter, host string) string {
	if _, err := fmt.Fprintf(conn, "HEAD / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", host); err != nil {
		return ""
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: "HEAD"})
	if err != nil {
		return ""
	}
	resp.Body.Close()
	return (&reply{header: resp.Header}).server()
}

// stapled judges what a site showed.
func (c *Checker) stapled(h *handshake) {
	demands := staples(h.leaf)
	text := "shows a certificate of %q"
	if demands {
		text += ", which demands a staple"
	}
	c.ok("", text, h.leaf.Subject)
	if h.staple == nil {
		r := row{Level: warning, Text: fmt.Sprintf("staples nothing in %d handshakes", handshakes), Remedy: stapleRemedy(h)}
		if demands {
			r.Level, r.Text = fault, r.Text+": clients that keep to must-staple refuse the site"
		}
		c.add(r)
		return
	}
	if h.late > 0 {
		l := hint
		if demands {
			l = warning
		}
		c.add(row{Level: l, Text: fmt.Sprintf("the first %s had no staple (nginx asks only then, each worker for itself)", plural(h.late, "handshake")),
			Remedy: "visit the site after each restart, or give it a file: ssl_stapling_file"})
	}
	response, err := wire.ParseResponse(h.staple)
	if err != nil {
		c.add(row{Level: fault, Text: "the staple is no OCSPResponse: " + err.Error()})
		return
	}
	if response.Status != ocsp.Success {
		c.add(row{Level: fault, Text: fmt.Sprintf("staples the error %v", response.Status), Remedy: "look at the responder (check -url); in Apache SSLStaplingReturnResponderErrors off and SSLStaplingFakeTryLater off staple nothing instead"})
		return
	}
	c.verified(h, response)
}

// stapleRemedy is what a site lacks that staples nothing.
func stapleRemedy(h *handshake) string {
	if len(h.leaf.OCSPServer) == 0 {
		return "the certificate names no responder: issue it with authorityInfoAccess = OCSP;URI:http://..., or name one in the server (nginx ssl_stapling_responder, Apache SSLStaplingForceURL)"
	}
	ways := map[string]string{
		"nginx":  "ssl_stapling on, the CA in ssl_certificate or ssl_trusted_certificate, a resolver if the URL has a name; then look into error.log",
		"apache": "SSLUseStapling On and SSLStaplingCache shmcb:..., the CA in SSLCertificateFile; then look into error.log",
		"caddy":  "the CA in the chain; then look into Caddy's log",
	}
	if text := ways[h.server]; text != "" {
		return text
	}
	return "nginx: " + ways["nginx"] + "\nApache: " + ways["apache"] + "\nHAProxy: ocsp-update on in the crt-list (2.8 and later), or a file CERT.pem.ocsp kept by cron"
}

// verified judges a staple: is it to be believed, and how long will it last.
func (c *Checker) verified(h *handshake, response *wire.OCSPResponse) {
	ca := c.issuerOf(h)
	if ca == nil {
		c.add(row{Level: warning, Text: fmt.Sprintf("the staple cannot be verified: the certificate of %q is neither shown by the site nor known here", h.leaf.Issuer.String()),
			Remedy: "have the site show its chain (curl and others need it too), or give the CA as -issuer"})
	} else {
		q := verify.Question{Issuer: ca, Skew: skew, Now: c.now, Others: h.chain}
		if _, err := q.Check(response); err != nil {
			c.add(row{Level: fault, Text: "the staple is not to be believed: " + err.Error(), Remedy: "ask the responder itself: check -url"})
		} else {
			c.ok("", "the staple is signed as it should be, for %q", ca.Subject.String())
		}
	}
	single := ofLeaf(response, h.leaf)
	if single == nil {
		c.add(row{Level: fault, Text: "the staple is about another certificate"})
		return
	}
	if single.Status != wire.Good {
		c.add(row{Level: fault, Text: fmt.Sprintf("the staple says %v", single.Status), Remedy: "give the site another certificate"})
	} else {
		c.ok("", "staples good, of %s, until %s", clock(single.ThisUpdate), clock(single.NextUpdate))
	}
	c.survives(h, response, single)
}

func clock(t time.Time) string {
	if t.IsZero() {
		return "no time that is said"
	}
	return t.UTC().Format(time.RFC3339)
}

// ofLeaf is what a response says of a certificate, by its serial number.
func ofLeaf(response *wire.OCSPResponse, leaf *x509.Certificate) *wire.Single {
	for i := range response.Singles {
		id, err := wire.ParseCertID(response.Singles[i].CertID)
		if err == nil && bytes.Equal(id.Serial, serialOf(leaf)) {
			return &response.Singles[i]
		}
	}
	return nil
}

// issuerOf finds the certificate of the CA: in the site's chain, as -issuer or in
// the settings.
func (c *Checker) issuerOf(h *handshake) *x509.Certificate {
	known := h.chain
	if c.told.issuer != "" {
		cas, err := signer.ReadCertificates(c.told.issuer)
		if err != nil {
			c.say(fault, "-issuer: "+err.Error())
		}
		known = append(cas, known...)
	}
	for _, i := range c.issuers {
		if i.ca != nil {
			known = append(known, i.ca)
		}
	}
	for _, ca := range known {
		if signer.Issued(ca, h.leaf) {
			return ca
		}
	}
	return nil
}

// survives says how long the site staples on when the responder stops, and
// whether answers live long enough for who staples them.
func (c *Checker) survives(h *handshake, response *wire.OCSPResponse, single *wire.Single) {
	if single.NextUpdate.IsZero() {
		c.add(row{Level: warning, Text: "the staple has no nextUpdate: nobody can tell how long it holds", Remedy: "nmin = 720"})
		return
	}
	life, left := single.NextUpdate.Sub(response.ProducedAt), single.NextUpdate.Sub(c.now())
	s := staplerNamed(h.server)
	now := "if the responder stopped now, this staple would hold for " + span(left)
	switch {
	case s == nil && life < shortest:
		c.add(row{Level: warning, Text: fmt.Sprintf("answers live for %s, too short for every stapler; %s", span(life), now), Remedy: "nmin = 720 suits all"})
	case s == nil:
		c.ok("", "%s", now)
	case life < s.least:
		c.add(row{Level: warning, Text: fmt.Sprintf("answers live for %s, too short for %s: it %s; %s", span(life), s.name, s.gap, now), Remedy: "nmin = 720 suits all"})
	case s.drops > 0:
		c.add(row{Level: staplerLevel(h), Text: fmt.Sprintf("%s %s: it forgets an answer after %s before it asks for the next", s.name, s.outageText(life), span(s.drops)), Remedy: s.advice})
	default:
		c.ok("", "%s; %s %s", now, s.name, s.outageText(life))
	}
}

// staplerLevel is how bad an outage is: a site that must staple is down then.
func staplerLevel(h *handshake) level {
	if staples(h.leaf) {
		return warning
	}
	return hint
}
