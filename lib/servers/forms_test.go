package servers_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ocspcgi/lib/servertest"
)

// form is one configuration with what runs it.
type form struct {
	name    string
	web     servertest.Web
	files   []string                                                    // what the web server is given
	run     func(testing.TB, *servertest.Responder) *servertest.Process // starts the program; nil: the web server does
	within  time.Duration                                               // after which a revocation is seen
	differs map[string]string                                           // where the web server answers in place of the program
}

// forms are all configurations in this folder.
var forms = []form{
	{name: "lighttpd-cgi.conf", web: lighttpd, files: own("lighttpd-cgi.conf"), differs: lighttpdCGI},
	{name: "lighttpd-fcgi.conf", web: lighttpd, files: own("lighttpd-fcgi.conf"), run: beside, within: time.Second, differs: byLighttpd},
	{name: "lighttpd-spawn.conf", web: lighttpd, files: own("lighttpd-spawn.conf"), within: time.Second, differs: byLighttpd},
	{name: "Caddyfile", web: caddy, files: own("Caddyfile"), run: beside, within: time.Second},
	{name: "haproxy.cfg", web: haproxy, files: own("haproxy.cfg"), run: beside, within: time.Second, differs: byHAProxy},
	{name: "apache-fcgid.conf", web: servertest.Apache("event"), files: own("apache-fcgid.conf"), within: time.Second, differs: fcgid},
	{name: "nginx-each.conf", web: servertest.Nginx, files: own("nginx-each.conf"), run: beside, within: time.Second, differs: byNginx},
	{name: "spawn-fcgi.sh", web: servertest.Nginx, files: others("nginx/path.conf"), run: spawned, within: time.Second, differs: byNginx},
	{name: "ocspcgi.service", web: servertest.Nginx, files: others("nginx/path.conf"), run: activated, within: time.Second, differs: byNginx},
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
	// What comes in chunks has to fit into a buffer, whole.
	byHAProxy = map[string]string{
		"REQ-44 POST of 64 KiB, chunked": "400 server",
		"REQ-44 POST of 70 KiB":          "413 server",
		"REQ-44 POST of 70 KiB, chunked": "400 server",
	}
	fcgid = map[string]string{
		"REQ-44 POST of 70 KiB": "413 server",
		"HTTP-17 TRACE":         "200 server", // it echoes what it was sent
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

func TestForms(t *testing.T) {
	r := servertest.NewResponder(t, program)
	for i, f := range forms {
		t.Run(f.name, func(t *testing.T) {
			site, _ := f.site(t, r)
			site.Probe(t, f.differs)
			t.Run("3.1", func(t *testing.T) { site.Caching(t, f.within > 0) })
			site.Plain(t)
			site.OpenSSL(t)
			t.Run("CGI-18 many at once", site.Crowd)
			t.Run("0.1 0.6 life", func(t *testing.T) { site.Life(t, f.within, fmt.Sprint("later-", i)) })
		})
	}
}
