package fcgi

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime/debug"
	"syscall"
	"time"

	"ocspcgi/lib/ocsphttp"
)

// conn is one connection. It carries one request at a time and answers in
// order; all its work is done by one goroutine.
type conn struct {
	server    *Server
	net       net.Conn
	now       time.Time // when it was read from last; at first when it was accepted
	deadlines deadlines
	in        input
	x         *exchange // nil while nothing waits to be written
	refuse    bool      // one connection too many
	last      bool      // closed when what waits is written

	stage stage
	id    uint16
	keep  bool // FCGI_KEEP_CONN
	ended bool // STDIN has
	req   ocsphttp.Request
	want  int  // so many bytes of body, or fewer up to the end of STDIN
	exact bool // fewer is short of CONTENT_LENGTH
}

// serve answers until the connection ends.
func (c *conn) serve() {
	defer c.server.remove(c)
	if err := c.run(); err != nil && !hungUp(err) {
		c.server.log(fmt.Errorf("fcgi: connection closed: %w", err))
	}
}

// hungUp tells whether err is only the other side's leaving.
func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

func (c *conn) run() (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	for !c.last {
		rec, ok, err := c.in.next()
		switch {
		case ok:
			err = c.take(rec)
		case err == nil:
			if err := c.receive(); err != nil {
				return err
			}
		}
		if err != nil {
			return errors.Join(err, c.finish())
		}
	}
	return c.finish()
}

// receive writes what waits to be written, then waits for more to read. The clock
// is asked once for all that is done with what was read: an answer is small, and
// the deadlines leave room for it.
func (c *conn) receive() error {
	if err := c.flush(c.now); err != nil {
		return err
	}
	if err := c.setReadDeadline(c.now); err != nil {
		return err
	}
	n, err := c.net.Read(c.in.free())
	c.now = c.server.now()
	c.in.w += n
	switch {
	case n > 0 || err == nil:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return c.overdue()
	}
	return err
}

// flush writes the answers that wait, in one write.
func (c *conn) flush(now time.Time) error {
	if c.x == nil {
		return nil
	}
	if err := c.setWriteDeadline(now); err != nil {
		return err
	}
	x := c.x
	c.x = nil
	_, err := c.net.Write(x.out)
	c.server.giveBack(x)
	return err
}

// finish writes what waits and, where more STDIN may come, waits a moment for
// the other side to have read it: to close on unread bytes is a reset, which
// can destroy the answer on its way.
func (c *conn) finish() error {
	now := c.server.now()
	if err := c.flush(now); err != nil {
		return err
	}
	half, ok := c.net.(interface{ CloseWrite() error })
	if !ok || c.ended || c.ahead(typeStdin) {
		return nil
	}
	if err := errors.Join(half.CloseWrite(), c.net.SetReadDeadline(now.Add(lingering))); err != nil {
		return err
	}
	for {
		if _, err := c.net.Read(c.in.buf); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				return nil
			}
			return err
		}
	}
}

// ahead tells whether an empty record of this kind for the last request is
// here already, not yet taken.
func (c *conn) ahead(kind uint8) bool {
	for in := c.in; ; {
		rec, ok, err := in.next()
		if !ok || err != nil || rec.id != c.id || rec.kind == typeBeginRequest { // of the next one
			return false
		}
		if rec.kind == kind && rec.len() == 0 {
			return true
		}
	}
}
