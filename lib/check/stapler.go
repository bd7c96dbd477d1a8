package check

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// stapler is a server that staples answers to its handshakes, with the rules by
// which it keeps and renews them.
type stapler struct {
	key, name string
	// least is the shortest life of an answer that is stapled without gaps.
	least time.Duration
	// gap says what comes of a shorter one.
	gap string
	// ahead is how long an answer may have been kept before a newer one is asked
	// for; that is when an outage hurts most.
	ahead func(life time.Duration) time.Duration
	// drops is how long an answer is stapled at the most, however long it lives,
	// and after which there is none without a responder; 0: as long as it lives.
	drops time.Duration
	// advice is how it is made to survive longer.
	advice string
}

// staplers have their rules as documented or read in their source, with the
// settings that they have by default.
func staplers() []stapler {
	return []stapler{
		{"haproxy", "HAProxy", 10 * time.Minute, "refuses what has less than 5 minutes left, and asks again after 5 minutes at the earliest",
			atMostAfter(time.Hour), 0, "tune.ssl.ocsp-update.maxdelay lower, or a longer lifetime"},
		{"nginx", "nginx", 10 * time.Minute, "asks again after 5 minutes at the earliest, and staples nothing in between",
			atMostAfter(time.Hour), 0, "a longer lifetime"},
		{"apache", "Apache", 10 * time.Minute, "has a handshake wait for each new answer",
			func(life time.Duration) time.Duration { return life }, time.Hour,
			"SSLStaplingStandardCacheTimeout above its 3600 seconds, or MDStapling on, which asks before the old answer is gone"},
		{"certmagic", "CertMagic (Caddy)", 2*time.Hour + 10*time.Minute, "looks once an hour, and asks again when half of the life is over",
			func(life time.Duration) time.Duration { return life/2 + time.Hour }, 0, "a longer lifetime"},
	}
}

// atMostAfter is who asks anew after a while, or 5 minutes before the end.
func atMostAfter(wait time.Duration) func(time.Duration) time.Duration {
	return func(life time.Duration) time.Duration { return min(wait, max(life-5*time.Minute, 5*time.Minute)) }
}

// staplerNamed finds one by its name; caddy is another one for CertMagic.
func staplerNamed(name string) *stapler {
	if name = strings.ToLower(name); name == "caddy" {
		name = "certmagic"
	}
	known := staplers()
	if i := slices.IndexFunc(known, func(s stapler) bool { return s.key == name }); i >= 0 {
		return &known[i]
	}
	return nil
}

// outage is how long a site staples on without the responder: at least, when it
// stops just before it would have been asked, and at most. Answers are renewed
// at half of their life, so the one that the stapler got may have been half
// over.
func (s *stapler) outage(life time.Duration) (least, most time.Duration) {
	if s.drops > 0 {
		return 0, min(s.drops, life)
	}
	fetched := life / 2
	return max(0, fetched-s.ahead(fetched)), life
}

// outageText says so for people.
func (s *stapler) outageText(life time.Duration) string {
	least, most := s.outage(life)
	if least < time.Minute {
		return "survives an outage of the responder for up to " + span(most) + ", and perhaps not at all"
	}
	return fmt.Sprintf("survives an outage of the responder for %s at least, %s at best", span(least), span(most))
}

// span is a duration without what nobody needs: 12h, 5h30m, 90s.
func span(d time.Duration) string {
	if d >= 48*time.Hour {
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	}
	if d < 2*time.Minute {
		return d.Round(time.Second).String()
	}
	text := strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// enoughOutage is what a site should survive whose certificate demands a staple:
// long enough for a person to come and look.
const enoughOutage = 4 * time.Hour

// lifetimes holds the lifetime of an issuer's answers against the rules of the
// stapler that -staple names, or of each.
func (c *Checker) lifetimes(i *issuer) {
	one := staplerNamed(c.told.staple)
	for _, s := range staplers() {
		if one == nil || one.key == s.key {
			c.lifetime(&s, i.lifetime, one != nil)
		}
	}
}

// lifetime is one row about a stapler. Of what suits it something is said when
// it was asked for; that 10 minutes are too few is said with the settings.
func (c *Checker) lifetime(s *stapler, life time.Duration, asked bool) {
	l := hint // for who has no such stapler
	if asked {
		l = warning
	}
	switch {
	case life < s.least && (asked || s.least > shortest):
		c.add(row{Level: l, Way: s.name, Text: fmt.Sprintf("a lifetime of %s leaves gaps: it %s", span(life), s.gap), Remedy: "nmin = 720 suits all"})
	case asked:
		c.add(row{Level: good, Way: s.name, Text: fmt.Sprintf("suits a lifetime of %s, and %s", span(life), s.outageText(life)), Remedy: adviceFor(s, life)})
	}
}

// shortest is the lifetime below which the settings themselves are warned of.
const shortest = 10 * time.Minute

// adviceFor is what makes a stapler survive longer, where it is not long.
func adviceFor(s *stapler, life time.Duration) string {
	if least, _ := s.outage(life); least < enoughOutage {
		return s.advice
	}
	return ""
}

// mustStaple names the certificates that demand a staple, and how long a site
// with one survives an outage.
func (c *Checker) mustStaple(i *issuer, certs []*certificate) {
	certs = slices.DeleteFunc(c.inUse(certs), func(cert *certificate) bool { return !staples(cert.Certificate) })
	if len(certs) == 0 {
		return
	}
	var names []string
	for _, cert := range certs[:min(len(certs), fewRows)] {
		names = append(names, cert.Subject.CommonName)
	}
	if more := len(certs) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	r := row{Level: good, File: certs[0].path, Text: fmt.Sprintf("must-staple: %s", strings.Join(names, ", "))}
	for _, s := range staplers() {
		r.Text += "\n" + s.name + ": " + s.outageText(i.lifetime)
	}
	if least, _ := staplerNamed("nginx").outage(i.lifetime); least < enoughOutage {
		r.Level, r.Remedy = warning, fmt.Sprintf("a site with such a certificate is down when its staple is over: nmin = 720 or more, for %s at least", span(enoughOutage))
	}
	c.add(r)
}
