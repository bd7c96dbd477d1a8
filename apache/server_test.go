package apache_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"ocspcgi/lib/servertest"
)

// program is built once, by TestMain.
var program string

func TestMain(m *testing.M) { os.Exit(servertest.Main(m, &program)) }

// form is one snippet with what Apache is made of.
type form struct {
	snippet string
	mpm     string // event or prefork: who runs CGI programs is mod_cgid or mod_cgi
	path    string // of the responder's URL
	fastcgi bool
	differs map[string]string // where Apache answers in place of the program
}

func (f form) String() string { return f.snippet + " " + f.mpm + " " + f.path }

// text is the snippet, for this path.
func (f form) text(t testing.TB, r *servertest.Responder, address string) string {
	t.Helper()
	return strings.ReplaceAll(r.Snippet(t, f.snippet, address), `"/ocsp"`, `"`+f.path+`"`)
}

// server is an Apache with one snippet.
type server struct {
	*servertest.Process
	dir     string
	address string
}

// serve starts Apache as Debian sets it up, with a snippet added.
func serve(t testing.TB, f form, address, snippet string) *server {
	t.Helper()
	s := configure(t, f, address, snippet)
	if err := s.start(t); err != nil {
		t.Fatalf("apache2: %v\n%s%s", err, s.Output(t), s.errorLog(t))
	}
	return s
}

func (s *server) start(t testing.TB) (err error) {
	t.Helper()
	s.Process, err = servertest.TryStart(t, s.dir, s.address, "apache2", "-d", s.dir, "-f", s.config(), "-DFOREGROUND")
	return err
}

func (s *server) config() string { return filepath.Join(s.dir, "apache2.conf") }

func (s *server) errorLog(t testing.TB) string {
	t.Helper()
	return servertest.ReadFile(t, filepath.Join(s.dir, "error.log"))
}

// available is where Debian has the modules, each with its settings.
const available = "/etc/apache2/mods-available"

// configure writes the files of a server.
func configure(t testing.TB, f form, address, snippet string) *server {
	t.Helper()
	s := &server{dir: servertest.Room(t), address: address}
	servertest.Mkdir(t, filepath.Join(s.dir, "socks"))
	text := fmt.Sprintf(`Define APACHE_RUN_DIR %[1]s
ServerRoot %[1]s
PidFile %[1]s/pid
ErrorLog %[1]s/error.log
ServerName localhost
Listen %[2]s
<Directory />
    Options FollowSymLinks
    AllowOverride None
    Require all denied
</Directory>
`, s.dir, address)
	for _, module := range modules(t, f, snippet) {
		text += include(filepath.Join(available, module+".load")) + include(filepath.Join(available, module+".conf"))
	}
	snippetFile := filepath.Join(s.dir, "snippet.conf")
	servertest.WriteFile(t, snippetFile, snippet)
	if strings.Contains(snippet, "<VirtualHost ") {
		text += include(snippetFile)
	} else {
		text += "<VirtualHost " + address + ">\n" + include(snippetFile) + "</VirtualHost>\n"
	}
	servertest.WriteFile(t, s.config(), text)
	return s
}

func include(file string) string { return "IncludeOptional " + file + "\n" }

var (
	needs   = regexp.MustCompile("(?m)^# Needs `a2enmod (.*)`")
	depends = regexp.MustCompile(`(?m)^# Depends: (.*)`)
)

// modules are those that Debian enables by itself, and those that the snippet
// says it needs, each behind what it depends on, as a2enmod does it.
func modules(t testing.TB, f form, snippet string) []string {
	t.Helper()
	names := strings.Fields("mpm_" + f.mpm + ` access_compat alias auth_basic authn_core authn_file authz_core
		authz_host authz_user autoindex deflate dir env filter mime negotiation reqtimeout setenvif status`)
	said := needs.FindStringSubmatch(snippet)
	if said == nil {
		t.Fatalf("the snippet does not say what it needs:\n%s", snippet)
	}
	for _, name := range strings.Fields(said[1]) {
		if name == "cgi" && f.mpm != "prefork" {
			name = "cgid"
		}
		load := servertest.ReadFile(t, filepath.Join(available, name+".load"))
		if load == "" {
			t.Fatalf("there is no module %s in %s", name, available)
		}
		if d := depends.FindStringSubmatch(load); d != nil {
			names = append(names, strings.Fields(d[1])...)
		}
		names = append(names, name)
	}
	return names
}
