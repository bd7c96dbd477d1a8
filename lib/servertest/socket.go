package servertest

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"syscall"
	"time"
)

// Ask sends one request straight to the FastCGI socket, on a connection of its
// own (FastCGI 1.0 §6.2), and returns what came on FCGI_STDOUT: header fields, an
// empty line, the body. It is safe for concurrent use.
func (r *Responder) Ask(method, uri string, body []byte) ([]byte, error) {
	c, err := r.Dial()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if _, err := c.Write(Records(method, uri, body, false)); err != nil {
		return nil, err
	}
	out, err := c.Stdout()
	if err != nil {
		return out, err
	}
	if _, err := c.in.ReadByte(); !errors.Is(err, io.EOF) {
		return out, errors.New("something follows FCGI_END_REQUEST")
	}
	return out, nil
}

// Conn is a connection to the FastCGI socket.
type Conn struct {
	net.Conn
	in *bufio.Reader
}

// Dial connects to the FastCGI socket. Whoever uses the connection for longer than
// one request sets its deadline.
func (r *Responder) Dial() (*Conn, error) {
	conn, err := net.Dial("unix", r.Socket)
	if err != nil {
		return nil, err
	}
	return &Conn{conn, bufio.NewReader(conn)}, conn.SetDeadline(time.Now().Add(patience))
}

// Records are those of one request, which has the connection kept or not.
func Records(method, uri string, body []byte, keep bool) []byte {
	const begin, params, stdin = 1, 4, 5
	var variables []byte
	for _, v := range [][2]string{{"REQUEST_METHOD", method}, {"REQUEST_URI", uri},
		{"CONTENT_TYPE", requestType}, {"CONTENT_LENGTH", strconv.Itoa(len(body))}} {
		variables = binary.BigEndian.AppendUint32(append(variables, byte(len(v[0]))), uint32(len(v[1]))|1<<31)
		variables = append(append(variables, v[0]...), v[1]...)
	}
	role := []byte{0, 1, 0, 0, 0, 0, 0, 0} // a responder, and no connection kept
	if keep {
		role[2] = 1
	}
	out := record(nil, begin, role)
	out = record(record(out, params, variables), params, nil)
	for len(body) > 0 {
		n := min(len(body), 32<<10)
		out, body = record(out, stdin, body[:n]), body[n:]
	}
	return record(out, stdin, nil)
}

// record appends a record with at most 64 KiB less one.
func record(out []byte, kind byte, content []byte) []byte {
	out = append(out, 1, kind, 0, 1, byte(len(content)>>8), byte(len(content)), 0, 0)
	return append(out, content...)
}

// Stdout joins the FCGI_STDOUT records up to FCGI_END_REQUEST.
func (c *Conn) Stdout() (out []byte, err error) {
	const end, stdout = 3, 6
	for {
		var h [8]byte
		if _, err := io.ReadFull(c.in, h[:]); err != nil {
			return out, err
		}
		length := int(h[4])<<8 + int(h[5])
		content := make([]byte, length+int(h[6]))
		if _, err := io.ReadFull(c.in, content); err != nil {
			return out, err
		}
		switch h[1] {
		case stdout:
			out = append(out, content[:length]...)
		case end:
			if length != 8 || content[4] != 0 {
				return out, fmt.Errorf("FCGI_END_REQUEST %x", content)
			}
			return out, nil
		}
	}
}

// Reload sends SIGHUP.
func (p *Process) Reload() error { return p.cmd.Process.Signal(syscall.SIGHUP) }
