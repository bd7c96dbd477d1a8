package servers_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ocspcgi/lib/servertest"
)

// program is built once, by TestMain.
var program string

func TestMain(m *testing.M) { os.Exit(servertest.Main(m, &program)) }

// snippet is shipped files, one behind the other, for a server at address.
func snippet(t testing.TB, r *servertest.Responder, address string, files ...string) string {
	t.Helper()
	room := servertest.Room(t)
	paths := strings.NewReplacer(
		"http://www.example.com {", "http://"+address+" {",
		"/var/cache/nginx", room,
		"/run/apache2", room,
	)
	var text string
	for _, file := range files {
		text += paths.Replace(r.Snippet(t, file, address))
	}
	return text
}

// lighttpd is lighttpd with the configuration that Debian installs, and text
// where that takes in the files of conf-enabled.
func lighttpd(t testing.TB, address, text string) (*servertest.Process, error) {
	t.Helper()
	const debian = "/etc/lighttpd/lighttpd.conf"
	config := servertest.ReadFile(t, debian)
	if config == "" {
		t.Fatalf("there is no %s: install lighttpd", debian)
	}
	dir := servertest.Room(t)
	host, port, _ := strings.Cut(address, ":")
	config = edited(t, config, map[string]string{
		`include "/etc/lighttpd/conf-enabled/*.conf"`:                    text,
		`"/var/cache/lighttpd/uploads"`:                                  `"` + dir + `"`,
		`"/var/log/lighttpd/error.log"`:                                  `"` + dir + `/error.log"`,
		`"/run/lighttpd.pid"`:                                            `"` + dir + `/pid"`,
		`server.port                 = 80`:                               "server.bind = \"" + host + "\"\nserver.port = " + port,
		`include_shell "/usr/share/lighttpd/use-ipv6.pl " + server.port`: "",
	})
	file := filepath.Join(dir, "lighttpd.conf")
	servertest.WriteFile(t, file, config)
	return started(t, dir, address, "lighttpd", "-D", "-f", file)
}

// haproxy is HAProxy with the defaults that Debian installs.
func haproxy(t testing.TB, address, text string) (*servertest.Process, error) {
	t.Helper()
	const debian = "/etc/haproxy/haproxy.cfg"
	_, defaults, found := strings.Cut(servertest.ReadFile(t, debian), "\ndefaults\n")
	if !found {
		t.Fatalf("there are no defaults in %s: install haproxy", debian)
	}
	dir := servertest.Room(t)
	file := filepath.Join(dir, "haproxy.cfg")
	servertest.WriteFile(t, file, "defaults\n"+defaults+"\n"+text)
	return started(t, dir, address, "haproxy", "-db", "-f", file)
}

// caddy is Caddy, without the port by which it is told what to do.
func caddy(t testing.TB, address, text string) (*servertest.Process, error) {
	t.Helper()
	dir := servertest.Room(t)
	file := filepath.Join(dir, "Caddyfile")
	servertest.WriteFile(t, file, "{\n\tadmin off\n}\n"+text)
	return started(t, dir, address, "caddy", "run", "--config", file, "--adapter", "caddyfile")
}

// started adds to an error what the server wrote.
func started(t testing.TB, dir, address, name string, args ...string) (*servertest.Process, error) {
	t.Helper()
	p, err := servertest.TryStart(t, dir, address, name, args...)
	if err != nil {
		t.Log(p.Output(t), servertest.ReadFile(t, filepath.Join(dir, "error.log")))
	}
	return p, err
}

// edited puts one text in the place of another, each of which has to be there.
func edited(t testing.TB, text string, changes map[string]string) string {
	t.Helper()
	for from, to := range changes {
		if strings.Count(text, from) != 1 {
			t.Fatalf("%q is not there once", from)
		}
		text = strings.Replace(text, from, to, 1)
	}
	return text
}
