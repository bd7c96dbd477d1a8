package httpd

import (
	"fmt"
	"net"
	"time"
)

const (
	// small is what each request may take: room for a question about one
	// certificate, with all that a browser sends along.
	small = 2 << 10

	// maxLarge is how many requests may be larger than that at the same time.
	// net/http makes 2 MiB of a header that is all names of fields.
	maxLarge = 64

	// bufferSize is what net/http reads into.
	bufferSize = 4 << 10

	// patience is how long one more waits for one of them to be answered.
	patience = time.Second
)

var errLarge = fmt.Errorf("%d requests of more than %d bytes are being read already", maxLarge, small)

// listener has few of its connections read large requests at the same time.
type listener struct {
	net.Listener
	large chan struct{} // places for large requests
	log   func(error)
}

func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, listener: l}, nil
}

// conn needs a place to read more of a request than a small one has.
type conn struct {
	net.Conn
	listener *listener
	read     int   // of this request
	large    bool  // it has a place
	refused  error // it has found none
}

// Read has who finds no place wait for one, and then closes.
func (c *conn) Read(b []byte) (int, error) {
	switch {
	case len(b) == 1: // net/http looks who hangs up, beside all else and perhaps after StateClosed
		return c.Conn.Read(b)
	case c.refused != nil: // net/http asks again where a line had begun
		return 0, c.refused
	case c.read == 0: // but for what the buffer of net/http has of this request already
		c.read = max(0, bufferSize-len(b))
	}
	b = b[:min(len(b), small)]
	if c.read < small {
		b = b[:min(len(b), small-c.read)]
	} else if !c.large {
		if err := c.enlarge(); err != nil {
			return 0, err
		}
	}
	n, err := c.Conn.Read(b)
	c.read += n
	return n, err
}

// enlarge takes a place. Who finds none is closed here: net/http would take what has
// come for half a request, and say that it is a bad one.
func (c *conn) enlarge() error {
	select {
	case c.listener.large <- struct{}{}:
		c.large = true
		return nil
	case <-time.After(patience):
	}
	c.refused = &net.OpError{Op: "read", Net: c.RemoteAddr().Network(), Addr: c.RemoteAddr(), Err: errLarge}
	c.listener.log(fmt.Errorf("httpd: connection closed: %w", c.refused))
	c.Conn.Close()
	return c.refused
}

// answered gives the place back.
func (c *conn) answered() {
	if c.large {
		<-c.listener.large
	}
	c.read, c.large = 0, false
}

// CloseWrite is what net/http has an error read by, before it closes on a client
// that is still sending.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
