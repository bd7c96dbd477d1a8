package clients_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/servertest"
)

// web is a web server that runs.
type web struct {
	*servertest.Process
	address string
	dir     string
}

func (w *web) errorLog(t testing.TB) string {
	t.Helper()
	return servertest.ReadFile(t, filepath.Join(w.dir, "error.log"))
}

// start starts the web server, and shows what it says when it does not run.
func (w *web) start(t testing.TB, program string, args ...string) *web {
	t.Helper()
	var err error
	w.Process, err = servertest.TryStart(t, w.dir, w.address, program, args...)
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", program, err, w.Output(t), w.errorLog(t))
	}
	return w
}

// startNginx starts nginx with a piece of configuration for its http block.
func startNginx(t testing.TB, address, text string) *web {
	t.Helper()
	w := &web{dir: servertest.Room(t), address: address}
	config := filepath.Join(w.dir, "nginx.conf")
	if err := os.Symlink("/etc/nginx/fastcgi_params", filepath.Join(w.dir, "fastcgi_params")); err != nil {
		t.Fatal(err)
	}
	servertest.WriteFile(t, config, fmt.Sprintf(`daemon off;
worker_processes 1;
error_log %[1]s/error.log info;
pid %[1]s/pid;
events {}
http {
    access_log off;
    client_body_temp_path %[1]s/body;
    proxy_temp_path %[1]s/proxy;
    fastcgi_temp_path %[1]s/fastcgi;
    uwsgi_temp_path %[1]s/uwsgi;
    scgi_temp_path %[1]s/scgi;
%[2]s
}
`, w.dir, text))
	return w.start(t, "nginx", "-p", w.dir, "-c", config, "-e", filepath.Join(w.dir, "error.log"))
}

// nginxSite starts nginx as a site with a certificate, and directives more.
func nginxSite(t testing.TB, s *scene, leaf *pkitest.Leaf, directives string) *web {
	t.Helper()
	address := servertest.FreeAddress(t)
	return startNginx(t, address, fmt.Sprintf(`
    server {
        listen %s ssl;
        ssl_certificate %s;
        ssl_certificate_key %s;
        %s
        location / { return 200 "hello\n"; }
    }`, address, s.chain(t, leaf), leaf.Key, directives))
}

// startApache starts Apache with modules more and a piece of configuration for
// a virtual host.
func startApache(t testing.TB, address, modules, text string) *web {
	t.Helper()
	w := &web{dir: servertest.Room(t), address: address}
	for _, name := range []string{"socks", "www"} {
		servertest.Mkdir(t, filepath.Join(w.dir, name))
	}
	servertest.WriteFile(t, filepath.Join(w.dir, "www", "hello"), "hello\n")
	config := filepath.Join(w.dir, "apache2.conf")
	var loads strings.Builder
	for _, module := range strings.Fields("mpm_event authz_core " + modules) {
		for _, ext := range []string{"load", "conf"} {
			fmt.Fprintf(&loads, "IncludeOptional /etc/apache2/mods-available/%s.%s\n", module, ext)
		}
	}
	servertest.WriteFile(t, config, fmt.Sprintf(`Define APACHE_RUN_DIR %[1]s
DefaultRuntimeDir %[1]s
PidFile %[1]s/pid
ErrorLog %[1]s/error.log
ServerName localhost
Listen %[2]s
%[3]s
<IfModule ssl_module>
    SSLSessionCache none
    SSLStaplingCache shmcb:%[1]s/stapling(128000)
</IfModule>
<VirtualHost %[2]s>
    DocumentRoot %[1]s/www
%[4]s
</VirtualHost>
`, w.dir, address, loads.String(), text))
	return w.start(t, "apache2", "-d", w.dir, "-f", config, "-DFOREGROUND")
}

// apacheSite starts Apache as a site with a certificate, and directives more.
func apacheSite(t testing.TB, s *scene, leaf *pkitest.Leaf, directives string) *web {
	t.Helper()
	address := servertest.FreeAddress(t)
	return startApache(t, address, "socache_shmcb setenvif mime ssl", fmt.Sprintf(`
    SSLEngine on
    SSLCertificateFile %s
    SSLCertificateKeyFile %s
    %s`, s.chain(t, leaf), leaf.Key, directives))
}

// haproxySite starts HAProxy as a site with a certificate and, in a file next to
// it, what it staples.
func haproxySite(t testing.TB, s *scene, leaf *pkitest.Leaf) *web {
	t.Helper()
	w := &web{dir: servertest.Room(t), address: servertest.FreeAddress(t)}
	pem, config := filepath.Join(w.dir, "site.pem"), filepath.Join(w.dir, "haproxy.cfg")
	servertest.WriteFile(t, pem, servertest.ReadFile(t, s.chain(t, leaf))+servertest.ReadFile(t, leaf.Key))
	s.fetch(t, leaf, pem+".ocsp")
	servertest.WriteFile(t, config, fmt.Sprintf(`defaults
    mode http
    timeout connect 10s
    timeout client 10s
    timeout server 10s
frontend site
    bind %s ssl crt %s
    http-request return status 200
`, w.address, pem))
	return w.start(t, "haproxy", "-db", "-f", config)
}
