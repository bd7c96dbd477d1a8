package apache_test

import (
	"testing"

	"ocspcgi/lib/servertest"
)

// shown are the directives that the probes cannot miss.
var shown = map[string]string{
	"ServerName":        "there is one host only",
	"CGIDScriptTimeout": "TestTimeoutOfCGI",
}

func TestEachLineCounts(t *testing.T) {
	r := servertest.NewResponder(t, program)
	r.Serve(t)
	for _, f := range forms {
		if f.mpm == "prefork" || f.path == "/cgi-bin/ocsp.cgi" {
			continue // the same lines once more
		}
		t.Run(f.snippet, func(t *testing.T) {
			address := servertest.FreeAddress(t)
			site := &servertest.Site{Responder: r, URL: "http://" + address + f.path}
			servertest.WithoutEachLine(t, f.text(t, r, address), shown, func(t *testing.T, rest string) []string {
				s := configure(t, f, address, rest)
				if err := s.start(t); err != nil {
					return []string{s.Output(t)}
				}
				return site.FirstFaults(t, f.differs)
			})
		})
	}
}
