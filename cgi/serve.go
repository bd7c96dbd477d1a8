// Package cgi carries the one request of a CGI process (RFC 3875).
package cgi

import (
	"context"
	"errors"
	"fmt"
	"io"

	"ocspcgi/lib/ocsphttp"
)

// drainLimit is how much of a body that is too long is still taken off stdin.
const drainLimit = 4 << 20

// Invoked tells whether the environment is that of a CGI program (RFC 3875
// §4.1). The arguments are the client's then (§4.4), not to be looked at. A
// FastCGI program may have such an environment as well: its fd 0 listens.
func Invoked(getenv func(string) string) bool {
	return getenv("GATEWAY_INTERFACE") != "" || getenv("REQUEST_METHOD") != ""
}

// Serve answers the request that the environment and stdin hold with one write
// to stdout. It reads no further than CONTENT_LENGTH, and takes the whole body
// off stdin before it returns: where stdin and stdout are one socket, as under
// Apache's mod_cgid, unread bytes reset it and the answer is cut off.
//
// The error is for the log alone, and may join several: a panic of handler,
// which is answered with internalError, stdin that could not be read, stdout
// that could not be written. That last one is EPIPE when the client has left,
// if the process ignores SIGPIPE; it dies of that signal otherwise.
func Serve(ctx context.Context, getenv func(string) string, stdin io.Reader, stdout io.Writer,
	handler ocsphttp.HandlerFunc) error {
	req := request(getenv)
	body, readErr := readBody(req, getenv("CONTENT_LENGTH"), stdin)
	var resp ocsphttp.Response
	handleErr := ocsphttp.Call(ctx, handler, req, &resp)
	_, writeErr := stdout.Write(resp.AppendCGI(nil))
	_, drainErr := io.CopyN(io.Discard, body, drainLimit)
	if errors.Is(drainErr, io.EOF) {
		drainErr = nil
	}
	return errors.Join(fault("handler", handleErr), fault("body", readErr), fault("answer", writeErr), fault("rest of the body", drainErr))
}

func fault(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("cgi: %s: %w", what, err)
}

// request reads the meta-variables, each of which may be absent.
func request(getenv func(string) string) *ocsphttp.Request {
	req := &ocsphttp.Request{Transport: "cgi"}
	for _, name := range ocsphttp.Variables() {
		req.SetVariable([]byte(name), []byte(getenv(name)))
	}
	return req
}

// readBody reads the body of a POST, the only method with one that counts, and
// returns the rest of it.
func readBody(req *ocsphttp.Request, contentLength string, stdin io.Reader) (rest io.Reader, err error) {
	post := string(req.Method) == "POST"
	length, ok := ocsphttp.BodyLength([]byte(contentLength))
	want := int64(ocsphttp.MaxBody + 1)
	switch {
	case !ok:
		req.BodyShort = post
		return io.LimitReader(stdin, 0), nil
	case length >= 0:
		want = min(want, length)
		rest = io.LimitReader(stdin, length)
	case post:
		rest = stdin
	default:
		rest = io.LimitReader(stdin, 0)
	}
	if !post {
		return rest, nil
	}
	req.Body, err = io.ReadAll(io.LimitReader(rest, want))
	req.BodyShort = err != nil || length >= 0 && int64(len(req.Body)) < want
	return rest, err
}
