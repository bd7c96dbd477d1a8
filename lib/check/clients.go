package check

import (
	"crypto/ed25519"
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"ocspcgi/lib/verify"
	"ocspcgi/lib/wire"
)

// client is a program that asks responders: how it asks, and what it refuses
// besides what every client does.
type client struct {
	name string
	asks []string // probes; the first of them that works will do
	no   []rule
}

// rule tells why an answer is refused; "" when it is not.
type rule func(*seen) string

// seen is an answer with all that clients look at.
type seen struct {
	*survey
	single *wire.Single
	signer *x509.Certificate // nil: not found
	itself bool              // the CA's own key has signed
}

// clientTable has what real clients were seen to do.
func clientTable() []client {
	return []client{
		{"Firefox", []string{plainPOST}, []rule{noEd25519, notOlder(10 * 24 * time.Hour)}},
		{"Chrome (by policy)", []string{plainGET}, nil},
		{"Windows", []string{plainGET, plainPOST}, []rule{nextUpdate}},
		{"Java", []string{plainGET}, nil},
		{"OpenSSL", []string{noncePOST, oldPOST}, nil},
		{"LibreSSL ocspcheck", []string{noncePOST}, []rule{nonceBack, nextUpdate}},
		{"GnuTLS", []string{oldPOST}, []rule{certified}},
		{"wolfSSL", []string{plainPOST}, []rule{lengthSaid}},
		{"nginx ssl_stapling", []string{oldGET}, []rule{certified, atMost("headers and all", 16384, 300)}},
		{"Apache SSLUseStapling", []string{oldPOST}, []rule{atMost("the answer", 10239, 0)}},
		{"Apache SSLOCSPEnable", []string{noncePOST}, []rule{nonceBack, certified}},
		{"HAProxy ocsp-update", []string{plainGET}, []rule{nextUpdate, leftAtLeast(5 * time.Minute), oneSingle}},
		{"CertMagic (Caddy)", []string{plainPOST}, []rule{nextUpdate, noEd25519, noPSS, withinCertificate}},
	}
}

// clients says who will accept the answers, and who will not and why.
func (s *survey) clients() {
	if s.answer == nil || len(s.answer.Singles) == 0 {
		return
	}
	seen := &seen{survey: s, single: &s.answer.Singles[0]}
	q := verify.Question{Issuer: s.about.ca, Skew: skew, Now: s.now}
	if found, err := q.Check(s.answer); err == nil {
		seen.signer, seen.itself = found.Signer, found.Role == verify.Itself
	}
	for _, c := range clientTable() {
		why := c.refuses(seen)
		if why == "" {
			s.add(row{Level: good, Way: c.name, Text: "will accept this responder"})
		} else {
			s.add(row{Level: warning, Way: c.name, Text: "will not accept this responder: " + why})
		}
	}
}

// refuses tells why a client will not accept the answers.
func (c *client) refuses(s *seen) string {
	why := ""
	for _, name := range c.asks {
		if !s.asked[name] {
			continue
		}
		text, failed := s.failed[name]
		if !failed {
			why = ""
			break
		}
		if why == "" {
			why = fmt.Sprintf("it asks by %s, and there is: %s", name, text)
		}
	}
	if why != "" {
		return why
	}
	for _, refuses := range c.no {
		if why := refuses(s); why != "" {
			return why
		}
	}
	return ""
}

func noEd25519(s *seen) string {
	if s.signer == nil {
		return ""
	}
	_, is := s.signer.PublicKey.(ed25519.PublicKey)
	return when(is, "it does not know Ed25519, which the answer is signed with")
}

// oidPSS is id-RSASSA-PSS, DER.
const oidPSS = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"

func noPSS(s *seen) string {
	return when(strings.Contains(string(s.answer.SignatureAlgorithm), oidPSS), "it does not know RSA-PSS in answers")
}

func nextUpdate(s *seen) string {
	return when(s.single.NextUpdate.IsZero(), "the answer has no nextUpdate")
}

func leftAtLeast(least time.Duration) rule {
	return func(s *seen) string {
		left := s.single.NextUpdate.Sub(s.now())
		return when(!s.single.NextUpdate.IsZero() && left < least, "the answer lasts for %v more, and it wants %v at least: longer nmin", left.Round(time.Second), least)
	}
}

func notOlder(than time.Duration) rule {
	return func(s *seen) string {
		return when(s.now().Sub(s.single.ThisUpdate) > than, "thisUpdate is more than %d days old", than/(24*time.Hour))
	}
}

func oneSingle(s *seen) string {
	return when(len(s.answer.Singles) != 1, "the answer is about %d certificates", len(s.answer.Singles))
}

func certified(s *seen) string {
	return when(s.itself && len(s.answer.Certificates) == 0, "the CA has signed, and its certificate is not in the answer: no resp_no_certs")
}

func lengthSaid(s *seen) string {
	return when(s.post != nil && s.post.length == "", "the answer comes without Content-Length")
}

func atMost(what string, most, headers int) rule {
	return func(s *seen) string {
		size := len(s.post.body) + headers
		return when(size > most, "%s has %d bytes, and it reads %d", what, size, most)
	}
}

func nonceBack(s *seen) string {
	return when(!s.echoed, "it sends a nonce, and none comes back")
}

func withinCertificate(s *seen) string {
	end := s.about.expires
	return when(!end.IsZero() && s.single.NextUpdate.After(end), "nextUpdate is after the end of the certificate, %s", end.UTC().Format(time.RFC3339))
}
