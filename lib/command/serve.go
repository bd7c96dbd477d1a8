package command

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/fcgi"
	"ocspcgi/lib/command/help"
	"ocspcgi/lib/config"
	"ocspcgi/lib/daemon"
	"ocspcgi/lib/journal"
	"ocspcgi/lib/once"
	"ocspcgi/lib/reload"
	"ocspcgi/lib/responder"
	"ocspcgi/lib/watch"
)

// Serve reads the flags and does what they say, with inherited as one more
// socket to answer FastCGI on.
func Serve(p *once.Program, args []string, inherited net.Listener) int {
	l := readLine(args)
	cfg, err := config.Load(args, p.Environ, "")
	switch wrong := l.misplaced(); {
	case cfg.Help:
		help.Usage(os.Stdout)
		return 0
	case wrong != nil && inherited == nil:
		once.Fail(wrong)
		return once.ExitFailed
	case cfg.ReqIn != "" || l.asks():
		return answerFile(p, cfg, l, err)
	case err != nil:
		return l.fail(err)
	}
	sockets, err := fcgi.Systemd(p.Getenv, os.Getpid())
	if err != nil {
		return once.Fail(err)
	}
	for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		os.Unsetenv(name) // they are for this process alone
	}
	if inherited != nil {
		sockets = append(sockets, inherited)
	}
	if len(sockets)+len(cfg.Listen) == 0 {
		help.Usage(os.Stderr)
		return once.ExitUsage
	}
	log := p.OpenJournal(cfg, journal.Options{Level: "info"})
	defer log.Close()
	log.Warnings(cfg.Warnings)
	if err := stay(p, cfg, log, sockets); err != nil {
		return once.Fail(err)
	}
	return 0
}

// answerFile is -reqin and -respout: one request from a file to a file. Whatever
// is wrong with the settings, there is an answer to it.
func answerFile(p *once.Program, cfg *config.Config, l *line, fault error) int {
	quiet := once.Quiet
	quiet.Apart = toStdout(cfg.RespOut)
	log := p.OpenJournal(cfg, quiet)
	defer log.Close()
	log.Warnings(l.warnings(cfg.Warnings))
	respond := func(ctx context.Context, der []byte) *responder.Answer {
		if fault != nil {
			return responder.Fault(fault)
		}
		ask, askErr := p.OnTerminal()
		o, err := p.Answerer(cfg, ask, log)
		if err = errors.Join(askErr, err); err != nil {
			return responder.Fault(err)
		}
		return o.Respond(ctx, der)
	}
	request := l.request
	if cfg.ReqIn != "" {
		request = func() ([]byte, error) { return readRequest(cfg.ReqIn) }
	}
	answer, err := Respond(cfg, request, respond)
	switch {
	case fault != nil:
		once.Fail(fault)
	case answer != nil && answer.Err != nil:
		log.Warn().Stringer("answer", answer.Status).Err(answer.Err).Msg("request refused")
	}
	if err != nil {
		once.Fail(err)
	}
	if err != nil || fault != nil || answer.Status != ocsp.Success {
		return once.ExitFailed
	}
	return 0
}

// stay answers on sockets, from files that are read again when they change,
// until the process is told to end.
func stay(p *once.Program, cfg *config.Config, log *journal.Journal, sockets []net.Listener) error {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP) // also during a first reading that takes long
	defer signal.Stop(hup)
	ask, err := p.OnTerminal()
	if err != nil {
		return err
	}
	sources, err := p.Sources(cfg, ask, log)
	peers, peersErr := fcgi.ParsePeers(p.Getenv("FCGI_WEB_SERVER_ADDRS"))
	r, responderErr := once.NewResponder(cfg)
	if err := errors.Join(err, peersErr, responderErr); err != nil {
		return err
	}
	watcher := &watch.Watcher{Log: func(err error) { log.Warn().Err(err).Msg("changes of files are seen by polling") }}
	r.LogKey = log.Key
	keeper := &reload.Keeper{
		Responder: r, Sources: sources,
		Log:   log.Reload,
		Watch: watcher.Run,

		Progress: ProgressOn(os.Stderr),
	}
	h := p.NewHandler(cfg, log)
	ops := newOperators(cfg, log, p.Version, keeper, h)
	limits := newLimits(cfg, sources, log)
	keeper.Log = limits.watching(keeper.Log)
	if err := keeper.Open(); err != nil {
		return err
	}
	log.Signers(r.Issuers()...)
	text, err := OpenText(cfg)
	if err != nil {
		return err
	}
	defer text.Close()
	h.Page.Issuers = r.Issuers
	h.Respond = r.Respond
	if text.Wanted() {
		h.Respond = showing(text, r.Respond, log)
	}
	removePid, err := writePid(cfg.PidFile)
	if err != nil {
		return err
	}
	defer removePid()
	signal.Ignore(syscall.SIGPIPE) // who reads the log may leave
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT, syscall.SIGUSR1)
	defer stop()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	keeping, leave := context.WithCancel(context.Background()) // for as long as anything is answered
	defer leave()
	var watching sync.WaitGroup
	watching.Go(func() { keep(keeping, keeper, hup, log) })
	d := daemon.Daemon{
		Handler: h.Serve, Sockets: sockets, Listen: cfg.Listen, Mode: cfg.ListenMode, Group: cfg.ListenGroup,
		Peers: peers, Timeout: cfg.Timeout, Requests: cfg.NRequest,
		Listening: func(l net.Listener, http bool) { announce(cfg, log, l, http) },
		Log: func(err error) {
			log.Warn().Err(err).Msg("connection failed")
			ops.fault(err)
		},
	}
	return untilEnd(ctx, func() error {
		err := ops.listen(cfg)
		if err == nil {
			d.Ready = func() {
				limits.enforce()
				ops.serve(ctx)
			}
			err = d.Run(ctx)
			ops.close()
		}
		cancel()
		leave()
		watching.Wait()
		return err
	})
}

// showing has every request and answer shown, as -text has it.
func showing(text *Text, respond func(context.Context, []byte) *responder.Answer, log *journal.Journal) func(context.Context, []byte) *responder.Answer {
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

// keep keeps the files read; SIGHUP has all of them taken as they are.
func keep(ctx context.Context, keeper *reload.Keeper, hup <-chan os.Signal, log *journal.Journal) {
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
			group.Go(keeper.Accept) // the disk of an index may hang
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
