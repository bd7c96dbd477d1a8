package fcgi

import (
	"fmt"
	"runtime/debug"

	"ocspcgi/lib/ocsphttp"
)

// exchange is what a connection borrows from the Server while it answers, so
// that an idle one holds none of it.
type exchange struct {
	resp ocsphttp.Response
	out  []byte // whole records, not yet written
}

// answer calls the Handler and appends its answer to x.out: STDOUT, its end,
// and END_REQUEST (§6.2).
func (s *Server) answer(x *exchange, id uint16, req *ocsphttp.Request) {
	s.handle(req, &x.resp)
	start := len(x.out)
	x.out = append(x.out, make([]byte, headerLen)...)
	x.out = closeStdout(x.resp.AppendCGI(x.out), start, id)
	x.out = appendEnd(x.out, id, statusRequestComplete)
}

// handle calls the Handler, and answers internalError in its place when it
// panics.
func (s *Server) handle(req *ocsphttp.Request, resp *ocsphttp.Response) {
	defer func() {
		if v := recover(); v != nil {
			internalError(req, resp)
			s.log(fmt.Errorf("fcgi: panic while answering: %v\n%s", v, debug.Stack()))
		}
	}()
	s.Handler(s.ctx, req, resp)
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

// borrow returns an exchange that has nothing to write.
func (s *Server) borrow() *exchange {
	if x, ok := s.exchanges.Get().(*exchange); ok {
		return x
	}
	return new(exchange)
}

// giveBack takes x for the next borrower, unless it has grown.
func (s *Server) giveBack(x *exchange) {
	if cap(x.out) > outputLimit {
		return
	}
	x.resp.Body = nil
	x.out = x.out[:0]
	s.exchanges.Put(x)
}
