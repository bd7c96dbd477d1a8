// Command ocspcgi answers OCSP behind the web server that is already there, as
// a CGI program or over FastCGI, from the index.txt that openssl ca keeps.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/crypto/ocsp"

	"ocspcgi/cgi"
	"ocspcgi/fcgi"
	"ocspcgi/lib/cadir"
	"ocspcgi/lib/command"
	"ocspcgi/lib/config"
	"ocspcgi/lib/daemon"
	"ocspcgi/lib/index"
	"ocspcgi/lib/journal"
	"ocspcgi/lib/ocsphttp"
	"ocspcgi/lib/reload"
	"ocspcgi/lib/responder"
	"ocspcgi/lib/signer"
	"ocspcgi/lib/store"
)

// version is set by the linker.
var version = "unversioned"

const (
	exitFailed = 1 // the answer is none, or not successful, as openssl has it
	exitUsage  = 2 // the settings can never work
)

func main() { os.Exit(launch(os.Args[1:])) }

// launch finds out how the program was started, by the first sign that holds.
func launch(args []string) int {
	if err := dropSetuid(); err != nil {
		return fail(err)
	}
	switch inherited, ok, err := fcgi.Inherited(); {
	case err != nil:
		return fail(err)
	case ok:
		return serve(args, inherited)
	}
	if cgi.Invoked(os.Getenv) {
		return serveCGI() // argv is the client's
	}
	if len(args) > 0 {
		switch args[0] {
		case "demo":
			return command.Demo(args[1:], os.Stdout, os.Stderr)
		case "check":
			return (&command.Checker{Environ: os.Environ(), Stdout: os.Stdout, Stderr: os.Stderr}).Run(args[1:])
		case "version", "-version", "--version":
			fmt.Println("ocspcgi", version)
			return 0
		case "help", "-help", "--help", "-h", "-?":
			return command.Help(args[1:], os.Stdout, os.Stderr)
		case "serve":
			args = args[1:]
		}
	}
	return serve(args, nil)
}

// dropSetuid gives back what a setuid or setgid bit gave: whoever starts the
// program names the files that it reads and writes.
func dropSetuid() error {
	user, group := os.Getuid(), os.Getgid()
	if user == os.Geteuid() && group == os.Getegid() {
		return nil
	}
	return errors.Join(syscall.Setresgid(group, group, group), syscall.Setresuid(user, user, user))
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, "ocspcgi:", strings.ReplaceAll(err.Error(), "\n", "\nocspcgi: "))
	return exitUsage
}

// serveCGI answers the one request of a CGI process. All of it happens within
// the answer, so that a panic has one too.
func serveCGI() int {
	signal.Ignore(syscall.SIGPIPE)                          // a client that has left is no reason to die
	log := openJournal(&config.Config{}, zerolog.WarnLevel) // until it is known where to
	err := cgi.Serve(context.Background(), os.Getenv, os.Stdin, os.Stdout,
		func(ctx context.Context, req *ocsphttp.Request, resp *ocsphttp.Response) {
			cfg, err := config.Load(nil, os.Environ(), "")
			log = openJournal(cfg, zerolog.WarnLevel)
			handlerCGI(cfg, err, log).Serve(ctx, req, resp)
		})
	if err != nil {
		log.Warn().Err(err).Msg("not answered as it should be")
		return exitFailed
	}
	return 0
}

// handlerCGI reads certificates, keys and index only for a request that needs
// them. Settings that can never work are an answer too: internalError, with the
// reason in the log.
func handlerCGI(cfg *config.Config, fault error, log *journal.Journal) *ocsphttp.Handler {
	open := sync.OnceValues(func() (*responder.Responder, error) {
		r, err := newResponder(cfg)
		r.CacheBytes = 0
		if cfg.Cache != "" {
			r.Shared = &store.Directory{Path: cfg.Cache, Keep: 2 * longest(cfg)}
			r.LogShared = func(err error) { log.Warn().Err(err).Msg("answers are not shared") }
		}
		if err = errors.Join(fault, err); err == nil {
			err = openOnce(cfg, r, nil, log)
		}
		return r, err
	})
	h := newHandler(cfg, log)
	h.Respond = func(ctx context.Context, der []byte) *responder.Answer {
		r, err := open()
		if err != nil {
			return responder.Fault(err)
		}
		return r.Respond(ctx, der)
	}
	h.Page.Issuers = func() []string {
		r, err := open()
		if err != nil {
			log.Warn().Err(err).Msg("the page does not say whose certificates")
		}
		return names(r)
	}
	return h
}

// longest is the longest that an answer lives.
func longest(cfg *config.Config) time.Duration {
	var most time.Duration
	for _, issuer := range cfg.Issuers {
		most = max(most, issuer.Lifetime)
	}
	return most
}

// openOnce makes r answer from files that are read for this one request.
func openOnce(cfg *config.Config, r *responder.Responder, ask signer.Passphrase, log *journal.Journal) error {
	sources, err := sources(cfg, ask, log)
	if err != nil {
		return err
	}
	var faults []error
	issuers := make([]*responder.Issuer, len(sources))
	for i, source := range sources {
		issuers[i], err = responder.Open(source.Files, &index.File{Path: source.Index})
		if err == nil {
			err = reload.Alone(issuers[i], source, issuers[:i], sources)
		}
		faults = append(faults, err)
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	r.Serve(issuers...)
	return nil
}

// sources turns settings into the files of issuers. Keys without -passin have
// their pass phrase from ask; nil means that nobody can be asked.
func sources(cfg *config.Config, ask signer.Passphrase, log *journal.Journal) ([]reload.Source, error) {
	from := command.Sources{Ask: ask, Env: os.LookupEnv, Took: func(dir string, f *cadir.Found) {
		log.Info().Str("ca-dir", dir).Stringer("index", f.Index).Stringer("CA", f.CA).
			Stringer("rsigner", f.Signer).Stringer("rkey", f.Key).Msg("files found")
	}}
	return from.Of(cfg)
}

// onTerminal asks the person at the terminal for pass phrases.
func onTerminal() (signer.Passphrase, error) { return signer.ParsePassIn("", os.LookupEnv) }

func newResponder(cfg *config.Config) (*responder.Responder, error) {
	r := &responder.Responder{Backdate: cfg.Backdate, IgnoreNonces: cfg.Nonces == "ignore", Archive: cfg.Archive, CacheBytes: cfg.CacheBytes}
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

// newHandler returns a Handler that lacks who answers.
func newHandler(cfg *config.Config, log *journal.Journal) *ocsphttp.Handler {
	return &ocsphttp.Handler{
		AnyType: cfg.AnyType,
		Page:    ocsphttp.Page{Version: version, Hyperlink: cfg.Hyperlink},
		Log:     log.Request,
	}
}

// names returns what the issuers that r answers for are called.
func names(r *responder.Responder) []string {
	var names []string
	for _, issuer := range r.Issuers() {
		names = append(names, issuer.Name)
	}
	return names
}

// serve reads the flags and does what they say, with inherited as one more
// socket to answer FastCGI on.
func serve(args []string, inherited net.Listener) int {
	cfg, err := config.Load(args, os.Environ(), "")
	if err != nil {
		return fail(err)
	}
	if cfg.Help {
		command.Usage(os.Stdout)
		return 0
	}
	if cfg.ReqIn != "" {
		return answerFile(cfg)
	}
	sockets, err := fcgi.Systemd(os.Getenv, os.Getpid())
	if err != nil {
		return fail(err)
	}
	for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		os.Unsetenv(name) // they are for this process alone
	}
	if inherited != nil {
		sockets = append(sockets, inherited)
	}
	if len(sockets)+len(cfg.Listen) == 0 {
		command.Usage(os.Stderr)
		return exitUsage
	}
	log := openJournal(cfg, zerolog.InfoLevel)
	defer log.Close()
	log.Warnings(cfg.Warnings)
	if err := stay(cfg, log, sockets); err != nil {
		return fail(err)
	}
	return 0
}

// answerFile is -reqin and -respout: one request from a file to a file.
func answerFile(cfg *config.Config) int {
	log := openJournal(cfg, zerolog.WarnLevel)
	defer log.Close()
	log.Warnings(cfg.Warnings)
	r, err := newResponder(cfg)
	if err == nil {
		var ask signer.Passphrase
		if ask, err = onTerminal(); err == nil {
			err = openOnce(cfg, r, ask, log)
		}
	}
	respond := r.Respond
	if err != nil {
		respond = func(context.Context, []byte) *responder.Answer { return responder.Fault(err) }
	}
	answer, err := command.Respond(cfg, respond)
	if err != nil {
		return fail(err)
	}
	if answer.Err != nil {
		log.Warn().Stringer("answer", answer.Status).Err(answer.Err).Msg("request refused")
	}
	if answer.Status != ocsp.Success {
		return exitFailed
	}
	return 0
}

// stay answers on sockets, from files that are read again when they change,
// until the process is told to end.
func stay(cfg *config.Config, log *journal.Journal, sockets []net.Listener) error {
	ask, err := onTerminal()
	if err != nil {
		return err
	}
	sources, err := sources(cfg, ask, log)
	peers, peersErr := fcgi.ParsePeers(os.Getenv("FCGI_WEB_SERVER_ADDRS"))
	r, responderErr := newResponder(cfg)
	if err := errors.Join(err, peersErr, responderErr); err != nil {
		return err
	}
	keeper := &reload.Keeper{
		Responder: r, Sources: sources,
		Log:      log.Reload,
		LogWatch: func(err error) { log.Warn().Err(err).Msg("changes of files are seen by polling") },
	}
	if err := keeper.Open(); err != nil {
		return err
	}
	log.Signers(r.Issuers()...)
	text, err := command.OpenText(cfg)
	if err != nil {
		return err
	}
	defer text.Close()
	h := newHandler(cfg, log)
	h.Page.Issuers = func() []string { return names(r) }
	h.Respond = r.Respond
	if text.Wanted() {
		h.Respond = showing(text, r.Respond, log)
	}
	removePid, err := writePid(cfg.PidFile)
	if err != nil {
		return err
	}
	defer removePid()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT, syscall.SIGUSR1)
	defer stop()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var watching sync.WaitGroup
	watching.Go(func() { watch(ctx, keeper, log) })
	d := daemon.Daemon{
		Handler: h.Serve, Sockets: sockets, Listen: cfg.Listen, Mode: cfg.ListenMode, Group: cfg.ListenGroup,
		Peers: peers, Timeout: cfg.Timeout, Requests: cfg.NRequest,
		Listening: func(l net.Listener, http bool) { announce(cfg, log, l, http) },
		Log:       func(err error) { log.Warn().Err(err).Msg("connection failed") },
	}
	err = d.Run(ctx)
	cancel()
	watching.Wait()
	return err
}

// showing has every request and answer shown, as -text has it.
func showing(text *command.Text, respond func(context.Context, []byte) *responder.Answer, log *journal.Journal) func(context.Context, []byte) *responder.Answer {
	return func(ctx context.Context, der []byte) *responder.Answer {
		answer := respond(ctx, der)
		if err := text.Write(der, answer.DER); err != nil {
			log.Warn().Err(err).Msg("not shown")
		}
		return answer
	}
}

// writePid writes the process's number into the file that -pid_file names.
func writePid(path string) (remove func(), err error) {
	if path == "" {
		return func() {}, nil
	}
	if err := os.WriteFile(path, fmt.Appendln(nil, os.Getpid()), 0o644); err != nil {
		return nil, fmt.Errorf("-pid_file: %w", err)
	}
	return func() { os.Remove(path) }, nil
}

// watch keeps the files read; SIGHUP has all of them taken as they are.
func watch(ctx context.Context, keeper *reload.Keeper, log *journal.Journal) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	var group sync.WaitGroup
	defer group.Wait()
	group.Go(func() {
		if err := keeper.Run(ctx); err != nil {
			log.Error().Err(err).Msg("files are not watched")
		}
	})
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
			log.Info().Msg("told to read everything again")
			keeper.Accept()
		}
	}
}

// announce tells of a socket; of that of -port on stdout too, as openssl does,
// for scripts that wait for it.
func announce(cfg *config.Config, log *journal.Journal, l net.Listener, http bool) {
	log.Listening(l)
	if http && cfg.Port != "" {
		fmt.Printf("ACCEPT %s PID=%d\n", l.Addr(), os.Getpid())
	}
}

// openJournal opens the log, from the given level on where nothing else is
// said. It is never without one.
func openJournal(cfg *config.Config, level zerolog.Level) *journal.Journal {
	if cfg.LogLevel != "" {
		if told, err := zerolog.ParseLevel(cfg.LogLevel); err == nil {
			level = told
		}
	}
	log, err := journal.Open(journal.Options{Path: cfg.Log, Level: level, Remote: cfg.LogRemote, Color: os.Getenv("NO_COLOR") == ""})
	if err != nil {
		log.Err(err).Msg("the log goes here instead")
	}
	return log
}
