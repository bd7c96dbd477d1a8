package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/signal"
	"os/user"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"ocspcgi/fcgi"
	"ocspcgi/lib/accept"
	"ocspcgi/lib/config"
	"ocspcgi/lib/journal"
	"ocspcgi/lib/once"
	"ocspcgi/lib/signer"
	"ocspcgi/lib/watch"
	"ocspcgi/lib/wire"
)

const signerUsage = `ocspcgi signer -rsigner FILE [-rkey KEY] -listen unix:PATH

signs for a responder that does not have the key: one with the same -rsigner, and
with -rkey unix:PATH. It signs OCSP responses in the name of that certificate,
which are of this moment, and nothing else.

  -rsigner FILE      the certificate
  -rkey KEY          its key: a file, credential:NAME, or pkcs11:… in a build that
                     can; without, the -rsigner file has it
  -passin SOURCE     pass phrase of the key, or PIN of the token: pass:PHRASE,
                     env:NAME, file:PATH, fd:N, stdin or credential:NAME
  -listen unix:PATH  the socket; one that systemd passes on needs no flag
  -listen_mode MODE  its mode; 0660 without
  -listen_group G    its group
  -peer USER         who may ask, besides what the mode says; may be repeated
  -pid_file FILE     where to write the process id
  -confine=false     do not give up what is not needed once all is open
  -log FILE          file for the log; stderr without
  -log_level LEVEL   debug, info, warn or error; info without

A certificate and a key that have changed are taken together, and on SIGHUP. Those
before them are signed with, too, until all who ask have the new certificate.

  ocspcgi signer -rsigner ocsp.pem -rkey ocsp.key -listen unix:/run/ocspcgi-signer/signer.sock -listen_group www-data
  ocspcgi -index index.txt -CA ca.pem -rsigner ocsp.pem -rkey unix:/run/ocspcgi-signer/signer.sock -listen unix:/run/ocspcgi/ocspcgi.sock
`

// office is a signer process.
type office struct {
	*Shell
	pair       config.Signer
	pass       signer.Passphrase
	listen     string
	mode       fs.FileMode
	group      string
	users      []string
	pidFile    string
	confine    bool
	log, level string

	journal *journal.Journal
	limits  *limits
	service signer.Service
	mu      sync.Mutex // one reading of the pair at a time
}

func (s *Shell) signer(args []string) int {
	v := s.verb("signer", signerUsage)
	v.failed = once.ExitUsage
	o := &office{Shell: s, confine: true, pair: config.Signer{Where: "command line"}}
	var passin, mode string
	v.text(&o.pair.RSigner, "rsigner")
	v.text(&o.pair.RKey, "rkey")
	v.text(&passin, "passin")
	v.text(&o.listen, "listen")
	v.text(&mode, "listen_mode")
	v.text(&o.group, "listen_group")
	v.call(func(user string) error { o.users = append(o.users, user); return nil }, "peer")
	v.text(&o.pidFile, "pid_file")
	v.toggle(&o.confine, "confine")
	v.text(&o.log, "log")
	v.text(&o.level, "log_level")
	return v.run(args, func() (int, error) {
		o.pair.PassIn = config.Secret(passin)
		if err := v.nothing(); err != nil {
			return 0, err
		}
		if err := o.take(mode); err != nil {
			return 0, err
		}
		return 0, o.run()
	})
}

// take looks at what was given.
func (o *office) take(mode string) (err error) {
	switch path, isUnix := bytes.CutPrefix([]byte(o.listen), []byte("unix:")); {
	case o.pair.RSigner == "":
		return misused("no -rsigner; name the certificate that answers are signed for")
	case o.listen != "" && (!isUnix || len(path) == 0):
		return misused("-listen %q: a signer listens on unix:PATH alone", o.listen)
	}
	if mode != "" {
		bits, err := strconv.ParseUint(mode, 8, 32)
		if err != nil || bits > 0o777 || bits == 0 {
			return misused("-listen_mode %q is no mode; write it in octal like 0660", mode)
		}
		o.mode = fs.FileMode(bits)
	}
	if o.pair.RKey == "" {
		o.pair.RKey = o.pair.RSigner
	}
	if err := o.pair.Resolve(o.Environ); err != nil {
		return misuse{err}
	}
	if o.pass, err = signer.ParsePassIn(string(o.pair.PassIn), o.lookupEnv); err != nil {
		return misuse{err}
	}
	return o.allow()
}

// allow has connections refused of those who are not named by -peer.
func (o *office) allow() error {
	var ids []int
	for _, name := range o.users {
		id, err := strconv.ParseUint(name, 10, 31)
		if err != nil {
			u, lookErr := user.Lookup(name)
			if lookErr != nil {
				return misused("-peer %s: %w", name, lookErr)
			}
			if id, err = strconv.ParseUint(u.Uid, 10, 31); err != nil {
				return err
			}
		}
		ids = append(ids, int(id))
	}
	if ids == nil {
		return nil
	}
	o.service.Allowed = func(c net.Conn) error {
		id, err := peerOf(c)
		if err == nil && !slices.Contains(ids, id) {
			err = fmt.Errorf("user %d may not ask: not named by -peer", id)
		}
		return err
	}
	return nil
}

// run signs until the process is told to end.
func (o *office) run() (err error) {
	o.journal = (&once.Program{Environ: o.Environ}).OpenJournal(&config.Config{Log: o.log, LogLevel: o.level}, journal.Options{Level: "info"})
	defer o.journal.Close()
	o.service.Check, o.service.Now = o.check, o.now
	o.limits = o.newLimits()
	o.service.Log = func(err error) { o.journal.Warn().Err(err).Msg("not signed") }
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP) // also while a token is waited for
	defer signal.Stop(hup)
	if err := o.load(); err != nil {
		return err
	}
	signal.Ignore(syscall.SIGPIPE) // who reads the log may leave
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	l, err := o.socket()
	if err != nil {
		return err
	}
	removePid, err := writePid(o.pidFile)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	defer removePid()
	o.limits.enforce()
	failed := make(chan error, 1)
	patient := accept.New(l)
	patient.Log = func(err error) { o.journal.Warn().Err(err).Msg("connection failed") }
	go func() { failed <- o.service.Serve(patient) }()
	o.journal.Listening(l)
	var watching sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	watching.Go(func() { o.watch(ctx, hup) })
	defer cancel()
	return untilEnd(ctx, func() (err error) {
		select {
		case err = <-failed:
		case <-ctx.Done():
		}
		const patience = 5 * time.Second
		end, cancelEnd := context.WithTimeout(context.Background(), patience)
		defer cancelEnd()
		err = errors.Join(err, o.service.Shutdown(end))
		cancel()
		watching.Wait()
		return err
	})
}

// socket is the one that systemd has passed, or that of -listen.
func (o *office) socket() (net.Listener, error) {
	getenv := func(name string) string { value, _ := o.lookupEnv(name); return value }
	passed, err := fcgi.Systemd(getenv, os.Getpid())
	switch {
	case err != nil:
		return nil, err
	case len(passed) > 1 || len(passed) == 1 && o.listen != "":
		return nil, errors.New("systemd passes a socket on, and there is another one; a signer has one")
	case len(passed) == 1:
		return passed[0], nil
	case o.listen == "":
		return nil, misused("no -listen; name the socket, such as unix:/run/ocspcgi-signer/signer.sock")
	}
	return fcgi.Listen(o.listen, o.mode, o.group)
}

// load reads the pair, and signs with it if it is one.
func (o *office) load() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	s, err := signer.Load(o.pair.RSigner, o.pair.RKey, o.pass, signer.Options{})
	if err != nil {
		return err
	}
	if err := s.Prove(); errors.Is(err, signer.ErrAway) {
		o.journal.Warn().Err(err).Msg("nothing is signed until the key is back")
	} else if err != nil {
		return err
	}
	if o.service.Use(s) {
		o.journal.Info().Str("rsigner", s.Path).Str("subject", s.Certificate.Subject.String()).Msg("signing as")
	}
	return nil
}

// files are those that the pair is read from.
func (o *office) files() []string {
	if signer.Elsewhere(o.pair.RKey) || o.pair.RKey == o.pair.RSigner {
		return []string{o.pair.RSigner}
	}
	return []string{o.pair.RSigner, o.pair.RKey}
}

// newLimits finds out what a signer process opens again and again.
func (o *office) newLimits() *limits {
	l := &limits{log: o.journal, told: map[string]bool{}}
	if !o.confine {
		l.why = toldToBeFree
	}
	l.needs.Files = o.files()
	l.key(o.pair.RKey)
	l.phrase(o.pair.PassIn)
	l.remove(o.pidFile, o.listen)
	return l
}

// watch reads the pair again when it has changed, and on SIGHUP.
func (o *office) watch(ctx context.Context, hup <-chan os.Signal) {
	var reading sync.Mutex // one fault is explained at a time
	again := func() {
		reading.Lock()
		defer reading.Unlock()
		if err := o.load(); err != nil {
			o.journal.Error().Err(err).Msg("the new certificate or key is not used; the old stay")
			o.limits.explain()
		}
	}
	files := o.files()
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() {
		w := watch.Watcher{Log: func(err error) { o.journal.Warn().Err(err).Msg("changes of files are seen by polling") }}
		if err := w.Run(ctx, files, func([]string) { again() }); err != nil {
			o.journal.Error().Err(err).Msg("files are not watched")
		}
	})
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
			again()
		}
	}
}

// check says why s must not sign something: it has to be the data of an OCSP
// response, in the name of s, made now.
func (o *office) check(s *signer.Signer, tbs []byte) error {
	const drift = time.Minute // one machine has one clock, but what was asked may have waited
	data, err := wire.ParseResponseData(tbs)
	if err != nil {
		return fmt.Errorf("not the data of an OCSP response: %w", err)
	}
	keyHash, err := wire.KeyHash(s.Certificate.RawSubjectPublicKeyInfo)
	if err != nil {
		return err
	}
	byName, now := data.ByName != nil, o.now()
	switch {
	case byName && !bytes.Equal(data.ByName, s.Certificate.RawSubject), !byName && data.KeyHash != keyHash:
		return errors.New("the responderID is not that of " + s.Path)
	case now.Sub(data.ProducedAt).Abs() > drift:
		return fmt.Errorf("producedAt is %s, and it is %s here", data.ProducedAt.Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	}
	for _, single := range data.Singles {
		switch {
		case single.ThisUpdate.Sub(now) > drift:
			return fmt.Errorf("thisUpdate is %s, and it is %s here", single.ThisUpdate.Format(time.RFC3339), now.UTC().Format(time.RFC3339))
		case single.NextUpdate.IsZero():
			return errors.New("there is no nextUpdate: nobody would know when the answer ends")
		case single.NextUpdate.After(s.Certificate.NotAfter):
			return fmt.Errorf("nextUpdate is %s, and %s ends at %s", single.NextUpdate.Format(time.RFC3339), s.Path, s.Certificate.NotAfter.Format(time.RFC3339))
		}
	}
	return s.ValidAt(now)
}
