// Package admin shows operators how the responder is.
package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"ocspcgi/lib/metrics"
	"ocspcgi/lib/ocsphttp"
	"ocspcgi/lib/responder"
)

// Admin answers operators and their programs over HTTP, on a listener of its
// own: it knows no OCSP. The exported fields are set before Serve, which is safe
// for concurrent use.
type Admin struct {
	Metrics *metrics.Metrics // with its Keeper
	// Ending tells that the process is about to end, and is not ready any more;
	// nil: it never is.
	Ending func() bool
	// Loopback is the host by which an address that this machine alone reaches was
	// named. Who asks for another name than that one and localhost is refused: it is
	// a page from elsewhere, read in a browser here, whose name has been made to
	// point here (DNS rebinding). Empty: every name is answered.
	Loopback string
	// Log is told of a panic; nil: nobody is.
	Log func(error)

	mu     sync.Mutex
	proofs map[*responder.Issuer]proof
}

// reply is what a path is answered with.
type reply struct {
	status int
	typ    string
	body   string
}

const plain = "text/plain; charset=utf-8"

// Serve answers a GET or HEAD of a path. It is an [ocsphttp.HandlerFunc], for a
// server that passes on whatever it gets.
func (a *Admin) Serve(_ context.Context, req *ocsphttp.Request, resp *ocsphttp.Response) {
	r := reply{405, plain, "GET or HEAD\n"}
	if method := string(req.Method); !a.meant(string(req.Host)) {
		r = a.misdirected()
	} else if method == "GET" || method == "HEAD" {
		path, _, _ := strings.Cut(string(req.URI), "?")
		r = a.guarded(path)
	}
	resp.Status = r.status
	resp.Header = append(resp.Header[:0], "Content-Type: "+r.typ+"\r\nContent-Length: "+strconv.Itoa(len(r.body))+"\r\n"+
		"Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"+
		"Content-Security-Policy: "+ocsphttp.PagePolicy(style())+"\r\n"...)
	if r.status == 405 {
		resp.Header = append(resp.Header, "Allow: GET, HEAD\r\n"...)
	}
	resp.Body = nil
	if string(req.Method) != "HEAD" {
		resp.Body = []byte(r.body)
	}
}

// guarded answers a panic in words: whoever calls Serve would do so in OCSP.
func (a *Admin) guarded(path string) (r reply) {
	defer func() {
		if p := recover(); p != nil {
			r = reply{500, plain, "a fault, which the log names\n"}
			if a.Log != nil {
				a.Log(fmt.Errorf("admin: panic at %q: %v", path, p))
			}
		}
	}()
	return a.answer(path)
}

func (a *Admin) answer(path string) reply {
	switch path {
	case "/healthz":
		return reply{200, plain, "alive\n"}
	case "/readyz":
		if missing := a.missing(); len(missing) > 0 {
			return reply{503, plain, strings.Join(missing, "\n") + "\n"}
		}
		return reply{200, plain, "ready\n"}
	case "/metrics":
		return reply{200, metrics.ContentType, a.Metrics.Text()}
	case "/status":
		return a.statusJSON()
	case "/":
		return reply{200, "text/html; charset=utf-8", a.page()}
	}
	return reply{404, plain, "There are /, /healthz, /readyz, /status and /metrics.\n"}
}

func (a *Admin) statusJSON() reply {
	out, err := json.MarshalIndent(a.status(), "", "  ")
	if err != nil {
		return reply{500, plain, err.Error() + "\n"}
	}
	return reply{200, "application/json", string(out) + "\n"}
}

func (a *Admin) now() time.Time {
	if a.Metrics.Now != nil {
		return a.Metrics.Now()
	}
	return time.Now()
}
