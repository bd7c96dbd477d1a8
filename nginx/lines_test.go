package nginx_test

import (
	"testing"

	"ocspcgi/lib/servertest"
)

// shown are the directives that the probes cannot miss.
var shown = map[string]string{
	"listen":               "nginx would listen on another port, on all addresses",
	"server_name":          "there is one host only",
	"keepalive":            "TestConnectionsAreKept",
	"fastcgi_keep_conn":    "TestConnectionsAreKept",
	"fastcgi_read_timeout": "TestTimeout",
}

func TestEachLineCounts(t *testing.T) {
	r := servertest.NewResponder(t, program)
	r.Serve(t)
	for _, f := range forms {
		t.Run(f.snippet, func(t *testing.T) {
			address := servertest.FreeAddress(t)
			site := &servertest.Site{Responder: r, URL: "http://" + address + f.path}
			servertest.WithoutEachLine(t, r.Snippet(t, f.snippet, address), shown, func(t *testing.T, rest string) []string {
				s := configure(t, address, rest)
				if err := s.start(t); err != nil {
					return []string{s.Output(t)}
				}
				return site.FirstFaults(t, differs)
			})
		})
	}
}
