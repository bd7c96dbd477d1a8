package servertest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Web starts a web server on loopback as its distribution sets it up, with text
// added to its configuration. The error says what the server wrote.
type Web func(t testing.TB, address, text string) (*Process, error)

// logged adds what a server has written to why it did not start.
func logged(t testing.TB, p *Process, err error, log string) (*Process, error) {
	t.Helper()
	if err != nil {
		err = fmt.Errorf("%w\n%s%s", err, p.Output(t), ReadFile(t, log))
	}
	return p, err
}

// Nginx is nginx, with text in its conf.d.
func Nginx(t testing.TB, address, text string) (*Process, error) {
	t.Helper()
	const params = "fastcgi_params"
	dir := Room(t)
	if err := os.Symlink(filepath.Join("/etc/nginx", params), filepath.Join(dir, params)); err != nil {
		t.Fatal(err)
	}
	config, log := filepath.Join(dir, "nginx.conf"), filepath.Join(dir, "error.log")
	WriteFile(t, config, fmt.Sprintf(`daemon off;
worker_processes 1;
pid %[1]s/pid;
events {}
http {
    access_log off;
    gzip on;
    client_body_temp_path %[1]s/body;
    proxy_temp_path %[1]s/proxy;
    fastcgi_temp_path %[1]s/fastcgi;
    uwsgi_temp_path %[1]s/uwsgi;
    scgi_temp_path %[1]s/scgi;
%[2]s
}
`, dir, text))
	p, err := TryStart(t, dir, address, "nginx", "-p", dir, "-c", config, "-e", log)
	return logged(t, p, err, log)
}

// Apache is Apache with that MPM, event or prefork, the modules that Debian
// enables by itself and those that text says it needs. Unless text is a
// <VirtualHost> it goes into one.
func Apache(mpm string) Web {
	return func(t testing.TB, address, text string) (*Process, error) {
		t.Helper()
		dir := Room(t)
		Mkdir(t, filepath.Join(dir, "socks"))
		config, log := filepath.Join(dir, "apache2.conf"), filepath.Join(dir, "error.log")
		if !strings.Contains(text, "<VirtualHost ") {
			text = "<VirtualHost " + address + ">\n" + text + "</VirtualHost>\n"
		}
		WriteFile(t, config, fmt.Sprintf(`Define APACHE_RUN_DIR %[1]s
ServerRoot %[1]s
PidFile %[1]s/pid
ErrorLog %[2]s
ServerName localhost
Listen %[3]s
%[4]s<Directory />
    Options FollowSymLinks
    AllowOverride None
    Require all denied
</Directory>
%[5]s`, dir, log, address, loaded(t, dir, mpm, text), text))
		p, err := TryStart(t, dir, address, "apache2", "-d", dir, "-f", config, "-DFOREGROUND")
		return logged(t, p, err, log)
	}
}

var (
	needs   = regexp.MustCompile("(?m)^# Needs `a2enmod (.*)`")
	depends = regexp.MustCompile(`(?m)^# Depends: (.*)`)
)

// loaded has Apache load its modules, each behind what it depends on, as
// a2enmod does it.
func loaded(t testing.TB, dir, mpm, text string) (directives string) {
	t.Helper()
	const available = "/etc/apache2/mods-available"
	names := strings.Fields("mpm_" + mpm + ` access_compat alias auth_basic authn_core authn_file authz_core
		authz_host authz_user autoindex deflate dir env filter mime negotiation reqtimeout setenvif status`)
	for _, said := range needs.FindAllStringSubmatch(text, -1) {
		names = append(names, strings.Fields(said[1])...)
	}
	done := map[string]bool{}
	var add func(name string)
	add = func(name string) {
		if name == "cgi" && mpm != "prefork" {
			name = "cgid"
		}
		if done[name] {
			return
		}
		done[name] = true
		load := filepath.Join(available, name+".load")
		lines := ReadFile(t, load)
		if lines == "" {
			t.Fatalf("there is no module %s in %s", name, available)
		}
		if d := depends.FindStringSubmatch(lines); d != nil {
			for _, other := range strings.Fields(d[1]) {
				add(other)
			}
		}
		directives += "Include " + load + "\nIncludeOptional " + filepath.Join(available, name+".conf") + "\n"
		if name == "fcgid" {
			directives += fmt.Sprintf("FcgidIPCDir %[1]s/socks\nFcgidProcessTableFile %[1]s/fcgid_shm\n", dir)
		}
	}
	for _, name := range names {
		add(name)
	}
	return directives
}
