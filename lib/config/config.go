// Package config says what the responder was told.
package config

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

// DefaultFile is read when neither -config nor OCSP_CONFIG names another one.
// It need not exist.
const DefaultFile = "/etc/ocspcgi/ocspcgi.toml"

// Config is everything the responder was told, with defaults filled in. The
// settings table says what each field does.
type Config struct {
	Issuers []Issuer // none when nobody named one

	Listen      []string // unix:PATH, tcp:HOST:PORT, http:HOST:PORT; what -port asks for is the last
	Port        string   // as -port gave it; empty without
	Admin       string   // unix:PATH or http:HOST:PORT; empty without
	ListenMode  os.FileMode
	ListenGroup string
	PidFile     string
	Confine     bool

	ReqIn, RespOut, ReqOut, Out string
	Text, ReqText, RespText     bool
	NRequest                    int           // 0 without limit
	Timeout                     time.Duration // 0 when not set

	Log       string // empty for stderr
	LogLevel  string // empty where the launch decides
	LogRemote bool
	Hyperlink string
	Form      bool

	Nonces        string // "echo" or "ignore"
	Unassigned    string // "unknown", "unauthorized" or "revoked"
	Profile       string // "public", or empty for a CA of one's own
	AnyType       bool
	Backdate      time.Duration
	Archive       time.Duration // 0 for no archiveCutoff
	RequireSigned []string      // files with the CAs that sign requests; none to answer unsigned ones
	RespNameID    bool
	Cache         string // directory; empty without
	CacheBytes    int64

	Help     bool
	Warnings []string // what was accepted but is not what it seems, each with its place
}

// Issuer is one CA that is answered for.
type Issuer struct {
	Where       string   // "command line, argument 3", "environment" or "FILE:LINE", for messages
	Index, CA   string   // empty where CADir has them
	CADir       string   // empty without; Index is then
	Signers     []Signer // at least one
	ROther      []string
	RMD         string
	RSigOpt     []string
	Lifetime    time.Duration // nmin and ndays together, 12 hours when neither was given
	RespNoCerts bool
}

// Signer is who signs for an Issuer.
type Signer struct {
	Where         string
	RSigner, RKey string // RKey is RSigner where none was given; both empty where CADir has them
	PassIn        Secret // empty when none was given
}

const (
	defaultLifetime = 12 * time.Hour
	shortLifetime   = 10 * time.Minute
	maxLifetime     = 3650 * 24 * time.Hour
)

// Load reads the flags (without the program's name; nil for CGI, where they are
// the client's), the environment as os.Environ gives it, and the TOML file that
// they name, else the given one, or DefaultFile when that is empty. A flag goes
// before the environment and that before the file. Issuers come whole from the
// first of the three that names one.
//
// The error joins the faults that were found, each with its place, up to a hundred. The Config
// that comes with it has no issuers and is good for writing the error to its
// log.
func Load(args, environ []string, file string) (*Config, error) {
	flags, env := readFlags(args), readEnviron(environ)
	if len(flags.global["help"]) > 0 {
		return &Config{Help: true}, nil
	}
	inFile := readConfigured(flags, env, file)
	c := &Config{}
	faults := append(append(append(faults(nil), flags.faults...), env.faults...), inFile.faults...)
	faults = append(faults, c.setGlobals(flags, env, inFile)...)
	issuers, more := c.buildIssuers(flags, env, inFile)
	faults = append(append(faults, more...), resolveCredentials(issuers, environ)...)
	if err := faults.join(); err != nil {
		return c, err
	}
	c.Issuers = issuers
	return c, nil
}

// setGlobals takes each setting from the first place that has it.
func (c *Config) setGlobals(places ...told) (found faults) {
	for i := range settings {
		s := &settings[i]
		if s.global == nil {
			c.warnUnused(s, places[0].global[s.name])
			continue
		}
		given := s.fallback()
		for _, p := range places {
			if len(p.global[s.name]) > 0 {
				given = p.global[s.name]
				break
			}
		}
		found.add(s.assign(s.global(c), given))
	}
	if c.Port != "" {
		c.Listen = append(c.Listen, listenPort(c.Port))
	}
	return found
}

func (c *Config) warnUnused(s *setting, given []value) {
	if s.help == "" || s.kind != unused && s.kind != unusedValue {
		return
	}
	for _, v := range given {
		c.Warnings = append(c.Warnings, v.at+": changes nothing: "+s.help)
	}
}

// buildIssuers takes all issuers from the first place that names one.
func (c *Config) buildIssuers(places ...told) (issuers []Issuer, found faults) {
	for _, p := range places {
		for _, g := range p.groups {
			issuer, more := c.buildIssuer(g, p)
			issuers, found = append(issuers, issuer), append(found, more...)
		}
		if len(p.groups) > 0 {
			break
		}
	}
	return issuers, found
}

// draft is an Issuer whose lifetime is still in parts.
type draft struct {
	Issuer
	nmin, ndays int
}

func (c *Config) buildIssuer(g group, p told) (Issuer, faults) {
	var found faults
	d := draft{Issuer: Issuer{Where: g.at}}
	for i := range settings {
		s := &settings[i]
		if s.issuer == nil {
			continue
		}
		given := g.values[s.name]
		if s.repeats() || len(given) == 0 {
			given = append(p.defaults[s.name][:len(p.defaults[s.name]):len(p.defaults[s.name])], given...)
		}
		found.add(s.assign(s.issuer(&d), given))
	}
	switch {
	case d.Index == "" && d.CADir == "":
		found.addf("%s: no %s; name the index.txt of the CA", g.at, p.named("index"))
	case d.Index != "" && d.CADir != "":
		found.addf("%s: both %s and %s; leave one of them out", g.at, p.named("index"), p.named("ca-dir"))
	}
	if d.CA == "" && d.CADir == "" {
		found.addf("%s: no %s; name the file with the certificate of the CA", g.at, p.named("CA"))
	}
	if d.CADir != "" && len(g.signers) == 0 {
		g.signers = []signerGroup{{at: g.at}}
	}
	signers, more := buildSigners(g, p, d.CADir != "")
	d.Signers, found = signers, append(found, more...)
	found.add(c.setLifetime(&d))
	return d.Issuer, found
}

func (c *Config) setLifetime(d *draft) error {
	minutes := int64(d.ndays)*24*60 + int64(d.nmin)
	if minutes > int64(maxLifetime/time.Minute) {
		return fmt.Errorf("%s: nmin and ndays make a lifetime of more than 3650 days; shorten it", d.Where)
	}
	d.Lifetime = time.Duration(minutes) * time.Minute
	if minutes == 0 {
		d.Lifetime = defaultLifetime
	}
	if d.Lifetime < shortLifetime {
		c.Warnings = append(c.Warnings, d.Where+": a lifetime of "+strconv.FormatInt(minutes, 10)+
			" minutes is refused by HAProxy and leaves gaps behind nginx; 720 suits both")
	}
	return nil
}

// buildSigners makes the signers of a group. With a directory to find it in, a
// signer need not be named.
func buildSigners(g group, p told, findable bool) (signers []Signer, found faults) {
	if len(g.signers) == 0 {
		found.addf("%s: no %s; name the certificate that signs the answers", g.at, p.named("rsigner"))
	}
	for _, from := range g.signers {
		to := Signer{Where: from.at}
		for i := range settings {
			s := &settings[i]
			if s.signer == nil {
				continue
			}
			given := from.values[s.name]
			if len(given) == 0 {
				given = p.defaults[s.name]
			}
			found.add(s.assign(s.signer(&to), given))
		}
		if to.RSigner == "" && (!findable || to.RKey != "") {
			found.addf("%s: no %s; name the certificate that belongs to the key", from.at, p.named("rsigner"))
		}
		if to.RKey == "" {
			to.RKey = to.RSigner
		}
		signers = append(signers, to)
	}
	return signers, found
}
