package apache_test

import (
	"fmt"
	"testing"
	"time"

	"ocspcgi/lib/servertest"
)

// forms are all snippets, and what is particular to each.
var forms = []form{
	{snippet: "cgi-path.conf", mpm: "event", path: "/ocsp", differs: pathCGI},
	{snippet: "cgi-path.conf", mpm: "prefork", path: "/ocsp", differs: pathCGI},
	{snippet: "cgi-host.conf", mpm: "event", differs: hostCGI},
	{snippet: "cgi-host.conf", mpm: "prefork", differs: hostCGI},
	{snippet: "cgi-simple.conf", mpm: "event", path: "/ocsp", differs: simpleCGI},
	{snippet: "cgi-simple.conf", mpm: "prefork", path: "/ocsp", differs: simpleCGI},
	{snippet: "cgi-simple.conf", mpm: "event", path: "/cgi-bin/ocsp.cgi", differs: simpleCGI},
	{snippet: "fcgi-path.conf", mpm: "event", path: "/ocsp", fastcgi: true, differs: proxied},
	{snippet: "fcgi-host.conf", mpm: "event", fastcgi: true, differs: proxied},
}

// Where Apache answers in place of the program. Below /ocsp it is not for us to
// forbid TRACE, with which it echoes what it was sent.
var (
	pathCGI = map[string]string{
		"REQ-44 POST of 70 KiB":          "413 server",
		"REQ-44 POST of 70 KiB, chunked": "413 server",
		"HTTP-17 TRACE":                  "200 server",
	}
	hostCGI = map[string]string{
		"REQ-44 POST of 70 KiB":          "413 server",
		"REQ-44 POST of 70 KiB, chunked": "413 server",
		"HTTP-17 TRACE":                  "405 server",
	}
	simpleCGI = map[string]string{
		"HTTP-12 GET of 6 KB": "403 server", // the path behind the program is too long for a file's name
		"HTTP-17 TRACE":       "200 server",
	}
	// A proxy passes TRACE on, and a chunked body before it knows its length.
	proxied = map[string]string{"REQ-44 POST of 70 KiB": "413 server"}
)

func TestForms(t *testing.T) {
	r := servertest.NewResponder(t, program)
	r.Serve(t)
	for i, f := range forms {
		t.Run(f.String(), func(t *testing.T) {
			address := servertest.FreeAddress(t)
			serve(t, f, address, f.text(t, r, address))
			site := &servertest.Site{Responder: r, URL: "http://" + address + f.path}
			within := time.Duration(0)
			if f.fastcgi {
				within = time.Second
			}
			site.Probe(t, f.differs)
			t.Run("3.1", func(t *testing.T) { site.Caching(t, f.fastcgi) })
			site.Plain(t)
			site.OpenSSL(t)
			t.Run("CGI-18 many at once", site.Crowd)
			t.Run("0.1 0.6 life", func(t *testing.T) { site.Life(t, within, fmt.Sprint("later-", i)) })
		})
	}
}
