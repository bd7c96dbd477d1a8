package check

import (
	"crypto/x509"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"ocspcgi/lib/cadir"
	"ocspcgi/lib/command"
	"ocspcgi/lib/config"
	"ocspcgi/lib/index"
	"ocspcgi/lib/once"
	"ocspcgi/lib/reload"
	"ocspcgi/lib/responder"
	"ocspcgi/lib/signer"
)

// issuer is one that the settings name, with what could be read of it.
type issuer struct {
	where    string
	ca       *x509.Certificate // nil: none
	index    *index.Live
	lifetime time.Duration
	signers  []*signer.Signer
}

// each checks each issuer for itself, and whether they can be told apart.
func (c *Checker) each(cfg *config.Config) {
	ask, err := signer.ParsePassIn("", c.env)
	if err != nil {
		c.faults(err)
		return
	}
	from := once.Sources{Ask: ask, Env: c.env, Now: c.Now, Took: c.took}
	var sources []reload.Source
	var opened []*responder.Issuer
	if len(cfg.Issuers) == 0 {
		_, err := from.Of(cfg)
		c.faults(err)
	}
	for i := range cfg.Issuers {
		c.issuer = cfg.Issuers[i].Where
		source, err := from.One(cfg, i)
		if err != nil {
			c.say(fault, err.Error())
			continue
		}
		served := c.source(&source)
		if served != nil {
			if err := reload.Alone(served, source, opened, sources); err != nil {
				c.say(fault, err.Error(), source.Files.Where)
			}
		}
		sources, opened = append(sources, source), append(opened, served)
	}
}

// took tells what was found in a directory.
func (c *Checker) took(_ string, found *cadir.Found) {
	for _, f := range []struct {
		what string
		cadir.File
	}{{"index", found.Index}, {"CA", found.CA}, {"rsigner", found.Signer}, {"rkey", found.Key}} {
		if f.Path != "" {
			c.ok(f.Path, "taken as %s: %s", f.what, f.Why)
		}
	}
}

// source checks the files of one issuer, and returns it if it can be served.
func (c *Checker) source(source *reload.Source) *responder.Issuer {
	files := &source.Files
	before := c.count(fault)
	cas, err := signer.ReadCertificates(files.CA)
	if err != nil {
		c.say(fault, err.Error(), files.CA)
	}
	i := &issuer{where: files.Where, lifetime: files.Lifetime, index: &index.Live{Path: source.Index, Now: c.Now}}
	if progress := command.ProgressOn(c.Stderr); progress != nil {
		i.index.Progress = func(read, size int64) { progress(source.Index, read, size) }
	}
	for _, pair := range files.Signers {
		if s := c.pair(i, files, pair, cas); s != nil {
			i.signers = append(i.signers, s)
		}
	}
	c.issuers = append(c.issuers, i)
	c.validity(i.signers)
	c.index(i)
	c.lifetimes(i)
	c.access(source)
	if c.count(fault) > before {
		return nil
	}
	served, err := responder.Open(*files, i.index)
	if err != nil {
		c.say(fault, err.Error(), files.Where)
		return nil
	}
	for _, w := range served.Warnings() {
		c.say(warning, w, files.Where)
	}
	return served
}

// pair checks a signer's certificate and key.
func (c *Checker) pair(i *issuer, files *responder.Files, pair responder.SignerFiles, cas []*x509.Certificate) *signer.Signer {
	s, err := signer.Load(pair.Certificate, pair.Key, pair.Passphrase, signer.Options{Digest: files.Digest, SigOpts: files.SigOpts})
	if err == nil {
		err = s.Prove()
	}
	if err != nil {
		c.say(fault, err.Error(), pair.Certificate, pair.Key, files.CA)
		return nil
	}
	c.ok(s.KeyPath, "fits the certificate, and signs: %s", signer.KindOf(s.Certificate))
	if len(cas) == 0 {
		return s
	}
	ca, err := signer.Issuer(cas, s)
	if err == nil {
		err = s.Check(ca)
	}
	if err != nil {
		c.say(fault, err.Error(), s.Path, files.CA)
		return nil
	}
	if i.ca == nil {
		c.authority(files.CA, ca, cas)
	}
	i.ca = ca
	c.mandate(s, ca)
	return s
}

// mandate says on what grounds a signer signs for the CA, and what is odd.
func (c *Checker) mandate(s *signer.Signer, ca *x509.Certificate) {
	if s.Certificate.Equal(ca) || sameKey(s.Certificate, ca) {
		c.ok(s.Path, "signs as the CA itself")
	} else {
		c.ok(s.Path, "delegated by %q", ca.Subject.String())
		c.ok(s.Path, "EKU ok: OCSPSigning")
	}
	noNocheck := sameKey(s.Certificate, ca)
	for _, w := range s.Warnings(ca, c.now()) {
		noNocheck = noNocheck || strings.Contains(w, "nocheck")
		c.say(warning, w, s.Path, s.KeyPath)
	}
	if !noNocheck {
		c.ok(s.Path, "id-pkix-ocsp-nocheck is there")
	}
}

// validity says until when each signs. One that is not valid now is no fault
// where another one is.
func (c *Checker) validity(signers []*signer.Signer) {
	l := warning
	if !slices.ContainsFunc(signers, func(s *signer.Signer) bool { return s.ValidAt(c.now()) == nil }) {
		l = fault
	}
	for _, s := range signers {
		if err := s.ValidAt(c.now()); err != nil {
			c.say(l, err.Error(), s.Path)
		} else if s.Reminder(c.now()) == 0 {
			c.ok(s.Path, "%s", s.Expiry(c.now()))
		}
	}
}

// authority says which certificate of a -CA file counts, and what it hangs on.
func (c *Checker) authority(file string, ca *x509.Certificate, cas []*x509.Certificate) {
	if now := c.now(); now.After(ca.NotAfter) || now.Before(ca.NotBefore) {
		c.add(row{Level: fault, File: file, Text: fmt.Sprintf("%q is valid from %s to %s alone", ca.Subject.String(),
			ca.NotBefore.Format("2006-01-02"), ca.NotAfter.Format("2006-01-02")), Remedy: "no client believes it; give one that is valid"})
	}
	text := fmt.Sprintf("answers for %q, expires on %s", ca.Subject.String(), ca.NotAfter.Format("2006-01-02"))
	if above := issuerOf(ca, cas); above != nil {
		text += fmt.Sprintf(", chain up to %q", above.Subject.String())
	}
	c.ok(file, "%s", text)
}

// issuerOf returns the last certificate above ca that certs have.
func issuerOf(ca *x509.Certificate, certs []*x509.Certificate) (above *x509.Certificate) {
	for range certs {
		i := slices.IndexFunc(certs, func(c *x509.Certificate) bool { return !sameKey(c, ca) && c.IsCA && signer.Issued(c, ca) })
		if i < 0 {
			return above
		}
		ca, above = certs[i], certs[i]
	}
	return above
}

func sameKey(a, b *x509.Certificate) bool {
	return slices.Equal(a.RawSubjectPublicKeyInfo, b.RawSubjectPublicKeyInfo)
}

// serialOf is the content of a serial number's DER.
func serialOf(cert *x509.Certificate) []byte { return octets(cert.SerialNumber) }

// octets is the content of the DER of a positive number.
func octets(n *big.Int) []byte {
	b := n.Bytes()
	if len(b) == 0 || b[0]&0x80 != 0 {
		b = append([]byte{0}, b...)
	}
	return b
}
