// Package journal writes the log.
package journal

import (
	"cmp"
	"errors"
	"net"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/index"
	"ocspcgi/lib/ocsphttp"
	"ocspcgi/lib/reload"
	"ocspcgi/lib/responder"
)

// Journal is the log of a process. Its methods are safe for concurrent use.
type Journal struct {
	zerolog.Logger

	remote bool
	now    func() time.Time
	close  func() error
}

// Options says what is logged, and where. The zero value logs all to stderr.
type Options struct {
	Late   bool   // open it for the first line, for most CGI processes write none
	Path   string // of a file that lines are added to; empty: stderr
	Level  string // the least level that is logged: debug, info, warn or error; empty: all
	Color  bool   // whether colours may be used on a terminal
	Remote bool   // whether requests are logged with the client's address
	Apart  bool   // stdout is for an answer: a Path that leads there is an error

	Now func() time.Time // the clock; nil means time.Now
}

// Open opens the log: the file, else stderr, readable where that is a terminal,
// else the system's log where stderr leads nowhere. Lines are JSON but on a
// terminal. The error is that of the file, and the Journal writes to stderr
// then; or of the level.
func Open(o Options) (*Journal, error) {
	level, levelErr := zerolog.ParseLevel(cmp.Or(o.Level, "debug"))
	j := &Journal{remote: o.Remote, now: o.Now}
	if j.now == nil {
		j.now = time.Now
	}
	out := &outlet{options: o}
	if !o.Late {
		out.once.Do(out.open)
	}
	j.close = out.close
	j.Logger = zerolog.New(out).Level(level).Hook(zerolog.HookFunc(j.stamp))
	return j, errors.Join(levelErr, out.err)
}

// stamp puts the time into a line, in UTC: local time would be read from a
// file at each start of a CGI process.
func (j *Journal) stamp(e *zerolog.Event, _ zerolog.Level, _ string) {
	e.Time(zerolog.TimestampFieldName, j.now().UTC())
}

// Close closes the log's file.
func (j *Journal) Close() error { return j.close() }

// Listening tells of a socket that is answered on.
func (j *Journal) Listening(l net.Listener) {
	j.Info().Str("address", l.Addr().Network()+":"+l.Addr().String()).Msg("listening")
}

// Warnings writes a line for each.
func (j *Journal) Warnings(warnings []string) {
	for _, warning := range warnings {
		j.Warn().Msg(warning)
	}
}

// Signers warns of what will be wrong with who signs for issuers.
func (j *Journal) Signers(issuers ...*responder.Issuer) {
	for _, issuer := range issuers {
		j.Warnings(issuer.Warnings())
		for _, s := range issuer.Signers() {
			if err := s.ValidAt(j.now()); err != nil {
				j.Warn().Err(err).Msg("does not sign")
			}
			j.Warnings(s.Warnings(issuer.CA, j.now()))
		}
	}
}

// Key tells of a key that is kept elsewhere: why it cannot be asked since now, or
// with nil that it can again.
func (j *Journal) Key(path string, err error) {
	if err != nil {
		j.Error().Err(err).Str("rkey", path).Msg("the key is away: answers are tryLater until it is back")
		return
	}
	j.Info().Str("rkey", path).Msg("the key is back")
}

// Reload tells what was read.
func (j *Journal) Reload(e reload.Event) {
	switch {
	case e.Issuer != nil:
		j.Info().Str("issuer", e.Issuer.Name).Str("where", e.Where).Msg("certificates and keys read")
		j.Signers(e.Issuer)
	case e.Reminder != "":
		j.Warn().Str("where", e.Where).Msg(e.Reminder)
	case e.Index != nil:
		j.index(e.Where, e.Index)
	default:
		j.Error().Err(e.Err).Str("where", e.Where).Msg("new certificates or keys are not used; the old stay")
	}
}

// slow is how long an index takes to read before the log says how long.
const slow = 2 * time.Second

func (j *Journal) index(path string, report *index.Report) {
	for _, fault := range report.Faults {
		j.Warn().Str("index", path).Int("line", fault.Line).Str("remedy", fault.Remedy).Msg(fault.Text)
	}
	if more := report.Count - len(report.Faults); more > 0 {
		j.Warn().Str("index", path).Int("faults", more).Msg("more faults, not listed")
	}
	e, said := j.Info(), "index read"
	if !report.Believed {
		e, said = j.Error().Err(report.Err), "index not believed: what it revokes counts, else the one believed before holds, or tryLater where there is none or it cannot be read at all"
	}
	e.Str("index", path).Int("rows", report.Rows)
	if report.Took > slow {
		e.Float64("seconds", report.Took.Round(10*time.Millisecond).Seconds())
	}
	e.Msg(said)
}

// mostText is how many bytes stand in a line of a text that a client has a say in.
const mostText = 1000

// Request writes the line of one request.
func (j *Journal) Request(rec *ocsphttp.Record) {
	level := zerolog.InfoLevel
	if rec.Answer != nil && (rec.Answer.Status == ocsp.InternalError || rec.Answer.Status == ocsp.TryLater) {
		level = zerolog.WarnLevel
	}
	if j.GetLevel() > level {
		return
	}
	e := j.WithLevel(level).Str("via", rec.Request.Transport).Bytes("method", start(rec.Request.Method)).Int("http", rec.Status)
	if j.remote {
		e = e.Bytes("remote", start(rec.Request.RemoteAddr))
	}
	if rec.Answer != nil {
		e = describe(e, rec.Answer)
	}
	e.Int64("us", rec.Took().Microseconds()).Msg("request")
}

// describe says what was asked and answered.
func describe(e *zerolog.Event, answer *responder.Answer) *zerolog.Event {
	if len(answer.Certs) == 1 {
		e = e.EmbedObject(cert(answer.Certs[0]))
	} else if len(answer.Certs) > 1 {
		e = e.Array("certs", certs(answer.Certs))
	}
	how := "signed"
	switch {
	case answer.Status != ocsp.Success:
		how = "refused"
	case answer.Cached:
		how = "cached"
	}
	return e.Stringer("answer", answer.Status).Str("how", how).AnErr("error", why(answer))
}

// why is the reason of an answer, of which no more is said than mostText where it is
// about what the client has sent.
func why(answer *responder.Answer) error {
	switch answer.Status {
	case ocsp.Malformed, ocsp.Unauthorized, ocsp.SignatureRequired:
		if answer.Err != nil && len(answer.Err.Error()) > mostText {
			return errors.New(answer.Err.Error()[:mostText] + "...")
		}
	}
	return answer.Err
}

func start(text []byte) []byte { return text[:min(len(text), mostText)] }

// cert is what a line says of one certificate.
type cert responder.Cert

// MarshalZerologObject implements [zerolog.LogObjectMarshaler].
func (c cert) MarshalZerologObject(e *zerolog.Event) {
	e.Str("issuer", c.Issuer).Str("serial", c.Serial).Str("status", c.Status)
	if c.Reason != "" {
		e.Str("reason", c.Reason)
	}
}

type certs []responder.Cert

// MarshalZerologArray implements [zerolog.LogArrayMarshaler].
func (c certs) MarshalZerologArray(a *zerolog.Array) {
	for i := range c {
		a.Object(cert(c[i]))
	}
}
