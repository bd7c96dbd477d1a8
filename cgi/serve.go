// Package cgi carries the one request of a CGI process (RFC 3875).
package cgi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"

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
	handler func(context.Context, *ocsphttp.Request, *ocsphttp.Response)) error {
	req := request(getenv)
	body, readErr := readBody(req, getenv("CONTENT_LENGTH"), stdin)
	var resp ocsphttp.Response
	handleErr := handle(ctx, handler, req, &resp)
	_, writeErr := stdout.Write(resp.AppendCGI(nil))
	_, drainErr := io.CopyN(io.Discard, body, drainLimit)
	if errors.Is(drainErr, io.EOF) {
		drainErr = nil
	}
	return errors.Join(handleErr, fault("body", readErr), fault("answer", writeErr), fault("rest of the body", drainErr))
}

func fault(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("cgi: %s: %w", what, err)
}

// request reads the meta-variables, each of which may be absent.
func request(getenv func(string) string) *ocsphttp.Request {
	return &ocsphttp.Request{
		Transport:       "cgi",
		Method:          []byte(getenv("REQUEST_METHOD")),
		URI:             []byte(getenv("REQUEST_URI")),
		ScriptName:      []byte(getenv("SCRIPT_NAME")),
		PathInfo:        []byte(getenv("PATH_INFO")),
		ContentType:     []byte(getenv("CONTENT_TYPE")),
		IfNoneMatch:     []byte(getenv("HTTP_IF_NONE_MATCH")),
		IfModifiedSince: []byte(getenv("HTTP_IF_MODIFIED_SINCE")),
		RemoteAddr:      []byte(getenv("REMOTE_ADDR")),
	}
}

// readBody reads the body of a POST, the only method with one that counts, and
// returns the rest of it.
func readBody(req *ocsphttp.Request, contentLength string, stdin io.Reader) (rest io.Reader, err error) {
	post := string(req.Method) == "POST"
	length, ok := bodyLength(contentLength)
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

// handle calls handler, and answers internalError in its place when it panics.
func handle(ctx context.Context, handler func(context.Context, *ocsphttp.Request, *ocsphttp.Response),
	req *ocsphttp.Request, resp *ocsphttp.Response) (err error) {
	defer func() {
		if v := recover(); v != nil {
			internalError(req, resp)
			err = fmt.Errorf("cgi: panic while answering: %v\n%s", v, debug.Stack())
		}
	}()
	handler(ctx, req, resp)
	return nil
}

// internalError makes resp the OCSPResponse internalError (RFC 6960 §4.2.1).
func internalError(req *ocsphttp.Request, resp *ocsphttp.Response) {
	resp.Status = 200
	resp.Header = append(resp.Header[:0], "Content-Type: application/ocsp-response\r\n"+
		"Cache-Control: no-store\r\n"+
		"Content-Length: 5\r\n"...)
	resp.Body = nil
	if string(req.Method) != "HEAD" {
		resp.Body = []byte{0x30, 0x03, 0x0a, 0x01, 0x02}
	}
}
