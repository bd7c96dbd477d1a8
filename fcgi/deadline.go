package fcgi

import (
	"fmt"
	"io"
	"time"
)

const (
	lingering = 2 * time.Second       // for what is refused or answered early
	lastLook  = 10 * time.Millisecond // for a request that crosses with Shutdown
)

// deadlines is what the deadlines of a connection stand at. To set one costs
// as much as a small answer, so that of an idle connection and that of writing
// are set anew when a quarter of them is over.
type deadlines struct {
	read, write time.Time
	reading     waiting
	kept        bool // a request has been answered
	poked       bool // Shutdown's expired deadline has been seen
	looked      bool // the last look before Shutdown is taken
}

// waiting is what a read deadline is for.
type waiting uint8

const (
	nothing waiting = iota
	request         // a request that has begun, or the first of all
	another         // the next request of a kept connection
)

// setReadDeadline makes the next read end in time. It returns io.EOF when
// Shutdown leaves nothing to wait for.
func (c *conn) setReadDeadline(now time.Time) error {
	if err := c.extendReadDeadline(now); err != nil {
		return err
	}
	if !c.server.stopping.Load() || c.begun() {
		return nil
	}
	if c.deadlines.looked {
		return io.EOF
	}
	c.deadlines.looked, c.deadlines.reading = true, nothing // a request that begins has its time
	return c.net.SetReadDeadline(now.Add(lastLook))
}

func (c *conn) extendReadDeadline(now time.Time) error {
	d, limits := &c.deadlines, &c.server.limits
	limit := limits.idle
	switch {
	case !c.begun() && d.kept:
		if d.reading == another && d.read.Sub(now) >= limit/4*3 {
			return nil
		}
		d.reading = another
	case d.reading == request:
		return nil
	default:
		d.reading = request
		limit = limits.read
		if c.refuse {
			limit = min(limit, lingering)
		}
	}
	d.read = now.Add(limit)
	return c.net.SetReadDeadline(d.read)
}

// setWriteDeadline makes the next write end in time.
func (c *conn) setWriteDeadline(now time.Time) error {
	d, limit := &c.deadlines, c.server.limits.write
	if d.write.Sub(now) >= limit/4*3 {
		return nil
	}
	d.write = now.Add(limit)
	return c.net.SetWriteDeadline(d.write)
}

// overdue says what becomes of the connection whose read deadline has passed:
// nil to go on, io.EOF to leave quietly.
func (c *conn) overdue() error {
	d, stopping := &c.deadlines, c.server.stopping.Load()
	switch {
	case stopping && !d.poked:
		d.poked, d.reading = true, nothing
		return nil
	case !c.begun():
		return io.EOF
	}
	return fmt.Errorf("request not complete in %v", c.server.limits.read)
}

// requestDone lets the next request have time of its own.
func (c *conn) requestDone() {
	c.deadlines.kept = true
	if c.deadlines.reading == request {
		c.deadlines.reading = nothing
	}
}
