package bench_test

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/servertest"
)

// wrk asks at an address with so many connections, by GET, or by POST where
// there is a body.
func wrk(b *testing.B, conns int, target string, body []byte, header ...string) func(time.Duration) float64 {
	b.Helper()
	script := "wrk.headers = {}\n"
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		script += fmt.Sprintf("wrk.headers[%q] = %q\n", name, value)
	}
	if body != nil {
		var text strings.Builder
		for _, octet := range body {
			fmt.Fprintf(&text, "\\%03d", octet)
		}
		script += "wrk.method = \"POST\"\nwrk.headers[\"Content-Type\"] = \"" + requestType + "\"\nwrk.body = \"" + text.String() + "\"\n"
	}
	file := filepath.Join(b.TempDir(), "wrk.lua")
	servertest.WriteFile(b, file, script)
	return func(d time.Duration) float64 {
		seconds := max(1, int(d/time.Second)) // wrk knows whole seconds alone
		out, err := exec.Command("wrk", "-t1", "-c"+strconv.Itoa(conns), "-d"+strconv.Itoa(seconds)+"s", "-s", file, target).CombinedOutput()
		_, rest, found := strings.Cut(string(out), "Requests/sec:")
		if err != nil || !found || strings.Contains(string(out), "Non-2xx") {
			b.Fatalf("wrk %s: %v\n%s", target, err, out)
		}
		rate, err := strconv.ParseFloat(strings.TrimSpace(strings.SplitN(rest, "\n", 2)[0]), 64)
		if err != nil || rate == 0 {
			b.Fatalf("wrk %s: %v\n%s", target, err, out)
		}
		return rate
	}
}

// crowd is how many ask a web server at the same time.
const crowd = 32

// measureNginx asks through nginx, with one worker and kept connections.
func measureNginx(b *testing.B) []figure {
	r := servertest.Around(b, program, pkitest.NewCompany(b))
	return measureWeb(b, r, "nginx", servertest.Nginx, []string{"../../nginx/path.conf"}, []string{"../servers/nginx-cache.conf"},
		"server { listen ADDRESS; location = /file { root DIR; } }", 0.95, "POST")
}

// measureApache asks through Apache, with the MPM event.
func measureApache(b *testing.B) []figure {
	r := servertest.Around(b, program, pkitest.NewCompany(b))
	fcgi := "../../apache/fcgi-path.conf"
	return measureWeb(b, r, "Apache", servertest.Apache("event"), []string{fcgi}, []string{fcgi, "../servers/apache-cache.conf"},
		"DocumentRoot DIR\n<Directory DIR>\nRequire all granted\n</Directory>\n", 0)
}

// measureWeb sets ours behind a web server against libfcgi behind the same, and
// what the web server has kept of ours against a file of the same length.
func measureWeb(b *testing.B, r *servertest.Responder, name string, start servertest.Web, plain, cached []string, static string, least float64, also ...string) (figures []figure) {
	us := ours(b, r)
	der := request(b, r.CA, r.Good.Certificate.SerialNumber.Bytes())
	length := len(answered(b, us.socket, posted(der)))
	c99 := libfcgi(b, 2*crowd, length)
	path := "/ocsp/" + url.QueryEscape(base64.StdEncoding.EncodeToString(der))
	serve := func(socket string, files []string) string {
		address := servertest.FreeAddress(b)
		site := *r
		site.Socket = socket
		text := ""
		for _, file := range files {
			text += site.Snippet(b, file, address)
		}
		room := servertest.Room(b)
		text = strings.NewReplacer("/var/cache/nginx/ocspcgi", room+"/cache", "/run/apache2/ocspcgi(", room+"/shmcb(").Replace(text)
		if _, err := start(b, address, text); err != nil {
			b.Fatal(err)
		}
		return "http://" + address
	}
	ask := func(base string, method string) func(time.Duration) float64 {
		if method == "POST" {
			return wrk(b, crowd, base+"/ocsp", der)
		}
		return wrk(b, crowd, base+path, nil)
	}
	through, peers := serve(us.socket, plain), serve(c99.socket, plain)
	for _, method := range append(also, "GET") {
		figures = append(figures, against("behind "+name+", by "+method, contender{"ocspcgi", ask(through, method)},
			[]contender{{"libfcgi behind " + name, ask(peers, method)}}, least)...)
	}
	dir := servertest.Room(b)
	servertest.WriteFile(b, filepath.Join(dir, "file"), strings.Repeat("x", length-400))
	address := servertest.FreeAddress(b)
	if _, err := start(b, address, strings.NewReplacer("ADDRESS", address, "DIR", dir).Replace(static)); err != nil {
		b.Fatal(err)
	}
	kept := serve(us.socket, cached)
	file := contender{"a file from " + name, wrk(b, crowd, "http://"+address+"/file", nil)}
	for _, method := range append(also, "GET") {
		figures = append(figures, against("from "+name+"'s cache, by "+method, contender{"cache", ask(kept, method)}, []contender{file}, 0)...)
	}
	return figures
}
