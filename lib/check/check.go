// Package check says what is wrong with a responder before its clients do.
package check

import (
	"fmt"
	"io"
	"strings"
	"time"

	"ocspcgi/lib/config"
)

// Checker is the verb check: it looks at settings and at all files that they
// name, and says what is wrong with them, and what to do.
type Checker struct {
	Environ        []string // as of os.Environ
	Stdout, Stderr io.Writer
	Now            func() time.Time    // the clock; nil means time.Now
	Wait           func(time.Duration) // between two looks at a site; nil means time.Sleep

	told    flags
	as      *account // whose rights are looked at; nil: nobody's
	issuer  string   // that rows are about
	rows    []row
	issuers []*issuer // those that the settings name, as far as they could be read
}

const usage = `ocspcgi check [-as USER] [-url URL] [-staple SITE] [-crl F] [-json] FLAGS

looks at the settings and at what they name, as the program would with the same
flags, environment and file: keys, certificates, who may sign, file modes,
sockets, rows of the index, the certificates issued. Without flags it checks
what a CGI program would answer with.

  -as USER      whether that user may read it all, such as www-data. Root asks the
                kernel, which knows access control lists; others look at the modes
  -url URL      asks the responder there in every way that clients do: says who will
                accept it, and which directive the web server lacks. It asks about
                certificates of the index, or about another one:
                  -issuer F     the CA's certificate
                  -cert F       the certificate, or
                  -serial HEX   its serial number
  -staple SITE  HOST:PORT: makes TLS handshakes there, and says whether an answer is
                stapled, is to be believed, and how long the site survives an outage
                of the responder. Or haproxy, nginx, apache, certmagic: judges by
                its rules how long the answers of these settings live
  -certs DIR    the certificates that the CA has issued, if they are not in newcerts
                or certs_by_serial beside the index
  -crl F        compares that CRL (PEM or DER) with the index; may be repeated
  -json         rows for programs

It exits with 0 when all is well, 1 with warnings, 2 with errors.

  ocspcgi check -as www-data -url http://ocsp.example.com -config /etc/ocspcgi/ocspcgi.toml
  ocspcgi check -staple www.example.com:443
`

// Run checks what the flags say and returns the exit code.
func (c *Checker) Run(args []string) int {
	rest, err := c.told.take(args)
	if err == nil && c.told.as != "" {
		c.as, err = lookUpAccount(c.told.as)
	}
	if err != nil {
		return c.fail(err)
	}
	cfg, err := config.Load(rest, c.Environ, "")
	if cfg.Help {
		io.WriteString(c.Stdout, usage)
		return 0
	}
	for _, w := range cfg.Warnings {
		c.say(warning, w)
	}
	c.faults(err)
	if err == nil {
		c.look(cfg)
	}
	print := c.print
	if c.told.json {
		print = c.printJSON
	}
	if err := print(); err != nil {
		return c.fail(err)
	}
	return c.exit()
}

func (c *Checker) fail(err error) int {
	fmt.Fprintln(c.Stderr, "ocspcgi: check:", err)
	return 2
}

// look checks everything that there is.
func (c *Checker) look(cfg *config.Config) {
	if len(cfg.Issuers) > 0 || !c.told.alone() {
		c.each(cfg)
	}
	c.sockets(cfg)
	c.crls()
	if c.told.url != "" {
		c.url()
	}
	c.staple()
	c.issuer = ""
}

func (c *Checker) env(name string) (string, bool) {
	for _, entry := range c.Environ {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value, true
		}
	}
	return "", false
}

func (c *Checker) now() time.Time {
	if c.Now == nil {
		return time.Now()
	}
	return c.Now()
}
