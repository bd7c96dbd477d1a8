// Package daemon answers on sockets until it is told to stop.
package daemon

import (
	"context"
	"errors"
	"fmt"
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

	// Ready is called when all sockets are open, before anything on them is
	// answered; nil: nothing is.
	Ready func()
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
// finished then, as far as that takes seconds. The error is that of a socket that cannot be
// opened or fails.
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
	err = errors.Join(err, d.shutDown())
	d.stop(nil)
	d.group.Wait()
	return err
}

// shutDown ends all servers at the same time, so that who keeps one waiting takes no time
// from the requests of another. That somebody did, who may be anybody, is no error.
func (d *Daemon) shutDown() error {
	end, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	faults := make([]error, len(d.servers))
	var all sync.WaitGroup
	for i, s := range d.servers {
		all.Go(func() { faults[i] = s.Shutdown(end) })
	}
	all.Wait()
	for i, err := range faults {
		if !errors.Is(err, context.DeadlineExceeded) {
			continue
		}
		faults[i] = nil
		if d.Log != nil {
			d.Log(fmt.Errorf("told to end, and connections were closed that had not come to theirs in %v", patience))
		}
	}
	return errors.Join(faults...)
}

// place is a socket with who is to answer on it.
type place struct {
	net.Listener
	server
	http bool
}

// open opens the sockets, and answers on all.
func (d *Daemon) open() error {
	var places []place
	for _, l := range d.Sockets {
		places = append(places, place{l, d.fastCGI(), false})
	}
	for _, address := range d.Listen {
		p, err := d.listen(address)
		if err != nil {
			for _, p := range places {
				err = errors.Join(err, p.Close())
			}
			return err
		}
		places = append(places, p)
	}
	if d.Ready != nil {
		d.Ready()
	}
	for _, p := range places {
		d.start(p)
	}
	return nil
}

func (d *Daemon) listen(address string) (place, error) {
	if hostport, http := strings.CutPrefix(address, "http:"); http {
		l, err := httpd.Listen(hostport)
		return place{l, &httpd.Server{Handler: d.serve, Log: d.Log, HeaderTimeout: d.Timeout, ReadTimeout: d.Timeout}, true}, err
	}
	l, err := fcgi.Listen(address, d.Mode, d.Group)
	return place{l, d.fastCGI(), false}, err
}

func (d *Daemon) fastCGI() server {
	return &fcgi.Server{Handler: d.serve, Log: d.Log, Peers: d.Peers, ReadTimeout: d.Timeout}
}

func (d *Daemon) start(p place) {
	d.servers = append(d.servers, p.server)
	d.group.Go(func() {
		if err := p.Serve(p.Listener); err != nil {
			d.stop(err)
		}
	})
	if d.Listening != nil {
		d.Listening(p.Listener, p.http)
	}
}

// serve answers one request, and counts it.
func (d *Daemon) serve(ctx context.Context, req *ocsphttp.Request, resp *ocsphttp.Response) {
	d.Handler(ctx, req, resp)
	if n := d.answered.Add(1); n == int64(d.Requests) {
		d.stop(nil)
	}
}
