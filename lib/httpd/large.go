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

	// patience is how long one more waits for one of them to be answered.
	patience = time.Second
)

var errLarge = fmt.Errorf("%d requests of more than %d bytes are being read already", maxLarge, small)

// listener counts what its connections read.
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

// conn needs a place to read more of a request than a small one has. net/http
// reads in one goroutine at a time, and in none while it tells of a state.
type conn struct {
	net.Conn
	listener *listener
	read     int // since the last answer
	large    bool
	refused  error
}

// Read has who finds no place wait for one, and then gives up.
func (c *conn) Read(b []byte) (int, error) {
	if c.refused != nil { // net/http asks again where a line had begun
		return 0, c.refused
	}
	if c.read < small {
		b = b[:min(len(b), small-c.read)]
	} else if !c.large {
		select {
		case c.listener.large <- struct{}{}:
			c.large = true
		case <-time.After(patience):
			// net/http closes on it without an answer.
			c.refused = &net.OpError{Op: "read", Net: c.RemoteAddr().Network(), Addr: c.RemoteAddr(), Err: errLarge}
			c.listener.log(fmt.Errorf("httpd: connection closed: %w", c.refused))
			return 0, c.refused
		}
	}
	n, err := c.Conn.Read(b)
	c.read += n
	return n, err
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
