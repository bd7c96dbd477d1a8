package once

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

// Quiet is the log of a process that most often has nothing to say.
var Quiet = journal.Options{Level: "warn", Late: true}

// Only is the whole of a program that is for CGI and nothing else.
func (p *Program) Only() int {
	NoCore()
	p.Refused = RefuseSetuid()
	if !cgi.Invoked(p.Getenv) {
		return Fail(errors.New("ocsp.cgi answers the request that a web server puts into its environment; for FastCGI, HTTP and all that is typed there is ocspcgi"))
	}
	return p.CGI()
}

// CGI answers the one request of a CGI process. All of it happens within
// the answer, so that a panic has one too.
func (p *Program) CGI() int {
	deepen()
	apart()
	signal.Ignore(syscall.SIGPIPE) // a client that has left is no reason to die
	var after errands
	quiet := Quiet
	quiet.Apart = true
	log := p.OpenJournal(&config.Config{}, quiet) // until it is known where to
	err := cgi.Serve(context.Background(), p.Getenv, os.Stdin, os.Stdout,
		func(ctx context.Context, req *ocsphttp.Request, resp *ocsphttp.Response) {
			cfg, err := config.Load(nil, p.Environ, "")
			err = errors.Join(p.Refused, err)
			log = p.OpenJournal(cfg, quiet)
			p.handlerCGI(cfg, err, log, &after).Serve(ctx, req, resp)
		})
	if err != nil {
		log.Warn().Err(err).Msg("not answered as it should be")
		return ExitFailed
	}
	if len(after) > 0 {
		p.linger(after, log)
	}
	return 0
}

// deepen makes the stack grow once, while it is shallow: on the way down to a
// signature it would be copied several times. The number of arguments is one that
// the compiler cannot know, and the client's: there may be any.
//
//go:noinline
func deepen() byte {
	var room [40 << 10]byte
	return room[len(os.Args)%len(room)]
}

// apart keeps what is said on stderr out of the answer, where a web server has led
// both to the same place, as mini_httpd does: stderr leads nowhere then. A
// person at a terminal sees both.
func apart() {
	out, outErr := os.Stdout.Stat()
	said, saidErr := os.Stderr.Stat()
	if outErr != nil || saidErr != nil || !os.SameFile(out, said) || out.Mode()&os.ModeCharDevice != 0 {
		return
	}
	// The lowest number that is free is that of stderr, and is to be no other file's.
	_ = syscall.Close(2)
	if _, err := syscall.Open(os.DevNull, os.O_WRONLY, 0); err != nil {
		_, _ = syscall.Open("/", os.O_RDONLY, 0) // in a chroot: nothing can be written there
	}
}

// linger does what is left when the web server has all it waits for. Apache
// ends what does not end itself, with SIGTERM at once and SIGKILL seconds later.
func (p *Program) linger(after errands, log *journal.Journal) {
	signal.Ignore(syscall.SIGTERM)
	if err := errors.Join(os.Stdout.Close(), os.Stdin.Close()); err != nil {
		log.Warn().Err(err).Msg("the answer is not ended")
	}
	after.run(log)
}

// handlerCGI reads certificates, keys and index only for a request that needs
// them. Settings that can never work are an answer too: internalError, with the
// reason in the log.
func (p *Program) handlerCGI(cfg *config.Config, fault error, log *journal.Journal, after *errands) *ocsphttp.Handler {
	settle := sync.OnceValues(func() (*Answerer, error) {
		o, err := p.Answerer(cfg, nil, log)
		if err = errors.Join(fault, err); err != nil || cfg.Cache == "" {
			return o, err
		}
		if err := o.remember(cfg, after); err != nil {
			return nil, err
		}
		o.responder.LogShared = func(err error) { log.Warn().Err(err).Msg(notShared) }
		if err := o.share(cfg, p.Version, after); err != nil {
			o.responder.LogShared(err)
		}
		return o, nil
	})
	h := p.NewHandler(cfg, log)
	h.Respond = func(ctx context.Context, der []byte) *responder.Answer {
		o, err := settle()
		if err != nil {
			return responder.Fault(err)
		}
		return o.Respond(ctx, der)
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
