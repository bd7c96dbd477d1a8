package httpd

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"ocspcgi/lib/ocsphttp"
)

// serve carries one request to the Handler and its answer back.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	var resp ocsphttp.Response
	if err := ocsphttp.Call(s.ctx, s.Handler, request(r), &resp); err != nil {
		s.log(fmt.Errorf("httpd: %w", err))
	}
	if err := setHeader(w.Header(), string(resp.Header)); err != nil {
		s.log(err)
	}
	w.WriteHeader(resp.Status)
	if len(resp.Body) == 0 {
		return
	}
	_, err := w.Write(resp.Body)
	if hungUp := (*net.OpError)(nil); err != nil && !errors.As(err, &hungUp) {
		s.log(fmt.Errorf("httpd: answer: %w", err))
	}
}

// drainLimit is how much of a body that is too long is still read: a client
// that sends on while the connection is closed may not see the answer.
const drainLimit = 4 << 20

// request reads the body of a POST, the only method with one that counts, and
// keeps at most one byte more than MaxBody of it.
func request(r *http.Request) *ocsphttp.Request {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	req := &ocsphttp.Request{
		Transport:       "http",
		Method:          []byte(r.Method),
		URI:             []byte(r.RequestURI),
		ContentType:     []byte(field(r, "Content-Type")),
		IfNoneMatch:     []byte(field(r, "If-None-Match")),
		IfModifiedSince: []byte(field(r, "If-Modified-Since")),
		Host:            []byte(r.Host),
		RemoteAddr:      []byte(host),
	}
	if r.Method == http.MethodPost {
		req.Body, err = io.ReadAll(io.LimitReader(r.Body, ocsphttp.MaxBody+1))
		if err == nil {
			_, err = io.CopyN(io.Discard, r.Body, drainLimit)
		}
		if errors.Is(err, errLarge) {
			panic(http.ErrAbortHandler) // nothing is wrong with what has come
		}
		req.BodyShort = err != nil && !errors.Is(err, io.EOF)
	}
	return req
}

// field joins the lines of a field to one, as a gateway does (RFC 9110 §5.3).
func field(r *http.Request, name string) string {
	return strings.Join(r.Header[name], ", ")
}

// setHeader sets the field lines on h, and nothing that net/http would guess.
func setHeader(h http.Header, lines string) error {
	h["Content-Type"] = nil
	for line := range strings.Lines(lines) {
		name, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), ": ")
		if !ok {
			return fmt.Errorf("httpd: %q is no header field", line)
		}
		h.Add(name, value)
	}
	return nil
}
