package servers_test

import (
	"os/exec"
	"strings"
	"testing"

	"ocspcgi/lib/servertest"
)

// elsewhere are the configurations of other folders.
var elsewhere = []form{
	{name: "apache/cgi-path.conf, mod_cgid", web: servertest.Apache("event"), files: others("apache/cgi-path.conf"), differs: apacheCGI},
	{name: "apache/cgi-path.conf, mod_cgi", web: servertest.Apache("prefork"), files: others("apache/cgi-path.conf"), differs: apacheCGI},
	{name: "apache/cgi-simple.conf, mod_cgid", web: servertest.Apache("event"), files: others("apache/cgi-simple.conf"), differs: map[string]string{
		"HTTP-12 GET of 6 KB": "403 server", // the path behind the program is too long for a file's name
		"HTTP-17 TRACE":       "200 server",
	}},
	{name: "apache/fcgi-path.conf, mod_proxy_fcgi", web: servertest.Apache("event"), files: others("apache/fcgi-path.conf"), run: beside, differs: apacheProxy},
	{name: "nginx/path.conf", web: servertest.Nginx, files: others("nginx/path.conf"), run: beside, differs: byNginx},
}

// TestTable asks every web server everything once more, and shows with -v what
// each has answered.
func TestTable(t *testing.T) {
	r := servertest.NewResponder(t, program)
	var table servertest.Table
	for _, group := range [][]form{elsewhere, forms, caches} {
		for _, f := range group {
			site, _ := f.site(t, r)
			table.Add(t, f.name, site, f.differs)
		}
	}
	t.Logf("\n%s\n%s", versions(t), &table)
}

// versions is what the programs say of themselves.
func versions(t *testing.T) string {
	t.Helper()
	var all []string
	for _, command := range []string{
		"apache2 -v", "nginx -v", "lighttpd -v", "caddy version", "haproxy -v",
		"spawn-fcgi -v", "systemd-socket-activate --version", "openssl version",
	} {
		words := strings.Fields(command)
		out, err := exec.Command(words[0], words[1:]...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
		first, _, _ := strings.Cut(string(out), "\n")
		all = append(all, words[0]+": "+first)
	}
	return strings.Join(all, "\n") + "\n"
}
