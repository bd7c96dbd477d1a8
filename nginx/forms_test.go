package nginx_test

import (
	"testing"
	"time"

	"ocspcgi/lib/servertest"
)

// form is one snippet, and the path in the responder's URL.
type form struct{ snippet, path string }

var forms = []form{
	{"path.conf", "/ocsp"},
	{"host.conf", ""},
}

// differs is where nginx answers in place of the program.
var differs = map[string]string{
	"REQ-44 POST of 70 KiB":          "413 server",
	"REQ-44 POST of 70 KiB, chunked": "413 server",
	"HTTP-17 TRACE":                  "405 server",
}

func TestForms(t *testing.T) {
	r := servertest.NewResponder(t, program)
	r.Serve(t)
	for _, f := range forms {
		t.Run(f.snippet, func(t *testing.T) {
			address := servertest.FreeAddress(t)
			serve(t, address, r.Snippet(t, f.snippet, address))
			site := &servertest.Site{Responder: r, URL: "http://" + address + f.path}
			site.Probe(t, differs)
			t.Run("3.1", func(t *testing.T) { site.Caching(t, true) })
			site.Plain(t)
			site.OpenSSL(t)
			t.Run("CGI-18 many at once", site.Crowd)
			t.Run("0.1 0.6 life", func(t *testing.T) { site.Life(t, time.Second, f.snippet) })
		})
	}
}
