package fcgi

import (
	"encoding/binary"
	"errors"
	"strconv"

	"ocspcgi/lib/ocsphttp"
)

const (
	maxParams   = 256 << 10 // of one request
	outputLimit = 64 << 10  // answers are written before they are much more
)

var (
	errBegin       = errors.New("BEGIN_REQUEST of another length than 8")
	errBeginActive = errors.New("BEGIN_REQUEST for a request that is under way")
	errParamsLate  = errors.New("PARAMS after the end of PARAMS")
	errStdinEarly  = errors.New("STDIN before the end of PARAMS")
)

// stage is how far the request of a connection has come.
type stage uint8

const (
	between stage = iota // none is under way
	inParams
	inStdin
)

// begun tells whether a request, or a part of a record, has come in.
func (c *conn) begun() bool { return c.stage != between || c.in.pending() }

// output returns what is to be written, to append to.
func (c *conn) output() *[]byte {
	if c.x == nil {
		c.x = c.server.borrow()
	}
	return &c.x.out
}

// take does what one record asks for. An error is a fault of the protocol,
// after which the connection cannot go on.
func (c *conn) take(rec record) error {
	switch {
	case rec.id == 0:
		return c.manage(rec)
	case rec.kind == typeBeginRequest:
		return c.begin(rec)
	case c.stage == between || rec.id != c.id:
		return nil
	}
	switch rec.kind {
	case typeParams:
		return c.takeParams(rec.span)
	case typeStdin:
		return c.takeStdin(rec.span)
	case typeAbortRequest:
		c.end(statusRequestComplete)
	}
	return nil
}

// manage answers a management record (§4).
func (c *conn) manage(rec record) error {
	out := c.output()
	if rec.kind != typeGetValues {
		content := [8]byte{rec.kind}
		*out = appendRecord(*out, typeUnknownType, 0, content[:])
		return nil
	}
	asked := make(map[string]bool)
	for b := c.in.bytes(rec.span); len(b) > 0; {
		name, _, rest, ok := nextPair(b)
		if !ok {
			return errParams
		}
		asked[string(name)] = true
		b = rest
	}
	limit := strconv.Itoa(c.server.limits.conns)
	var values []byte
	for _, known := range [...][2]string{
		{"FCGI_MAX_CONNS", limit}, {"FCGI_MAX_REQS", limit}, {"FCGI_MPXS_CONNS", "0"},
	} {
		if asked[known[0]] {
			values = appendPair(values, known[0], known[1])
		}
	}
	*out = appendRecord(*out, typeGetValuesResult, 0, values)
	return nil
}

// begin starts a request (§5.1), or says why not.
func (c *conn) begin(rec record) error {
	body := c.in.bytes(rec.span)
	switch {
	case len(body) != beginLen:
		return errBegin
	case c.stage != between && rec.id == c.id:
		return errBeginActive
	case c.stage != between:
		out := c.output()
		*out = appendEnd(*out, rec.id, statusCantMpxConn)
		return nil
	}
	c.stage, c.id, c.ended = inParams, rec.id, false
	c.keep = body[2]&flagKeepConn != 0
	switch {
	case c.refuse:
		c.overload()
	case binary.BigEndian.Uint16(body) != roleResponder:
		c.end(statusUnknownRole)
	}
	return nil
}

func (c *conn) takeParams(content span) error {
	switch {
	case c.stage != inParams:
		return errParamsLate
	case content.len() == 0:
		return c.endParams()
	case c.in.params.len()+content.len() > maxParams:
		c.overload()
		return nil
	}
	c.in.extend(&c.in.params, content)
	return nil
}

// endParams finds out what body to wait for. Only POST has one that counts:
// all else is answered at once.
func (c *conn) endParams() error {
	c.stage = inStdin
	contentLength, err := c.readParams()
	if err != nil || string(c.req.Method) != "POST" {
		return c.respond(false, err)
	}
	length, ok := ocsphttp.BodyLength(contentLength)
	if !ok || length == 0 {
		return c.respond(!ok, nil)
	}
	c.exact = length != ocsphttp.UntilEnd
	c.want = ocsphttp.MaxBody + 1
	if c.exact && length < int64(c.want) {
		c.want = int(length)
	}
	return nil
}

// readParams fills c.req with pieces of the buffer as it lies now.
func (c *conn) readParams() (contentLength []byte, err error) {
	c.in.moved = false
	return readParams(c.in.bytes(c.in.params), &c.req)
}

func (c *conn) takeStdin(content span) error {
	if c.stage != inStdin {
		return errStdinEarly
	}
	if content.len() == 0 {
		c.ended = true
		return c.respond(c.exact, nil)
	}
	content.to = min(content.to, content.from+c.want-c.in.body.len())
	c.in.extend(&c.in.body, content)
	if c.in.body.len() < c.want {
		return nil
	}
	return c.respond(false, nil)
}

// respond answers the request whose body ended short of CONTENT_LENGTH or
// not, unless its PARAMS are faulty or its ABORT_REQUEST is here already.
func (c *conn) respond(short bool, err error) error {
	if err == nil && c.in.moved {
		_, err = c.readParams()
	}
	if err != nil {
		return err
	}
	if c.ahead(typeAbortRequest) {
		c.end(statusRequestComplete)
		return nil
	}
	c.req.Transport, c.req.At = "fcgi", c.now
	c.req.Body = c.in.bytes(c.in.body)
	c.req.BodyShort = short
	out := c.output()
	c.server.answer(c.x, c.id, &c.req)
	c.release()
	if len(*out) < outputLimit {
		return nil
	}
	return c.flush(c.server.now())
}

// end ends the request without an answer.
func (c *conn) end(protocolStatus uint8) {
	out := c.output()
	*out = appendEnd(*out, c.id, protocolStatus)
	c.release()
}

// overload ends the request, and the connection with it.
func (c *conn) overload() {
	c.end(statusOverloaded)
	c.last = true
}

// release lets go of the request, which has had its END_REQUEST.
func (c *conn) release() {
	c.stage = between
	c.in.release()
	c.req = ocsphttp.Request{}
	c.last = !c.keep
	c.requestDone()
}
