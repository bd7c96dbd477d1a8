package clients_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/servertest"
)

// web is a web server that runs as a site with a certificate.
type web struct {
	*servertest.Process
	address string
	log     string // path
}

// errorLog is what the site has logged, and the server.
func (w *web) errorLog(t testing.TB) string {
	t.Helper()
	return servertest.ReadFile(t, w.log) + servertest.ReadFile(t, filepath.Join(w.Dir(), "error.log"))
}

// serve starts a web server with text in its configuration.
func serve(t testing.TB, server servertest.Web, address, text string) *servertest.Process {
	t.Helper()
	p, err := server(t, address, text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// nginxSite starts nginx with a certificate, and directives more.
func nginxSite(t testing.TB, s *scene, leaf *pkitest.Leaf, directives string) *web {
	t.Helper()
	w := &web{address: servertest.FreeAddress(t), log: filepath.Join(servertest.Room(t), "error.log")}
	w.Process = serve(t, servertest.Nginx, w.address, fmt.Sprintf(`
    server {
        listen %s ssl;
        error_log %s info;
        ssl_certificate %s;
        ssl_certificate_key %s;
        %s
        location / { return 200 "hello\n"; }
    }`, w.address, w.log, s.chain(t, leaf), leaf.Key, directives))
	return w
}

// apacheSite starts Apache with a certificate, and directives more.
func apacheSite(t testing.TB, s *scene, leaf *pkitest.Leaf, directives string) *web {
	t.Helper()
	dir := servertest.Room(t)
	servertest.WriteFile(t, filepath.Join(dir, "hello"), "hello\n")
	w := &web{address: servertest.FreeAddress(t), log: filepath.Join(dir, "site.log")}
	w.Process = serve(t, servertest.Apache("event"), w.address, fmt.Sprintf("# Needs `a2enmod ssl socache_shmcb`"+`
DefaultRuntimeDir %[1]s
SSLSessionCache none
SSLStaplingCache shmcb:%[1]s/stapling(128000)
<Directory %[1]s>
    Require all granted
</Directory>
<VirtualHost %[2]s>
    ErrorLog %[3]s
    DocumentRoot %[1]s
    SSLEngine on
    SSLCertificateFile %[4]s
    SSLCertificateKeyFile %[5]s
    %[6]s
</VirtualHost>
`, dir, w.address, w.log, s.chain(t, leaf), leaf.Key, directives))
	return w
}

// haproxySite starts HAProxy with a certificate and, in a file next to it, what
// it staples.
func haproxySite(t testing.TB, s *scene, leaf *pkitest.Leaf) *web {
	t.Helper()
	dir := servertest.Room(t)
	w := &web{address: servertest.FreeAddress(t)}
	pem, config := filepath.Join(dir, "site.pem"), filepath.Join(dir, "haproxy.cfg")
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
	w.Process = servertest.Start(t, dir, w.address, "haproxy", "-db", "-f", config)
	return w
}
