package command

import (
	"errors"
	"strings"
	"time"

	"ocspcgi/lib/config"
	"ocspcgi/lib/confine"
	"ocspcgi/lib/journal"
	"ocspcgi/lib/reload"
	"ocspcgi/lib/signer"
)

// limits are what a process that stays keeps to once it answers. Its methods are
// not safe for concurrent use, but for enforce.
type limits struct {
	needs confine.Needs
	why   string // nothing is given up; empty: it is
	log   *journal.Journal
	told  map[string]bool // files of which the log has a line
}

const toldToBeFree = "confine is false"

// newLimits finds out what a responder opens again and again. Settings and what
// its sockets belong to are read once.
func newLimits(cfg *config.Config, sources []reload.Source, log *journal.Journal) *limits {
	l := &limits{log: log, told: map[string]bool{}}
	if !cfg.Confine {
		l.why = toldToBeFree
	}
	for _, source := range sources {
		l.needs.Files = append(append(l.needs.Files, source.Index), source.Files.Paths()...)
		l.needs.Files = append(l.needs.Files, source.Hints...)
		for _, pair := range source.Files.Signers {
			l.key(pair.Key)
		}
	}
	for _, issuer := range cfg.Issuers {
		if issuer.CADir != "" {
			l.needs.Folders = append(l.needs.Folders, issuer.CADir)
		}
		for _, pair := range issuer.Signers {
			l.phrase(pair.PassIn)
		}
	}
	l.remove(cfg.PidFile, append(cfg.Listen, cfg.Admin)...)
	return l
}

// key looks at where a key is.
func (l *limits) key(rkey string) {
	switch {
	case strings.HasPrefix(rkey, "unix:@"):
		l.needs.Abstract = true
	case signer.Elsewhere(rkey) && !strings.HasPrefix(rkey, "unix:") && l.why == "":
		l.why = "the module of the token opens what it likes; ocspcgi signer has it do so in a process of its own"
	}
}

func (l *limits) phrase(from config.Secret) {
	if path, ok := strings.CutPrefix(string(from), "file:"); ok {
		l.needs.Files = append(l.needs.Files, path)
	}
}

// remove has the pid file and those addresses that are files removed at the end.
func (l *limits) remove(pidFile string, addresses ...string) {
	if pidFile != "" {
		l.needs.Removed = append(l.needs.Removed, pidFile)
	}
	for _, address := range addresses {
		if path, ok := strings.CutPrefix(address, "unix:"); ok && !strings.HasPrefix(path, "@") {
			l.needs.Removed = append(l.needs.Removed, path)
		}
	}
}

// enforce gives up the rest, and says in the log what holds.
func (l *limits) enforce() {
	if l.why != "" {
		l.log.Info().Str("why", l.why).Msg("not confined")
		return
	}
	_ = time.Local.String() // reads the zone's file, which syslog and a terminal want later
	bounds, err := l.needs.Enforce()
	switch {
	case errors.Is(err, confine.ErrUnsupported):
		l.log.Info().Str("why", err.Error()).Msg("not confined")
	case err != nil:
		l.log.Warn().Err(err).Msg("not confined")
	default:
		l.log.Info().Str("by", bounds.By).Strs("reads", bounds.Read).Strs("removes", bounds.Clear).Msg("confined")
	}
}

// watching has log told of events, and of files that cannot be read for the
// limits alone.
func (l *limits) watching(log func(reload.Event)) func(reload.Event) {
	return func(e reload.Event) {
		log(e)
		if e.Err != nil {
			l.explain()
		}
	}
}

// explain names files that cannot be read for the limits alone, each once.
func (l *limits) explain() {
	for _, file := range l.needs.Files {
		refused := confine.Refused(file)
		if refused && !l.told[file] {
			l.log.Warn().Str("file", file).Str("remedy", "restart, and it is read where it is now; or set confine = false").
				Msg("this process may not open a file that has come to lie elsewhere")
		}
		l.told[file] = refused
	}
}
