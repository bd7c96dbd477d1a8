package ocsphttp

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/responder"
)

// Handler answers OCSP over HTTP. Its fields are set before the first Serve,
// which is safe for concurrent use.
type Handler struct {
	// Respond answers an OCSPRequest in DER.
	Respond func(ctx context.Context, der []byte) *responder.Answer
	// Page is what people get to see.
	Page Page
	// AnyType takes a POST of whatever Content-Type for a request.
	AnyType bool
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Log is told of each request after it was answered; nil: nobody is. The
	// Record is valid until Log returns.
	Log func(*Record)
}

// Record is what the log says of one request.
type Record struct {
	Request *Request
	Status  int               // HTTP status code
	Answer  *responder.Answer // nil: no OCSP answer but the page, or a 304 of one
	Began   time.Time         // when it had come in
	Now     func() time.Time  // the Handler's clock; nil means time.Now
}

// Took returns the time since the request had come in. It asks the clock, which
// costs as much as a tenth of a kept answer: only who wants to know pays for it.
func (r *Record) Took() time.Duration {
	now := time.Now
	if r.Now != nil {
		now = r.Now
	}
	return now().Sub(r.Began)
}

// errShort is the reason of a malformedRequest.
var errShort = errors.New("the body ended before CONTENT_LENGTH bytes")

// Serve answers req in resp. It is a HandlerFunc; who calls it answers a panic.
func (h *Handler) Serve(ctx context.Context, req *Request, resp *Response) {
	began := req.At
	if began.IsZero() {
		began = h.now()
	}
	answer := h.serve(ctx, req, resp, began)
	if h.Log != nil {
		resp.record = Record{Request: req, Status: resp.Status, Answer: answer, Began: began, Now: h.Now}
		h.Log(&resp.record)
	}
}

func (h *Handler) now() time.Time {
	if h.Now != nil {
		return h.Now()
	}
	return time.Now()
}

func (h *Handler) serve(ctx context.Context, req *Request, resp *Response, now time.Time) *responder.Answer {
	var answer *responder.Answer
	switch string(req.Method) {
	case "GET", "HEAD":
		der, found := requestInPath(req, resp)
		switch found {
		case decoded:
			answer = h.Respond(ctx, der)
		case failed:
			answer = h.respondRepaired(ctx, resp.path)
		default:
			h.page(req, resp, 200, nil, now)
			return nil
		}
	case "POST":
		if h.isForm(req) && len(req.Body) <= MaxBody {
			return h.form(ctx, req, resp, now)
		}
		if status := h.refuse(req); status != 0 {
			h.page(req, resp, status, nil, now)
			return nil
		}
		if req.BodyShort {
			answer = malformed(errShort)
		} else {
			answer = h.Respond(ctx, req.Body)
		}
	default:
		h.page(req, resp, 405, nil, now)
		return nil
	}
	respond(req, resp, answer, now)
	return answer
}

// respondRepaired answers the request that is left of a path whose slashes
// were merged: the one way to read it that names a served issuer. Two such ways
// would be two certificates, and more ways than are tried may have a second one.
func (h *Handler) respondRepaired(ctx context.Context, path []byte) *responder.Answer {
	var only *responder.Answer
	fault := false
	all := repaired(path, func(der []byte) bool {
		answer := h.Respond(ctx, der)
		if answer.Status == ocsp.Unauthorized || answer.Status == ocsp.Malformed {
			return true
		}
		first := only == nil
		only, fault = answer, answer.Status == ocsp.InternalError
		return first && !fault
	})
	if only == nil || !all && !fault {
		return malformed(errors.New("the path of a GET is no request in base64"))
	}
	return only
}

func malformed(err error) *responder.Answer {
	return &responder.Answer{DER: ocsp.MalformedRequestErrorResponse, Status: ocsp.Malformed, Err: err}
}

// isType reports whether a Content-Type is that media type (RFC 6960 A.1.1).
// Letter case and parameters do not matter; of a field that came twice, and was
// joined on the way, the first counts.
func isType(contentType []byte, media string) bool {
	if string(contentType) == media { // as nearly all write it
		return true
	}
	if i := bytes.IndexAny(contentType, ";,"); i >= 0 {
		contentType = contentType[:i]
	}
	return bytes.EqualFold(bytes.TrimSpace(contentType), []byte(media))
}

// refuse returns the HTTP status of a POST that is not looked at, or 0.
func (h *Handler) refuse(req *Request) int {
	switch {
	case len(req.Body) > MaxBody:
		return 413
	case !h.AnyType && !isType(req.ContentType, "application/ocsp-request"):
		return 415
	}
	return 0
}

// respond turns an OCSP answer into an HTTP one: always 200, for clients lose
// an OCSPResponse behind any other status (but a 304 has none).
func respond(req *Request, resp *Response, answer *responder.Answer, now time.Time) {
	resp.Status, resp.Body = 200, answer.DER
	get := string(req.Method) != "POST"
	if answer.Keepable() && get && notModified(req, answer) {
		resp.Status, resp.Body = 304, nil
	}
	age := int64(answer.Renewal.Sub(now) / time.Second)
	cacheable := answer.Keepable() && age > 0
	h := appendCaching(appendDate(resp.Header[:0], "Date: ", now), cacheable, age)
	switch {
	case resp.Status == 304 && cacheable:
		h = appendValidators(h, answer)
	case resp.Status == 304:
	case !cacheable:
		h = appendContent(h, answer)
	case len(answer.Fields) > 0: // the fast path, with what Fields has made
		h = append(h, answer.Fields...)
	default:
		h = appendValidators(appendContent(h, answer), answer)
	}
	resp.Header = h
	if string(req.Method) == "HEAD" {
		resp.Body = nil
	}
}

// Fields returns the header of an answer that stays as it is as long as the
// answer is kept, for its Fields.
func Fields(answer *responder.Answer) []byte {
	return appendValidators(appendContent(nil, answer), answer)
}

func appendContent(h []byte, answer *responder.Answer) []byte {
	h = append(h, "Content-Type: application/ocsp-response\r\nContent-Length: "...)
	h = strconv.AppendInt(h, int64(len(answer.DER)), 10)
	return append(h, "\r\n"...)
}

// appendCaching says how long an answer may be kept (RFC 9919 §6, §7.2): until
// the responder has a newer one. What is not signed, and what has a nonce,
// is for nobody else.
func appendCaching(h []byte, cacheable bool, age int64) []byte {
	if !cacheable {
		return append(h, "Cache-Control: no-store\r\n"...)
	}
	h = append(h, "Cache-Control: max-age="...)
	h = strconv.AppendInt(h, age, 10)
	return append(h, ", public, no-transform, must-revalidate\r\n"...)
}

// appendValidators says which answer it is; one that may not be kept has none.
func appendValidators(h []byte, answer *responder.Answer) []byte {
	h = append(h, "ETag: "...)
	h = append(h, answer.ETag...)
	h = append(h, "\r\n"...)
	h = appendDate(h, "Expires: ", answer.NextUpdate)
	return appendDate(h, "Last-Modified: ", answer.ThisUpdate)
}

// notModified reports whether the client has the answer already (RFC 9110
// §13.1). If-None-Match is the one that counts where both are there. A date alone
// has to be that of this very answer, for thisUpdate lies before the answer was
// made: one that was made before a revocation may have come after it. And of two
// answers with the same date the client may have the one that says good.
func notModified(req *Request, answer *responder.Answer) bool {
	if len(req.IfNoneMatch) > 0 {
		return etagMatches(req.IfNoneMatch, answer.ETag)
	}
	notGood := func(cert responder.Cert) bool { return cert.Status != "good" }
	if len(req.IfModifiedSince) == 0 || slices.ContainsFunc(answer.Certs, notGood) {
		return false
	}
	since, err := time.Parse(httpDate, string(req.IfModifiedSince))
	return err == nil && since.Equal(answer.ThisUpdate)
}

// etagMatches compares weakly, as If-None-Match does (RFC 9110 §13.1.2).
func etagMatches(list []byte, etag string) bool {
	for field := range bytes.SplitSeq(list, []byte(",")) {
		field = bytes.TrimSpace(field)
		if string(field) == "*" || string(bytes.TrimPrefix(field, []byte("W/"))) == etag {
			return true
		}
	}
	return false
}
