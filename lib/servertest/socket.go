package servertest

import (
	"bufio"
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
	conn, err := net.Dial("unix", r.Socket)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	const begin, params, stdin = 1, 4, 5
	var variables []byte
	for _, v := range [][2]string{{"REQUEST_METHOD", method}, {"REQUEST_URI", uri},
		{"CONTENT_TYPE", requestType}, {"CONTENT_LENGTH", strconv.Itoa(len(body))}} {
		variables = append(variables, byte(len(v[0])), byte(len(v[1])))
		variables = append(append(variables, v[0]...), v[1]...)
	}
	out := record(nil, begin, []byte{0, 1, 0, 0, 0, 0, 0, 0}) // a responder, and no connection kept
	out = record(record(out, params, variables), params, nil)
	out = record(record(out, stdin, body), stdin, nil)
	if _, err := conn.Write(out); err != nil {
		return nil, err
	}
	return stdout(conn)
}

// record appends a record with at most 64 KiB less one.
func record(out []byte, kind byte, content []byte) []byte {
	out = append(out, 1, kind, 0, 1, byte(len(content)>>8), byte(len(content)), 0, 0)
	return append(out, content...)
}

// stdout joins the FCGI_STDOUT records up to FCGI_END_REQUEST.
func stdout(conn io.Reader) (out []byte, err error) {
	const end, stdout = 3, 6
	for in := bufio.NewReader(conn); ; {
		var h [8]byte
		if _, err := io.ReadFull(in, h[:]); err != nil {
			return out, err
		}
		length := int(h[4])<<8 + int(h[5])
		content := make([]byte, length+int(h[6]))
		if _, err := io.ReadFull(in, content); err != nil {
			return out, err
		}
		switch h[1] {
		case stdout:
			out = append(out, content[:length]...)
		case end:
			if length != 8 || content[4] != 0 {
				return out, fmt.Errorf("FCGI_END_REQUEST %x", content)
			}
			if _, err := in.ReadByte(); !errors.Is(err, io.EOF) {
				return out, errors.New("something follows FCGI_END_REQUEST")
			}
			return out, nil
		}
	}
}

// Reload sends SIGHUP.
func (p *Process) Reload() error { return p.cmd.Process.Signal(syscall.SIGHUP) }
