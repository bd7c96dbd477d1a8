// Package daemon answers on sockets until it is told to stop.
package daemon

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"ocspcgi/fcgi"
	"ocspcgi/lib/httpd"
	"ocspcgi/lib/ocsphttp"
)

// patience is how long running requests have when the daemon is told to stop.
const patience = 5 * time.Second

// Daemon is a responder on its sockets. Its fields are set before Run.
type Daemon struct {
	Handler ocsphttp.HandlerFunc

	Sockets []net.Listener // to answer FastCGI on, opened by whoever started the program
	Listen  []string       // to be opened: unix:PATH and tcp:HOST:PORT for FastCGI, http:HOST:PORT
	Mode    fs.FileMode    // of unix sockets
	Group   string         // of unix sockets; empty: the process's own
	Peers   []netip.Addr   // whom FastCGI over TCP is answered; none: everybody

	Timeout  time.Duration // for a request to come in; 0: what is usual
	Requests int           // to stop after; 0: never

	// Listening is told of each socket, once connections to it are taken.
	Listening func(l net.Listener, http bool)
	// Log is told of the faults of connections, from several goroutines.
	Log func(error)

	servers  []server
	group    sync.WaitGroup
	answered atomic.Int64
	stop     context.CancelCauseFunc
}

// server is what both transports are.
type server interface {
	Serve(net.Listener) error
	Shutdown(context.Context) error
}

// Run answers until ctx is done or Requests were answered. Running requests are
// finished then. The error is that of a socket that cannot be opened or fails.
func (d *Daemon) Run(ctx context.Context) error {
	ctx, d.stop = context.WithCancelCause(ctx)
	defer d.stop(nil)
	err := d.open()
	if err == nil {
		d.group.Go(func() { d.rest(ctx) })
		<-ctx.Done()
		if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
			err = cause
		}
	}
	end, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, s := range d.servers {
		err = errors.Join(err, s.Shutdown(end))
	}
	d.stop(nil)
	d.group.Wait()
	return err
}

// open opens the sockets, and answers on all.
func (d *Daemon) open() error {
	for _, l := range d.Sockets {
		d.start(d.fastCGI(), l, false)
	}
	for _, address := range d.Listen {
		hostport, http := strings.CutPrefix(address, "http:")
		var l net.Listener
		var err error
		s := d.fastCGI()
		if http {
			s = &httpd.Server{Handler: d.serve, Log: d.Log, HeaderTimeout: d.Timeout, ReadTimeout: d.Timeout}
			l, err = httpd.Listen(hostport)
		} else {
			l, err = fcgi.Listen(address, d.Mode, d.Group)
		}
		if err != nil {
			return err
		}
		d.start(s, l, http)
	}
	return nil
}

func (d *Daemon) fastCGI() server {
	return &fcgi.Server{Handler: d.serve, Log: d.Log, Peers: d.Peers, ReadTimeout: d.Timeout}
}

func (d *Daemon) start(s server, l net.Listener, http bool) {
	d.servers = append(d.servers, s)
	d.group.Go(func() {
		if err := s.Serve(l); err != nil {
			d.stop(err)
		}
	})
	if d.Listening != nil {
		d.Listening(l, http)
	}
}

// serve answers one request, and counts it.
func (d *Daemon) serve(ctx context.Context, req *ocsphttp.Request, resp *ocsphttp.Response) {
	d.Handler(ctx, req, resp)
	if n := d.answered.Add(1); n == int64(d.Requests) {
		d.stop(nil)
	}
}
