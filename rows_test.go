package main_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rowName is what the name of a row's subtest begins with.
var rowName = regexp.MustCompile(`^(REQ|RSP|SGN|TIM|HTTP|CGI|FCG|STP|POL)-[0-9]{2} `)

// TestRows holds the rows that are decided against the subtests there are.
func TestRows(t *testing.T) {
	decided := rows(t)
	tested := map[string]string{}
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, "_test.go") {
			for _, name := range names(t, path) {
				tested[strings.TrimSpace(rowName.FindString(name))] = path
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range decided {
		if tested[id] == "" {
			t.Errorf("no subtest has a name that begins with %s", id)
		}
	}
	for id, path := range tested {
		if !slices.Contains(decided, id) {
			t.Errorf("%s: %s is not in testdata/rows.txt", path, id)
		}
	}
}

// rows reads the IDs in testdata/rows.txt, each with its level and what it says.
func rows(t *testing.T) (ids []string) {
	t.Helper()
	text, err := os.ReadFile("testdata/rows.txt")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`^[A-Z]+-[0-9]{2} (MUST|SHOULD|MAY|QUIRK|DECISION|NOTE) +\S.*[^.]$`)
	for i, row := range strings.Split(string(text), "\n") {
		switch {
		case row == "" || row[0] == '#':
			continue
		case !line.MatchString(row):
			t.Errorf("testdata/rows.txt:%d: %q is not ID LEVEL decision", i+1, row)
			continue
		}
		id, _, _ := strings.Cut(row, " ")
		if slices.Contains(ids, id) {
			t.Errorf("testdata/rows.txt:%d: %s is there twice", i+1, id)
		}
		ids = append(ids, id)
	}
	return ids
}

// names returns the strings in a test file that begin with a row's ID, but for
// what is only said of a failure.
func names(t *testing.T, path string) (found []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			return !says(n)
		case *ast.BasicLit:
			if text, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING && rowName.MatchString(text) {
				found = append(found, text)
			}
		}
		return true
	})
	return found
}

// says reports whether a call is t.Errorf or the like.
func says(call *ast.CallExpr) bool {
	f, ok := call.Fun.(*ast.SelectorExpr)
	return ok && slices.Contains([]string{"Error", "Errorf", "Fatal", "Fatalf", "Log", "Logf"}, f.Sel.Name)
}

// TestKeptOut names functions that nothing of the program may call, for what
// they get wrong.
func TestKeptOut(t *testing.T) {
	for _, out := range []struct{ row, function string }{
		{"REQ-49 it reads the first CertID alone, and no signed request", "ocsp.ParseRequest"},
		{"RSP-36 it writes no nonce, and names everybody by name", "ocsp.CreateResponse"},
	} {
		t.Run(out.row, func(t *testing.T) {
			eachFunction(t, func(file string, f *ast.FuncDecl) {
				if used, _ := selectors(f); slices.Contains(used, out.function) {
					t.Errorf("%s: %s uses %s", file, f.Name.Name, out.function)
				}
			})
		})
	}
}
