package command

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"ocspcgi/cgi"
	"ocspcgi/lib/config"
	"ocspcgi/lib/journal"
	"ocspcgi/lib/ocsphttp"
	"ocspcgi/lib/responder"
)

// quiet is the log of a process that most often has nothing to say.
var quiet = journal.Options{Level: "warn", Late: true}

// CGI answers the one request of a CGI process. All of it happens within
// the answer, so that a panic has one too.
func (p *Program) CGI() int {
	signal.Ignore(syscall.SIGPIPE) // a client that has left is no reason to die
	var after errands
	log := p.openJournal(&config.Config{}, quiet) // until it is known where to
	err := cgi.Serve(context.Background(), p.getenv, os.Stdin, os.Stdout,
		func(ctx context.Context, req *ocsphttp.Request, resp *ocsphttp.Response) {
			cfg, err := config.Load(nil, p.Environ, "")
			log = p.openJournal(cfg, quiet)
			p.handlerCGI(cfg, err, log, &after).Serve(ctx, req, resp)
		})
	if err != nil {
		log.Warn().Err(err).Msg("not answered as it should be")
		return exitFailed
	}
	if len(after) > 0 {
		err = p.linger(after)
	}
	if err != nil {
		log.Warn().Err(err).Msg("answers are not shared")
	}
	return 0
}

// linger does what is left when the web server has all it waits for. Apache
// ends what does not end itself, with SIGTERM at once and SIGKILL seconds later.
func (p *Program) linger(after errands) error {
	signal.Ignore(syscall.SIGTERM)
	return errors.Join(os.Stdout.Close(), os.Stdin.Close(), after.run())
}

// handlerCGI reads certificates, keys and index only for a request that needs
// them. Settings that can never work are an answer too: internalError, with the
// reason in the log.
func (p *Program) handlerCGI(cfg *config.Config, fault error, log *journal.Journal, after *errands) *ocsphttp.Handler {
	settle := sync.OnceValues(func() (*once, error) {
		o, err := p.once(cfg, nil, log)
		if err = errors.Join(fault, err); err != nil || cfg.Cache == "" {
			return o, err
		}
		if err := o.share(cfg, p.Version, after); err != nil {
			log.Warn().Err(err).Msg("answers are not shared")
		}
		return o, nil
	})
	h := p.newHandler(cfg, log)
	h.Respond = func(ctx context.Context, der []byte) *responder.Answer {
		o, err := settle()
		if err != nil {
			return responder.Fault(err)
		}
		return o.respond(ctx, der)
	}
	h.Page.Issuers = func() []*responder.Issuer {
		o, err := settle()
		if err == nil {
			err = o.open()
		}
		if err != nil {
			log.Warn().Err(err).Msg("the page does not say whose certificates")
			return nil
		}
		return o.responder.Issuers()
	}
	return h
}
