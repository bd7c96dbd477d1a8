package servers_test

import (
	"testing"

	"ocspcgi/lib/servertest"
)

// shown are the directives that the probes cannot miss.
var shown = map[string]string{
	"cgi.limits":                "TestTimeout",
	`"read-timeout"`:            "TestTimeout",
	"read_timeout":              "TestTimeout",
	"timeout":                   "TestTimeout",
	"FcgidIOTimeout":            "TestTimeout",
	"fastcgi_read_timeout":      "TestTimeout",
	`"disable-time"`:            "it only takes a second more (TestRestart)",
	`"max-procs"`:               "there would be four",
	"FcgidMaxProcessesPerClass": "there would be a hundred",
	"http-reuse":                "TestConnections",
	"listen":                    "nginx would listen on another port, on all addresses",
	"server_name":               "there is one host only",
}

func TestEachLineCounts(t *testing.T) {
	r := servertest.NewResponder(t, program)
	for _, f := range forms {
		if f.files[0] != f.name {
			continue // nginx/path.conf, whose lines are tested there
		}
		t.Run(f.name, func(t *testing.T) {
			apart := *r
			apart.Socket = servertest.Room(t) + "/ocspcgi.sock"
			if f.run != nil {
				f.run(t, &apart)
			}
			address := servertest.FreeAddress(t)
			site := &servertest.Site{Responder: &apart, URL: "http://" + address + "/ocsp"}
			servertest.WithoutEachLine(t, snippet(t, &apart, address, f.files...), shown, func(t *testing.T, rest string) []string {
				if _, err := f.web(t, address, rest); err != nil {
					return []string{err.Error()}
				}
				for _, p := range site.Probes(t) {
					if f.differs[p.Name] == servertest.NotAsked {
						continue
					}
					if faults := site.Faults(p, f.differs); len(faults) > 0 {
						return faults
					}
				}
				return nil
			})
		})
	}
}
