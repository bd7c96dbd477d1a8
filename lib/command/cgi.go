package command

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"ocspcgi/cgi"
	"ocspcgi/lib/config"
	"ocspcgi/lib/journal"
	"ocspcgi/lib/ocsphttp"
	"ocspcgi/lib/responder"
	"ocspcgi/lib/store"
)

// CGI answers the one request of a CGI process. All of it happens within
// the answer, so that a panic has one too.
func (p *Program) CGI() int {
	signal.Ignore(syscall.SIGPIPE)                 // a client that has left is no reason to die
	log := p.openJournal(&config.Config{}, "warn") // until it is known where to
	err := cgi.Serve(context.Background(), p.getenv, os.Stdin, os.Stdout,
		func(ctx context.Context, req *ocsphttp.Request, resp *ocsphttp.Response) {
			cfg, err := config.Load(nil, p.Environ, "")
			log = p.openJournal(cfg, "warn")
			p.handlerCGI(cfg, err, log).Serve(ctx, req, resp)
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
func (p *Program) handlerCGI(cfg *config.Config, fault error, log *journal.Journal) *ocsphttp.Handler {
	open := sync.OnceValues(func() (*responder.Responder, error) {
		r, err := newResponder(cfg)
		r.CacheBytes = 0
		if cfg.Cache != "" {
			r.Shared = &store.Directory{Path: cfg.Cache, Keep: 2 * longest(cfg)}
			r.LogShared = func(err error) { log.Warn().Err(err).Msg("answers are not shared") }
		}
		if err = errors.Join(fault, err); err == nil {
			err = p.openOnce(cfg, r, nil, log)
		}
		return r, err
	})
	h := p.newHandler(cfg, log)
	h.Respond = func(ctx context.Context, der []byte) *responder.Answer {
		r, err := open()
		if err != nil {
			return responder.Fault(err)
		}
		return r.Respond(ctx, der)
	}
	h.Page.Issuers = func() []*responder.Issuer {
		r, err := open()
		if err != nil {
			log.Warn().Err(err).Msg("the page does not say whose certificates")
		}
		return r.Issuers()
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
