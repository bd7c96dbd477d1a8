package fcgi_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"ocspcgi/fcgi"
	"ocspcgi/lib/ocsphttp"
)

// Record types and values, written down again from the specification so that
// the tests do not agree with the codec by sharing its numbers.
const (
	begin, abort, end, params, stdin, stdout, stderr, data = 1, 2, 3, 4, 5, 6, 7, 8

	getValues, getValuesResult, unknownType = 9, 10, 11

	responder, authorizer, filter = 1, 2, 3

	complete, cantMultiplex, overloaded, unknownRole = 0, 1, 2, 3
)

// wire is what a web server sends, built record by record.
type wire []byte

func (w wire) record(kind byte, id uint16, content []byte, padding int) wire {
	w = append(w, 1, kind, byte(id>>8), byte(id), byte(len(content)>>8), byte(len(content)), byte(padding), 0)
	return append(append(w, content...), bytes.Repeat([]byte{0xAA}, padding)...)
}

func (w wire) begin(id uint16, role byte, keep byte) wire {
	return w.record(begin, id, []byte{0, role, keep, 0, 0, 0, 0, 0}, 0)
}

// params writes the whole PARAMS stream with its end.
func (w wire) params(id uint16, pairs ...string) wire {
	return w.record(params, id, nameValues(pairs...), 0).record(params, id, nil, 0)
}

// stdin writes the whole STDIN stream with its end.
func (w wire) stdin(id uint16, body []byte) wire {
	for chunk := range slices.Chunk(body, 65535) {
		w = w.record(stdin, id, chunk, 0)
	}
	return w.record(stdin, id, nil, 0)
}

func (w wire) abort(id uint16) wire { return w.record(abort, id, nil, 0) }

// get is a whole GET.
func (w wire) get(id uint16, keep byte, uri string) wire {
	return w.begin(id, responder, keep).
		params(id, "REQUEST_METHOD", "GET", "REQUEST_URI", uri, "CONTENT_LENGTH", "").stdin(id, nil)
}

// post is a whole POST.
func (w wire) post(id uint16, keep byte, body []byte) wire {
	return w.begin(id, responder, keep).params(id, posting(len(body))...).stdin(id, body)
}

func posting(contentLength any) []string {
	return []string{"REQUEST_METHOD", "POST", "REQUEST_URI", "/ocsp", "CONTENT_TYPE",
		"application/ocsp-request", "CONTENT_LENGTH", fmt.Sprint(contentLength)}
}

// nameValues encodes names and values, with lengths of four bytes from 128 on.
func nameValues(pairs ...string) (out []byte) {
	length := func(s string) {
		if len(s) < 128 {
			out = append(out, byte(len(s)))
			return
		}
		out = binary.BigEndian.AppendUint32(out, uint32(len(s))|1<<31)
	}
	for i := 0; i < len(pairs); i += 2 {
		length(pairs[i])
		length(pairs[i+1])
		out = append(append(out, pairs[i]...), pairs[i+1]...)
	}
	return out
}

// answered is one record of an application.
type answered struct {
	kind    byte
	id      uint16
	content string
}

func readRecord(r io.Reader) (answered, error) {
	var h [8]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return answered{}, err
	}
	if h[0] != 1 || h[7] != 0 {
		return answered{}, fmt.Errorf("header % x", h)
	}
	size := int(binary.BigEndian.Uint16(h[4:]))
	body := make([]byte, size+int(h[6]))
	if _, err := io.ReadFull(r, body); err != nil {
		return answered{}, fmt.Errorf("content of % x: %w", h, io.ErrUnexpectedEOF)
	}
	return answered{h[1], binary.BigEndian.Uint16(h[2:]), string(body[:size])}, nil
}

// readAll reads records to the end of r, which must not cut one.
func readAll(tb testing.TB, r io.Reader) (all []answered) {
	tb.Helper()
	for {
		rec, err := readRecord(r)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			tb.Fatalf("after %d records: %v", len(all), err)
		}
		all = append(all, rec)
	}
}

func ended(id uint16, status byte) answered {
	return answered{end, id, string([]byte{0, 0, 0, 0, status, 0, 0, 0})}
}

// answer is what is expected for a request that is described as text.
func answer(id uint16, text string) []answered {
	return []answered{{stdout, id, page(text)}, {stdout, id, ""}, ended(id, complete)}
}

func page(text string) string {
	return fmt.Sprintf("Status: 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
}

// describe answers with what the request was.
func describe(_ context.Context, req *ocsphttp.Request, resp *ocsphttp.Response) {
	text := fmt.Sprintf("%s %s %d", req.Method, req.URI, len(req.Body))
	if req.BodyShort {
		text += " short"
	}
	resp.Status = 200
	resp.Header = fmt.Appendf(resp.Header[:0], "Content-Length: %d\r\n", len(text))
	resp.Body = []byte(text)
}

// start serves s on a unix socket until the test ends.
func start(tb testing.TB, s *fcgi.Server) (path string) {
	tb.Helper()
	dir, err := os.MkdirTemp("", "fcgi")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { os.RemoveAll(dir) })
	path = filepath.Join(dir, "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		tb.Fatal(err)
	}
	serveOn(tb, s, l)
	return path
}

func serveOn(tb testing.TB, s *fcgi.Server, l net.Listener) {
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			tb.Errorf("Shutdown: %v", err)
		}
		if err := <-done; err != nil {
			tb.Errorf("Serve: %v", err)
		}
	})
}

// prober is a web server that says what it is told to.
type prober struct {
	tb testing.TB
	net.Conn
	r *bufio.Reader
}

func probe(tb testing.TB, path string) *prober {
	tb.Helper()
	return dial(tb, &net.UnixAddr{Net: "unix", Name: path})
}

func dial(tb testing.TB, addr net.Addr) *prober {
	tb.Helper()
	c, err := net.Dial(addr.Network(), addr.String())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		tb.Fatal(err)
	}
	return &prober{tb, c, bufio.NewReader(c)}
}

func (p *prober) send(w wire) {
	p.tb.Helper()
	if _, err := p.Write(w); err != nil {
		p.tb.Fatal(err)
	}
}

// want reads as many records as there are expected, and compares them.
func (p *prober) want(expected ...answered) {
	p.tb.Helper()
	for i, e := range expected {
		got, err := readRecord(p.r)
		if err != nil {
			p.tb.Fatalf("record %d: %v, want %+v", i, err, e)
		}
		if got != e {
			p.tb.Fatalf("record %d: %+v\nwant %+v", i, got, e)
		}
	}
}

// wantClosed expects the connection to end without another byte.
func (p *prober) wantClosed() {
	p.tb.Helper()
	rest, err := io.ReadAll(p.r)
	if err != nil || len(rest) > 0 {
		p.tb.Fatalf("%q, %v at the end, want nothing and EOF", rest, err)
	}
}

// wantOpen expects that another request is answered on the connection.
func (p *prober) wantOpen() {
	p.tb.Helper()
	p.send(wire{}.get(0x0F0F, 1, "/still"))
	p.want(answer(0x0F0F, "GET /still 0")...)
}
