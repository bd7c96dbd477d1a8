package fcgi

import (
	"fmt"

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
	if err := ocsphttp.Call(s.ctx, s.Handler, req, &x.resp); err != nil {
		s.log(fmt.Errorf("fcgi: %w", err))
	}
	start := len(x.out)
	x.out = append(x.out, make([]byte, headerLen)...)
	x.out = closeStdout(x.resp.AppendCGI(x.out), start, id)
	x.out = appendEnd(x.out, id, statusRequestComplete)
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
