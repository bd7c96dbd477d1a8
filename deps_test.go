package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// arrows says what of ours each package may import, its tests apart. "main" is
// the program. lib/servertest is in no list: only tests run servers.
var arrows = map[string]string{
	"main":             "cgi fcgi lib/check lib/command lib/command/help lib/once",
	"cgi/cgibin":       "lib/once",
	"cgi":              "lib/ocsphttp",
	"fcgi":             "lib/accept lib/ocsphttp",
	"lib/check":        "lib/cadir lib/command lib/config lib/once lib/index lib/journal lib/reload lib/responder lib/signer lib/verify lib/wire",
	"lib/daemon":       "fcgi lib/httpd lib/ocsphttp",
	"lib/httpd":        "lib/accept lib/ocsphttp",
	"lib/ocsphttp":     "lib/responder",
	"lib/responder":    "lib/index lib/signer lib/store lib/wire",
	"lib/admin":        "lib/metrics lib/ocsphttp lib/reload lib/responder",
	"lib/metrics":      "lib/index lib/ocsphttp lib/reload lib/responder",
	"lib/journal":      "lib/index lib/ocsphttp lib/reload lib/responder",
	"lib/once":         "cgi lib/cadir lib/config lib/index lib/journal lib/ocsphttp lib/reload lib/responder lib/signer lib/store",
	"lib/reload":       "lib/index lib/responder lib/signer",
	"lib/cadir":        "lib/signer",
	"lib/verify":       "lib/signer lib/wire",
	"lib/command":      "fcgi lib/accept lib/admin lib/command/help lib/confine lib/config lib/daemon lib/httpd lib/index lib/journal lib/metrics lib/ocsphttp lib/once lib/reload lib/responder lib/signer lib/verify lib/watch lib/wire",
	"lib/command/help": "lib/config",

	// The leaves do not know each other.
	"lib/accept":  "",
	"lib/config":  "",
	"lib/confine": "",
	"lib/index":   "",
	"lib/signer":  "",
	"lib/store":   "",
	"lib/watch":   "",
	"lib/wire":    "",

	// These are there for tests.
	"apache":               "",
	"lib/bench":            "",
	"lib/clients":          "",
	"nginx":                "",
	"lib/conformance":      "",
	"lib/guides":           "",
	"lib/package":          "",
	"lib/package/generate": "lib/check lib/command lib/command/help lib/config",
	"lib/pkitest":          "",
	"lib/servers":          "",
	"lib/servertest":       "lib/pkitest",
	"lib/truth":            "",
}

// rule says who may use a package that is not ours, with all below it, and why
// nobody else may.
type rule struct{ path, who, reason string }

// imports are rules about what a package imports itself. What is not of the
// standard library needs a row.
var imports = []rule{
	{"github.com/cloudflare/circl", "lib/pkitest lib/signer", "signatures are made and checked in one place"},
	{"github.com/fsnotify/fsnotify", "lib/watch", "files are watched in one place, which also knows when events do not come"},
	{"github.com/landlock-lsm/go-landlock", "lib/confine", "a process gives up its rights in one place, once"},
	{"github.com/miekg/pkcs11", "lib/signer", "keys are used in one place; it is in the build of make pkcs11 alone, for it needs cgo"},
	{"github.com/pelletier/go-toml/v2", "lib/config", "settings are read in one place"},
	{"github.com/rs/zerolog", "lib/journal", "errors go up to the program, which alone logs"},
	{"golang.org/x/crypto", "main lib/check lib/command lib/journal lib/metrics lib/ocsphttp lib/responder lib/servertest lib/signer lib/verify lib/wire", "the others carry bytes and do not look into them"},
	{"golang.org/x/sync", "lib/responder", "only signing is shared between those who ask"},
	{"golang.org/x/sys", "main fcgi lib/check lib/command lib/confine lib/httpd lib/index lib/reload lib/signer lib/watch", "the others have nothing to ask the kernel"},
	{"golang.org/x/term", "lib/check lib/command lib/journal lib/signer", "only a person at a terminal is asked"},
	{"software.sslmate.com/src/go-pkcs12", "lib/signer", "keys are read in one place"},
	{"log", "lib/httpd lib/journal", "errors go up to the program, which logs with zerolog; net/http alone wants another kind"},
	{"os/signal", "main lib/command lib/once", "a library does not take signals from the program"},
}

// reaches are rules about all that a package brings along, for this is what
// the start of a CGI process pays for.
var reaches = []rule{
	{"net/http", "main lib/package/generate lib/check lib/command lib/daemon lib/httpd lib/servertest", "the transports pass a plain pair of structs: net/http/fcgi answers an eighth of the requests"},
	{"github.com/landlock-lsm/go-landlock", "main lib/package/generate lib/check lib/command lib/confine", "a CGI process is over before it would have given up anything: ocsp.cgi goes without"},
	{"net/http/cgi", "", "compiles a regexp at start, and cgi/ needs none of it"},
	{"net/http/fcgi", "", "ends the process on a panic, has no shutdown, hides SCRIPT_NAME"},
	{"html/template", "", "+0.4 ms at the start of every CGI process"},
	{"text/template", "", "keeps the linker from dropping unused methods"},
	{"testing", strings.Join(forTests, " "), "the program carries no test tools"},
	{"github.com/cloudflare/circl/sign/schemes", "", "brings every algorithm that circl has, and a registry of them at start"},
	{"github.com/spf13/cobra", "", "flag knows openssl's one-dash flags and starts faster"},
	{"github.com/spf13/pflag", "", "flag knows openssl's one-dash flags"},
	{"github.com/spf13/viper", "", "+0.8 ms at the start of every CGI process"},
	{"github.com/prometheus/client_golang", "", "+1.5 ms at the start of every CGI process"},
	{"github.com/schollz/progressbar", "", "+0.17 ms at the start of every CGI process: it compiles expressions and fills maps"},
	{"github.com/cheggaaa/pb", "", "draws by text/template"},
	{"github.com/rs/zerolog/hlog", "", "+0.25 ms at the start of every CGI process: it reads /etc/machine-id"},
	{"C", "", "cgo adds 0.8 ms to the start of every CGI process"},
}

func TestArrows(t *testing.T) {
	for _, p := range packages(t) {
		may, listed := arrows[p.name()]
		if !listed {
			t.Errorf("%s is not in the table of packages: say what it may import", p.name())
			continue
		}
		for _, path := range p.Imports {
			other, ours := strings.CutPrefix(path, "ocspcgi/")
			if ours && !contains(may, other) {
				t.Errorf("%s imports %s; it may import: %s", p.name(), other, may)
			}
		}
	}
}

func TestImports(t *testing.T) {
	for _, p := range append(packages(t), packages(t, "-tags=pkcs11")...) {
		for _, path := range p.Imports {
			r := ruleFor(imports, path)
			switch foreign := strings.Contains(strings.Split(path, "/")[0], "."); {
			case r == nil && foreign:
				t.Errorf("%s imports %s, which no rule names", p.name(), path)
			case r != nil && !contains(r.who, p.name()):
				t.Errorf("%s imports %s: %s", p.name(), path, r.reason)
			}
		}
	}
}

func TestReaches(t *testing.T) {
	for _, p := range packages(t) {
		for _, r := range reaches {
			if slices.Contains(p.Deps, r.path) && !contains(r.who, p.name()) {
				t.Errorf("%s depends on %s: %s", p.name(), r.path, r.reason)
			}
		}
	}
}

// forTests are the packages that run real programs for tests, by the clock of
// the machine.
var forTests = []string{"lib/pkitest", "lib/servertest"}

// Nothing but the program asks the machine for the time or the environment.
// A function may name time.Now beside a field Now, whose default it is.
func TestNoHiddenInputs(t *testing.T) {
	forbidden := []string{"time.Now", "time.Since", "time.Until", "os.Getenv", "os.LookupEnv", "os.Environ", "os.ExpandEnv"}
	eachFunction(t, func(file string, f *ast.FuncDecl) {
		if dir := filepath.Dir(file); dir == "." || dir == "cgi/cgibin" || slices.Contains(forTests, dir) {
			return
		}
		used, hasNow := selectors(f)
		for _, s := range used {
			isDefault := s == "time.Now" && hasNow
			if slices.Contains(forbidden, s) && !isDefault {
				t.Errorf("%s: %s uses %s; take it as a field or an argument", file, f.Name.Name, s)
			}
		}
	})
}

func TestNoInit(t *testing.T) {
	eachFunction(t, func(file string, f *ast.FuncDecl) {
		if f.Name.Name == "init" && f.Recv == nil {
			t.Errorf("%s has an init: every CGI process would pay for it", file)
		}
	})
}

// What comes from outside is compared with a seal in constant time, by those who have
// the secret.
func TestConstantTime(t *testing.T) {
	compared := map[string]int{}
	eachFunction(t, func(file string, f *ast.FuncDecl) {
		used, _ := selectors(f)
		for _, s := range used {
			if s == "hmac.Equal" {
				compared[file+": "+f.Name.Name]++
			}
		}
	})
	want := map[string]int{"lib/store/sealed.go: Get": 1, "lib/index/pages.go: open": 1, "lib/index/pages.go: read": 1}
	if !maps.Equal(compared, want) {
		t.Errorf("hmac.Equal compares in %v, want %v", compared, want)
	}
}

// onePackage is what go list says of a package of ours.
type onePackage struct {
	ImportPath    string
	Imports, Deps []string
}

func (p onePackage) name() string {
	if p.ImportPath == "ocspcgi" {
		return "main"
	}
	return strings.TrimPrefix(p.ImportPath, "ocspcgi/")
}

// packages lists ours as they are built to be shipped, or those of the build with
// cgo that flags ask for.
func packages(t *testing.T, flags ...string) (list []onePackage) {
	t.Helper()
	cmd := exec.Command("go", append(append([]string{"list", "-json=ImportPath,Imports,Deps"}, flags...), "./...")...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED="+strconv.Itoa(min(1, len(flags))))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p onePackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	if len(list) == 0 {
		t.Fatal("go list names no package")
	}
	return list
}

func contains(words, word string) bool { return slices.Contains(strings.Fields(words), word) }

// ruleFor returns the rule whose path is nearest above path.
func ruleFor(rules []rule, path string) (best *rule) {
	for i, r := range rules {
		above := path == r.path || strings.HasPrefix(path, r.path+"/")
		if above && (best == nil || len(r.path) > len(best.path)) {
			best = &rules[i]
		}
	}
	return best
}

// eachFunction calls do with each function of ours that is not a test's,
// whatever it is built for.
func eachFunction(t *testing.T, do func(file string, f *ast.FuncDecl)) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, decl := range parsed.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok {
				do(path, f)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// selectors returns each x.y in a function, and whether one is a field Now.
func selectors(f *ast.FuncDecl) (used []string, hasNow bool) {
	ast.Inspect(f, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		x, ok := s.X.(*ast.Ident)
		if ok {
			used = append(used, x.Name+"."+s.Sel.Name)
		}
		if s.Sel.Name == "Now" && (!ok || x.Name != "time") {
			hasNow = true
		}
		return true
	})
	return used, hasNow
}
