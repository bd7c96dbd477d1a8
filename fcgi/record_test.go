package fcgi_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ocspcgi/fcgi"
)

var record = flag.Bool("record", false, "write testdata anew from the real web servers")

// tap is a listener that keeps what each connection has received.
type tap struct {
	net.Listener
	mu    sync.Mutex
	taken []*bytes.Buffer
}

type tapped struct {
	*net.UnixConn
	seen io.Writer
}

func (c tapped) Read(b []byte) (int, error) {
	return io.TeeReader(c.UnixConn, c.seen).Read(b)
}

func (l *tap) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := new(bytes.Buffer)
	l.taken = append(l.taken, seen)
	return tapped{c.(*net.UnixConn), seen}, nil
}

const nginxConf = `
daemon off; user root; pid %[1]s/pid; error_log stderr; events {}
http {
  access_log off; client_body_temp_path %[1]s/body; fastcgi_temp_path %[1]s/fcgi;
  proxy_temp_path %[1]s/proxy; uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
  upstream kept { server unix:%[1]s/s; keepalive 1; }
  server {
    listen 127.0.0.1:%[2]d; merge_slashes off; include /etc/nginx/fastcgi_params;
    location /once { fastcgi_pass unix:%[1]s/s; }
    location /kept { fastcgi_pass kept; fastcgi_keep_conn on; }
    location /streamed { fastcgi_pass unix:%[1]s/s; fastcgi_request_buffering off; }
  }
}`

const apacheConf = `
ServerRoot %[1]s
PidFile %[1]s/pid
ErrorLog %[1]s/log
Listen 127.0.0.1:%[2]d
ServerName localhost
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so
LoadModule proxy_fcgi_module /usr/lib/apache2/modules/mod_proxy_fcgi.so
User www-data
AllowEncodedSlashes NoDecode
ProxyPass "/once" "unix:%[1]s/s|fcgi://once/"
ProxyPass "/kept" "unix:%[1]s/s|fcgi://kept/" enablereuse=on
`

// TestRecord writes down what nginx and Apache send for a GET and for POSTs,
// one connection a file. The files are replayed without them.
func TestRecord(t *testing.T) {
	if !*record {
		t.Skip("only with -record")
	}
	for _, server := range []struct {
		name, conf string
		command    []string
		paths      []string
	}{
		{"nginx", nginxConf, []string{"nginx", "-c"}, []string{"once", "kept", "streamed"}},
		{"apache", apacheConf, []string{"apache2", "-X", "-f"}, []string{"once", "kept"}},
	} {
		dir, err := os.MkdirTemp("", "record")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		l, err := fcgi.Listen("unix:"+dir+"/s", 0o666, "")
		if err != nil {
			t.Fatal(err)
		}
		tap := &tap{Listener: l}
		serveOn(t, &fcgi.Server{Handler: describe}, tap)
		tap.run(t, "cgi-fcgi", dir+"/s")
		url := webServer(t, dir, server.conf, server.command)
		for _, path := range server.paths {
			tap.visit(t, server.name+"-"+path, url+"/"+path)
		}
	}
}

// webServer starts a web server on a free port until the test ends.
func webServer(t *testing.T, dir, conf string, command []string) (url string) {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().(*net.TCPAddr)
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "conf")
	if err := os.WriteFile(file, fmt.Appendf(nil, conf, dir, address.Port), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, command[0], append(command[1:], file)...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin"} // Apache passes it on
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		t.Log(cmd.Wait())
	})
	eventually(t, "web server", func() bool {
		c, err := net.Dial("tcp", address.String())
		return err == nil && c.Close() == nil
	})
	return "http://" + address.String()
}

// visit asks for url in several ways and writes the connections to testdata.
func (l *tap) visit(t *testing.T, name, url string) {
	t.Helper()
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	l.taken = nil
	for _, body := range []io.Reader{nil, strings.NewReader("hello"), bytes.NewReader(make([]byte, 9000)), io.MultiReader(strings.NewReader("chunked"))} {
		method, target := http.MethodPost, url
		if body == nil {
			method, target = http.MethodGet, url+"//MEMw%2F+QQ=="
		}
		req, err := http.NewRequest(method, target, body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/ocsp-request")
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != 200 || !strings.HasPrefix(string(text), method) {
			t.Errorf("%s %s: %s %q, %v", method, url, resp.Status, text, err)
		}
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
	}
	l.save(t, name)
}

// run asks with the C library's client.
func (l *tap) run(t *testing.T, name, path string) {
	t.Helper()
	l.taken = nil
	for _, env := range []string{"REQUEST_METHOD=GET REQUEST_URI=/MEMw", "REQUEST_METHOD=POST REQUEST_URI=/ CONTENT_LENGTH=5"} {
		cmd := exec.Command("cgi-fcgi", "-bind", "-connect", path)
		cmd.Env = strings.Fields(env)
		cmd.Stdin = strings.NewReader("hello")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	l.save(t, name)
}

// save writes what each connection has received to a file.
func (l *tap) save(t *testing.T, name string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, seen := range l.taken {
		if err := os.WriteFile(fmt.Sprintf("testdata/%s-%d", name, i+1), seen.Bytes(), 0o644); err != nil {
			t.Error(err)
		}
	}
}
