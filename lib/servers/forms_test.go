package servers_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"ocspcgi/lib/servertest"
)

// form is one configuration with what runs it.
type form struct {
	name  string
	files []string // what the web server is given
	web   servertest.Web
	// run starts the program; nil: the web server does.
	run     func(testing.TB, *servertest.Responder) *servertest.Process
	within  time.Duration     // after which a revocation is seen
	differs map[string]string // where the web server answers in place of the program

	brief [2]string // words of the configuration, and those for one second in place of ten
	late  string    // what comes then when the program is not heard of
}

// forms are all configurations in this folder.
var forms = []form{
	{
		name: "lighttpd-cgi.conf", files: own("lighttpd-cgi.conf"), web: lighttpd, differs: lighttpdCGI,
		brief: [2]string{`"read-timeout" => 10`, `"read-timeout" => 1`}, late: "504 server",
	}, {
		name: "lighttpd-fcgi.conf", files: own("lighttpd-fcgi.conf"), web: lighttpd, run: beside, within: time.Second, differs: byLighttpd,
		brief: [2]string{`"read-timeout" => 10`, `"read-timeout" => 1`}, late: "504 server",
	}, {
		name: "lighttpd-spawn.conf", files: own("lighttpd-spawn.conf"), web: lighttpd, within: time.Second, differs: byLighttpd,
		brief: [2]string{`"read-timeout" => 10`, `"read-timeout" => 1`}, late: "504 server",
	}, {
		name: "Caddyfile", files: own("Caddyfile"), web: caddy, run: beside, within: time.Second,
		brief: [2]string{"read_timeout 10s", "read_timeout 1s"}, late: "504 empty",
	}, {
		name: "haproxy.cfg", files: own("haproxy.cfg"), web: haproxy, run: beside, within: time.Second, differs: byHAProxy,
		brief: [2]string{"timeout server 10s", "timeout server 1s"}, late: "504 server",
	}, {
		name: "apache-fcgid.conf", files: own("apache-fcgid.conf"), web: servertest.Apache("event"), within: time.Second, differs: apacheFcgid,
		brief: [2]string{"FcgidIOTimeout 10", "FcgidIOTimeout 1"}, late: "500 server",
	}, {
		name: "nginx-each.conf", files: own("nginx-each.conf"), web: servertest.Nginx, run: beside, within: time.Second, differs: byNginx,
		brief: [2]string{"read_timeout 10s", "read_timeout 1s"}, late: "504 server",
	},
	{name: "spawn-fcgi.sh", files: others("nginx/path.conf"), web: servertest.Nginx, run: spawned, within: time.Second, differs: byNginx},
	{name: "ocspcgi.service", files: others("nginx/path.conf"), web: servertest.Nginx, run: activated, within: time.Second, differs: byNginx},
}

func own(files ...string) []string { return files }

func others(files ...string) (all []string) {
	for _, file := range files {
		all = append(all, "../../"+file)
	}
	return all
}

// Where web servers answer in place of the program.
var (
	lighttpdCGI = map[string]string{
		"HTTP-12 GET of 6 KB":            "404 server", // the path behind the program is too long for a file's name
		"REQ-44 POST of 70 KiB":          "413 server",
		"REQ-44 POST of 70 KiB, chunked": "413 server",
		"HTTP-17 FOO":                    "501 server", // it knows its methods
	}
	byLighttpd = map[string]string{
		"REQ-44 POST of 70 KiB":          "413 server",
		"REQ-44 POST of 70 KiB, chunked": "413 server",
		"HTTP-17 FOO":                    "501 server",
	}
	// What comes in chunks has to fit into a buffer, whole. What does not is 400
	// before it is read, which a client that is still writing may never see.
	byHAProxy = map[string]string{
		"REQ-44 POST of 64 KiB, chunked": servertest.NotAsked,
		"REQ-44 POST of 70 KiB, chunked": servertest.NotAsked,
	}
	// What is chunked has no length to refuse it for.
	apacheProxy = map[string]string{"REQ-44 POST of 70 KiB": "413 server"}
	// Apache echoes what came with a TRACE, unless it is a proxy or told not to.
	apacheFcgid = map[string]string{
		"REQ-44 POST of 70 KiB": "413 server",
		"HTTP-17 TRACE":         "200 server",
	}
	apacheCGI = map[string]string{
		"REQ-44 POST of 70 KiB":          "413 server",
		"REQ-44 POST of 70 KiB, chunked": "413 server",
		"HTTP-17 TRACE":                  "200 server",
	}
	byNginx = map[string]string{
		"REQ-44 POST of 70 KiB":          "413 server",
		"REQ-44 POST of 70 KiB, chunked": "413 server",
		"HTTP-17 TRACE":                  "405 server",
	}
)

// site starts all of it, on a socket of its own.
func (f form) site(t testing.TB, r *servertest.Responder) (*servertest.Site, *servertest.Process) {
	t.Helper()
	apart := *r
	apart.Socket = servertest.Room(t) + "/ocspcgi.sock"
	var responder *servertest.Process
	if f.run != nil {
		responder = f.run(t, &apart)
	}
	address := servertest.FreeAddress(t)
	if _, err := f.web(t, address, snippet(t, &apart, address, f.files...)); err != nil {
		t.Fatal(err)
	}
	return &servertest.Site{Responder: &apart, URL: "http://" + address + "/ocsp"}, responder
}

// beside runs the program by itself.
func beside(t testing.TB, r *servertest.Responder) *servertest.Process { return r.Serve(t) }

// spawned has spawn-fcgi start the program.
func spawned(t testing.TB, r *servertest.Responder) *servertest.Process {
	t.Helper()
	file := r.Socket + ".sh"
	servertest.WriteFile(t, file, r.Snippet(t, "spawn-fcgi.sh", ""))
	return servertest.Start(t, r.Dir, "unix:"+r.Socket, "sh", file)
}

// activated starts the program as systemd does, by the words of the units.
func activated(t testing.TB, r *servertest.Responder) *servertest.Process {
	t.Helper()
	args := []string{"--listen", setting(t, r, "ocspcgi.socket", "ListenStream")}
	args = append(args, strings.Fields(setting(t, r, "ocspcgi.service", "ExecStart"))...)
	return servertest.Start(t, r.Dir, "unix:"+r.Socket, "systemd-socket-activate", args...)
}

// setting is what a unit says of a name, once.
func setting(t testing.TB, r *servertest.Responder, unit, name string) (value string) {
	t.Helper()
	for line := range strings.Lines(r.Snippet(t, unit, "")) {
		if v, ok := strings.CutPrefix(line, name+"="); ok && value == "" {
			value = strings.TrimSpace(v)
		}
	}
	if value == "" {
		t.Fatalf("no %s= in %s", name, unit)
	}
	return value
}

// probe sends what a site is asked.
func (f form) probe(t *testing.T, site *servertest.Site) {
	t.Helper()
	unknown := maps.Clone(f.differs)
	for _, p := range site.Probes(t) {
		delete(unknown, p.Name)
		if f.differs[p.Name] == servertest.NotAsked {
			continue
		}
		t.Run(p.Name, func(t *testing.T) {
			for _, fault := range site.Faults(p, f.differs) {
				t.Error(fault)
			}
		})
	}
	if len(unknown) > 0 {
		t.Errorf("there are no probes %v", unknown)
	}
}

func TestForms(t *testing.T) {
	r := servertest.NewResponder(t, program)
	for i, f := range forms {
		t.Run("FCG-26 "+f.name, func(t *testing.T) {
			site, _ := f.site(t, r)
			f.probe(t, site)
			t.Run("3.1", func(t *testing.T) { site.Caching(t, f.within > 0) })
			site.Plain(t)
			site.OpenSSL(t)
			t.Run("CGI-18 many at once", site.Crowd)
			t.Run("0.1 0.6 life", func(t *testing.T) { site.Life(t, f.within, fmt.Sprint("later-", i)) })
		})
	}
}
