// Package ocsphttp knows the rules of OCSP over HTTP (RFC 6960 appendix A,
// RFC 9919).
package ocsphttp

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"
)

// MaxBody is the size in bytes of the largest request body that is answered.
// A transport reads at most one byte more and leaves the 413 to the Handler.
const MaxBody = 64 << 10

// Request is one HTTP request as a transport received it. The byte slices may
// point into the transport's buffers: they are valid until Serve returns.
type Request struct {
	Transport string    // "cgi", "fcgi" or "http", for the log
	At        time.Time // when it had come in; zero: the Handler asks its clock

	Method          []byte
	URI             []byte // REQUEST_URI to the byte, origin or absolute form; empty where the transport has none
	ScriptName      []byte // with PathInfo the fallback where URI is empty or rewritten
	PathInfo        []byte
	ContentType     []byte
	IfNoneMatch     []byte
	IfModifiedSince []byte
	Host            []byte // for the page alone; a client writes it
	RemoteAddr      []byte // for the log alone

	Body      []byte // at most MaxBody+1 bytes
	BodyShort bool   // the body ended before the CONTENT_LENGTH that was announced
}

// Response is the answer to one Request. A transport may use one Response
// again and again: Serve resets it, and Header keeps its room.
type Response struct {
	Status int    // HTTP status code
	Header []byte // field lines, each ended by CRLF; no Status, no empty line
	Body   []byte // read-only; empty for HEAD and 304

	path, decoded []byte // room to decode a GET in
	record        Record // room for what the log is told
}

// HandlerFunc answers req in resp. It may be called for several requests at once.
type HandlerFunc func(ctx context.Context, req *Request, resp *Response)

// Call has handler answer req. A panic is answered with internalError (RFC 6960
// §4.2.1) and is the error, with its stack, for the log.
func Call(ctx context.Context, handler HandlerFunc, req *Request, resp *Response) (err error) {
	defer func() {
		if p := recover(); p != nil {
			internalError(req, resp)
			err = fmt.Errorf("panic while answering: %v\n%s", p, debug.Stack())
		}
	}()
	handler(ctx, req, resp)
	return nil
}

// internalError needs nothing that may be broken.
func internalError(req *Request, resp *Response) {
	resp.Status = 200
	resp.Header = append(resp.Header[:0], "Content-Type: application/ocsp-response\r\n"+
		"Cache-Control: no-store\r\n"+
		"Content-Length: 5\r\n"...)
	resp.Body = nil
	if string(req.Method) != "HEAD" {
		resp.Body = []byte{0x30, 0x03, 0x0a, 0x01, 0x02}
	}
}

// AppendCGI appends the response as a CGI program writes it (RFC 3875 §6.2):
// Status first, then the other fields, an empty line and the body.
func (r *Response) AppendCGI(dst []byte) []byte {
	dst = append(dst, "Status: "...)
	dst = append(dst, byte('0'+r.Status/100%10), byte('0'+r.Status/10%10), byte('0'+r.Status%10), ' ')
	dst = append(dst, reasonPhrase(r.Status)...)
	dst = append(dst, "\r\n"...)
	dst = append(dst, r.Header...)
	dst = append(dst, "\r\n"...)
	return append(dst, r.Body...)
}

// reasonPhrase names the status codes that a Handler answers with.
func reasonPhrase(status int) string {
	switch status {
	case 200:
		return "OK"
	case 304:
		return "Not Modified"
	case 405:
		return "Method Not Allowed"
	case 413:
		return "Content Too Large"
	case 415:
		return "Unsupported Media Type"
	}
	return "Unspecified"
}
