package nginx_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"ocspcgi/lib/servertest"
)

// program is built once, by TestMain.
var program string

func TestMain(m *testing.M) { os.Exit(servertest.Main(m, &program)) }

// params is the file of the distribution that the snippets include.
const params = "/etc/nginx/fastcgi_params"

// server is an nginx with one snippet.
type server struct {
	*servertest.Process
	dir     string
	address string
}

// serve starts nginx with a snippet in its conf.d.
func serve(t testing.TB, address, snippet string) *server {
	t.Helper()
	s := configure(t, address, snippet)
	if err := s.start(t); err != nil {
		t.Fatalf("nginx: %v\n%s%s", err, s.Output(t), s.errorLog(t))
	}
	return s
}

func (s *server) start(t testing.TB) (err error) {
	t.Helper()
	s.Process, err = servertest.TryStart(t, s.dir, s.address, "nginx",
		"-p", s.dir, "-c", filepath.Join(s.dir, "nginx.conf"), "-e", filepath.Join(s.dir, "error.log"))
	return err
}

// configure writes the files of a server.
func configure(t testing.TB, address, snippet string) *server {
	t.Helper()
	s := &server{dir: servertest.Room(t), address: address}
	if err := os.Symlink(params, filepath.Join(s.dir, filepath.Base(params))); err != nil {
		t.Fatal(err)
	}
	servertest.WriteFile(t, filepath.Join(s.dir, "snippet.conf"), snippet)
	servertest.WriteFile(t, filepath.Join(s.dir, "nginx.conf"), fmt.Sprintf(`daemon off;
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
    include %[1]s/snippet.conf;
}
`, s.dir))
	return s
}

func (s *server) errorLog(t testing.TB) string {
	t.Helper()
	return servertest.ReadFile(t, filepath.Join(s.dir, "error.log"))
}
