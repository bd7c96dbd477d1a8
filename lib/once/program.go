package once

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"ocspcgi/lib/cadir"
	"ocspcgi/lib/config"
	"ocspcgi/lib/journal"
	"ocspcgi/lib/ocsphttp"
	"ocspcgi/lib/reload"
	"ocspcgi/lib/responder"
	"ocspcgi/lib/signer"
)

// Program answers requests, in the way that main has found out.
type Program struct {
	Version string   // as people see it
	Environ []string // as of os.Environ
	Refused error    // why nothing is to be answered but that; nil: all is
}

func (p *Program) LookupEnv(name string) (string, bool) {
	for _, pair := range p.Environ {
		if key, value, _ := strings.Cut(pair, "="); key == name {
			return value, true
		}
	}
	return "", false
}

func (p *Program) Getenv(name string) string {
	value, _ := p.LookupEnv(name)
	return value
}

// RefuseSetuid gives back what a setuid or setgid bit gave, and says that nothing
// is done: whoever starts the program names the files that it reads and writes.
// Without such a bit it returns nil.
func RefuseSetuid() error {
	user, group := os.Getuid(), os.Getgid()
	if user == os.Geteuid() && group == os.Getegid() {
		return nil
	}
	// These set the saved ones, too, and are there on every Unix.
	given := errors.Join(syscall.Setregid(group, group), syscall.Setreuid(user, user))
	name, err := os.Executable()
	if err != nil {
		name = "its file"
	}
	return errors.Join(fmt.Errorf("refused: it has a setuid or setgid bit, with which everybody who may start it would read and write files as another user; chmod ug-s %s, and have the server start it as that user", name), given)
}

// What a program ends with that answers.
const (
	ExitFailed = 1 // the answer is none, or not successful, as openssl has it
	ExitUsage  = 2 // the settings can never work
)

// Fail says why nothing is answered, and returns the exit code.
func Fail(err error) int {
	fmt.Fprintln(os.Stderr, "ocspcgi:", strings.ReplaceAll(journal.Plain(err.Error()), "\n", "\nocspcgi: "))
	return ExitUsage
}

// NewHandler returns a Handler that lacks who answers.
func (p *Program) NewHandler(cfg *config.Config, log *journal.Journal) *ocsphttp.Handler {
	return &ocsphttp.Handler{
		AnyType: cfg.AnyType,
		Page:    ocsphttp.Page{Version: p.Version, Hyperlink: cfg.Hyperlink, Form: cfg.Form},
		Log:     log.Request,
	}
}

func NewResponder(cfg *config.Config) (*responder.Responder, error) {
	r := &responder.Responder{Backdate: cfg.Backdate, IgnoreNonces: cfg.Nonces == "ignore", Archive: cfg.Archive, CacheBytes: cfg.CacheBytes, Fields: ocsphttp.Fields}
	switch cfg.Unassigned {
	case "unauthorized":
		r.Unassigned = responder.Unauthorized
	case "revoked":
		r.Unassigned = responder.Revoked
	}
	if len(cfg.RequireSigned) == 0 {
		return r, nil
	}
	var err error
	r.Requestors, err = responder.OpenRequestors(cfg.RequireSigned)
	return r, err
}

// Sources turns settings into the files of issuers. Keys without -passin have
// their pass phrase from ask; nil means that nobody can be asked.
func (p *Program) Sources(cfg *config.Config, ask signer.Passphrase, log *journal.Journal) ([]reload.Source, error) {
	from := Sources{Ask: ask, Env: p.LookupEnv, Took: func(dir string, f *cadir.Found) {
		log.Info().Str("ca-dir", dir).Stringer("index", f.Index).Stringer("CA", f.CA).
			Stringer("rsigner", f.Signer).Stringer("rkey", f.Key).Msg("files found")
	}}
	return from.Of(cfg)
}

// OnTerminal asks the person at the terminal for pass phrases.
func (p *Program) OnTerminal() (signer.Passphrase, error) { return signer.ParsePassIn("", p.LookupEnv) }

// OpenJournal opens the log, from the level given in o on where nothing else
// is said. It is never without one.
func (p *Program) OpenJournal(cfg *config.Config, o journal.Options) *journal.Journal {
	o.Level, o.Path, o.Remote = cmp.Or(cfg.LogLevel, o.Level), cfg.Log, cfg.LogRemote
	o.Color = p.Getenv("NO_COLOR") == ""
	log, err := journal.Open(o)
	if err != nil {
		log.Err(err).Msg("the log goes here instead")
	}
	return log
}
