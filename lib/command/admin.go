package command

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"ocspcgi/fcgi"
	"ocspcgi/lib/admin"
	"ocspcgi/lib/config"
	"ocspcgi/lib/httpd"
	"ocspcgi/lib/journal"
	"ocspcgi/lib/metrics"
	"ocspcgi/lib/ocsphttp"
	"ocspcgi/lib/reload"
)

// operators is what -admin asks for: metrics, health and a status page, on a
// listener that knows no OCSP. Nil is nothing of that.
type operators struct {
	metrics  *metrics.Metrics
	listener net.Listener
	loopback string // the host of a listener that this machine alone reaches; empty: others do
	server   *httpd.Server
	log      *journal.Journal
	stop     context.CancelFunc
	running  sync.WaitGroup
}

// newOperators has counted what keeper reads and h answers, if -admin is set.
func newOperators(cfg *config.Config, log *journal.Journal, version string, keeper *reload.Keeper, h *ocsphttp.Handler) *operators {
	if cfg.Admin == "" {
		return nil
	}
	m := metrics.New(version, keeper)
	read, answered := keeper.Log, h.Log
	keeper.Log = func(e reload.Event) {
		read(e)
		m.Reload(e)
	}
	h.Log = func(rec *ocsphttp.Record) {
		answered(rec)
		m.Request(rec)
	}
	return &operators{metrics: m, log: log}
}

// fault counts a fault of a connection that answers OCSP.
func (o *operators) fault(err error) {
	if o != nil {
		o.metrics.Fault(err)
	}
}

// listen opens the socket that operators are answered on.
func (o *operators) listen(cfg *config.Config) error {
	if o == nil {
		return nil
	}
	l, err := listenAdmin(cfg)
	if err != nil {
		return fmt.Errorf("-admin: %w", err)
	}
	o.listener = l
	tcp, ok := l.Addr().(*net.TCPAddr)
	switch {
	case ok && tcp.IP.IsLoopback():
		// Without a name all would be answered: that is no error to pass over.
		if o.loopback, _, err = net.SplitHostPort(strings.TrimPrefix(cfg.Admin, "http:")); err != nil {
			return errors.Join(fmt.Errorf("-admin: %w", err), l.Close())
		}
	case ok:
		o.log.Warn().Str("address", tcp.String()).Msg("-admin is open to everybody who reaches this address; 127.0.0.1 or a unix socket is not")
	}
	return nil
}

// serve answers operators until close. The process is about to end when ctx is
// done.
func (o *operators) serve(ctx context.Context) {
	if o == nil {
		return
	}
	fault := func(err error) { o.log.Warn().Err(err).Msg("admin") }
	a := &admin.Admin{Metrics: o.metrics, Loopback: o.loopback, Ending: func() bool { return ctx.Err() != nil }, Log: fault}
	o.server = &httpd.Server{Handler: a.Serve, Log: fault}
	sampling, stop := context.WithCancel(context.WithoutCancel(ctx))
	o.stop = stop
	o.running.Go(func() { o.metrics.Run(sampling) })
	o.running.Go(func() {
		if err := o.server.Serve(o.listener); err != nil {
			o.log.Error().Err(err).Msg("-admin is not answered any more")
		}
	})
	address := o.listener.Addr()
	o.log.Info().Str("address", address.Network()+":"+address.String()).Msg("listening for operators")
}

func listenAdmin(cfg *config.Config) (net.Listener, error) {
	if hostport, http := strings.CutPrefix(cfg.Admin, "http:"); http {
		return httpd.Listen(hostport)
	}
	return fcgi.Listen(cfg.Admin, cfg.ListenMode, cfg.ListenGroup)
}

// close ends what listen and serve began.
func (o *operators) close() {
	if o == nil {
		return
	}
	if o.server == nil { // nobody was answered
		if err := o.listener.Close(); err != nil {
			o.log.Warn().Err(err).Msg("admin")
		}
		return
	}
	const patience = time.Second
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	o.stop()
	if err := o.server.Shutdown(ctx); err != nil {
		o.log.Warn().Err(err).Msg("admin")
	}
	o.running.Wait()
}
