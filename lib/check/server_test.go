package check_test

import (
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"ocspcgi/lib/servertest"
)

// program is built once, by TestMain.
var program string

func TestMain(m *testing.M) { os.Exit(servertest.Main(m, &program)) }

// row is one of those that the program prints with -json.
type row struct {
	Issuer, Level, File, Probe, Text, Remedy string
	Line                                     int
}

// checked runs the program and returns its rows.
func checked(t testing.TB, args ...string) (rows []row, status int) {
	t.Helper()
	cmd := exec.Command(program, append([]string{"check", "-json"}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	var report struct{ Rows []row }
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return report.Rows, cmd.ProcessState.ExitCode()
}

// bad are the rows of probes that are worse than ok.
func bad(rows []row) []row {
	return slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return r.Probe == "" || r.Level == "ok" })
}

// without is a directive that a server lacks, and what check says then.
type without struct {
	line   string // of the snippet, its beginning; several divided by |
	probe  string // that tells of it
	level  string
	remedy string // in the row
	others bool   // nothing else works either
}

// front is a web server with a snippet.
type front struct {
	name    string
	web     servertest.Web
	snippet string
	but     string // the one probe that tells of what is for the whole server, and not in the snippet
	lacks   []without
}

var fronts = []front{
	{"Apache, CGI", servertest.Apache("event"), "../../apache/cgi-path.conf", "TRACE", []without{
		{"AllowEncodedSlashes", "GET, escaped, with slashes", "error", "AllowEncodedSlashes NoDecode", false},
		{"SetEnv ap_trust_cgilike_cl", "POST", "warning", "SetEnv ap_trust_cgilike_cl yes", false},
		{"LimitRequestBody", "POST of more than 64 KiB", "hint", "LimitRequestBody 65536", false},
		{"SetEnv OCSP_CONFIG", "POST", "error", "SetEnv OCSP_CONFIG", true},
		{"RewriteRule", "POST", "error", "RewriteRule", true},
		{"Require all granted", "POST", "error", "Require all granted", true},
		{"Options +ExecCGI", "POST", "error", "Options +ExecCGI", true},
	}},
	{"Apache, FastCGI", servertest.Apache("event"), "../../apache/fcgi-path.conf", "TRACE", []without{
		{"AllowEncodedSlashes", "GET, escaped, with slashes", "error", "AllowEncodedSlashes NoDecode", false},
		{"SetEnv ap_trust_cgilike_cl", "POST", "warning", "SetEnv ap_trust_cgilike_cl yes", false},
		{"RewriteCond expr|RewriteRule", "POST of more than 64 KiB", "hint", "RewriteCond expr", false},
		{"ProxyPass", "POST", "error", "ProxyPass", true},
	}},
	{"Apache, a host of its own", servertest.Apache("event"), "../../apache/cgi-host.conf", "", []without{
		{"TraceEnable", "TRACE", "hint", "TraceEnable Off", false},
	}},
	{"nginx", servertest.Nginx, "../../nginx/path.conf", "", []without{
		{"client_max_body_size", "POST of more than 64 KiB", "hint", "client_max_body_size 64k", false},
		{"include fastcgi_params", "POST", "error", "include fastcgi_params", true},
		{"fastcgi_pass", "POST", "error", "fastcgi_pass", true},
	}},
}

// TestFronts asks responders behind web servers that are set up right, where
// all is well, and behind such that lack one directive: the row says which.
func TestFronts(t *testing.T) {
	r := servertest.NewResponder(t, program)
	r.Serve(t)
	for _, f := range fronts {
		t.Run(f.name, func(t *testing.T) {
			rows := f.check(t, r, "")
			for _, worse := range bad(rows) {
				if worse.Probe != f.but || worse.Level != "hint" {
					t.Errorf("set up right: %+v", worse)
				}
			}
			if len(rows) < 30 {
				t.Errorf("only %d rows", len(rows))
			}
			for _, lack := range f.lacks {
				t.Run("without "+lack.line, func(t *testing.T) { f.lacking(t, r, lack) })
			}
		})
	}
}

// check runs check -url on the server without a line.
func (f front) check(t *testing.T, r *servertest.Responder, line string) []row {
	t.Helper()
	address := servertest.FreeAddress(t)
	text := r.Snippet(t, f.snippet, address)
	if line != "" {
		lines := strings.SplitAfter(text, "\n")
		for one := range strings.SplitSeq(line, "|") {
			before := len(lines)
			lines = slices.DeleteFunc(lines, func(l string) bool { return strings.HasPrefix(strings.TrimSpace(l), one) })
			if len(lines) == before {
				t.Fatalf("there is no %q in %s", one, f.snippet)
			}
		}
		text = strings.Join(lines, "")
	}
	p, err := f.web(t, address, text)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop(t)
	url := "http://" + address
	if strings.Contains(f.snippet, "path") {
		url += "/ocsp"
	}
	rows, _ := checked(t, "-url", url, "-config", r.Config)
	return slices.DeleteFunc(rows, func(r row) bool { return r.Probe == "" })
}

func (f front) lacking(t *testing.T, r *servertest.Responder, lack without) {
	var rows []row
	i := -1
	// Apache counts a body by itself when the program has ended before it looks.
	for range 20 {
		rows = bad(f.check(t, r, lack.line))
		if i = slices.IndexFunc(rows, func(r row) bool { return r.Probe == lack.probe }); i >= 0 {
			break
		}
	}
	if i < 0 {
		t.Fatalf("nothing about %s: %+v", lack.probe, rows)
	}
	if got := rows[i]; got.Level != lack.level || !strings.Contains(got.Remedy, lack.remedy) {
		t.Errorf("%+v, want %s with %s", got, lack.level, lack.remedy)
	}
	for _, other := range rows {
		if !lack.others && other.Probe != f.but && other.Remedy != "" && !strings.Contains(other.Remedy, lack.remedy) {
			t.Errorf("named besides: %+v", other)
		}
	}
}

// TestSocket looks at a socket that somebody listens on, for a user who may
// connect and for one who may not, and at one that was left behind.
func TestSocket(t *testing.T) {
	r := servertest.NewResponder(t, program)
	p := r.Serve(t)
	find := func(want string, args ...string) {
		t.Helper()
		rows, _ := checked(t, append([]string{"-config", r.Config, "-listen", "unix:" + r.Socket}, args...)...)
		if !slices.ContainsFunc(rows, func(row row) bool {
			return row.File == r.Socket && strings.Contains(row.Level+" "+row.Text+" -> "+row.Remedy, want)
		}) {
			t.Errorf("no %q in %+v", want, rows)
		}
	}
	find("ok somebody listens; group ")
	if os.Getuid() == 0 {
		find("ok www-data may connect", "-as", "www-data")
		find("error nobody may not connect: "+r.Socket+" has mode 0660 -> listen_group = a group of nobody", "-as", "nobody")
	}
	// What a process leaves behind that was killed.
	p.Stop(t)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: r.Socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	find("hint nobody listens: what is there was left behind -> start the program, which takes its place")
}
