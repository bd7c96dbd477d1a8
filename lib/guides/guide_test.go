package guides_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// where the guides are.
const where = "../command/help/guides"

// step is one fenced block of a guide: what is typed, or a file.
type step struct {
	line  int    // of the guide, that it begins in
	text  string // of the block
	path  string // of the file that has it; empty: it is typed
	want  string // what is printed, with ... for what differs
	wants bool   // whether anything is said of that
}

// guide is what a guide says to do.
type guide struct {
	name   string
	begins string // the guide that has to be followed before
	text   string
	steps  []step
}

var (
	before   = regexp.MustCompile(`(?m)^It begins where \[.*\]\((.*)\.md\) ends\b`)
	namesTo  = regexp.MustCompile("`(/[^`]+)`[^`]*:$")
	needs35  = regexp.MustCompile(`\bhas OpenSSL 3\.5\b`)
	expected = strings.NewReplacer(regexp.QuoteMeta("..."), ".*")
)

// read takes a guide apart. A block of sh is typed, one of text after it is what
// it prints, and any other goes into the file that the line before it names. Who
// is told to have OpenSSL 3.5 has it.
func read(t *testing.T, name string) guide {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(where, name+".md"))
	if err != nil {
		t.Fatal(err)
	}
	g := guide{name: name, text: string(text)}
	if m := before.FindStringSubmatch(g.text); m != nil {
		g.begins = m[1]
	}
	var kind, above string
	var block []string
	for i, line := range strings.Split(g.text, "\n") {
		switch fence, isFence := strings.CutPrefix(line, "```"); {
		case isFence && kind == "":
			if kind, block = fence, nil; kind == "" {
				t.Fatalf("%s.md:%d: a block that does not say what it is", name, i+1)
			}
		case isFence:
			g.add(t, kind, step{line: i - len(block), text: strings.Join(block, "\n") + "\n"}, above)
			kind = ""
		case kind != "":
			block = append(block, line)
		case line != "":
			above = line
		}
	}
	if kind != "" || len(g.steps) == 0 {
		t.Fatalf("%s.md: it ends within a block, or has none", name)
	}
	if needs35.MatchString(g.text) {
		g.steps = append([]step{{text: "PATH=/opt/openssl35:$PATH\n"}}, g.steps...)
	}
	return g
}

func (g *guide) add(t *testing.T, kind string, s step, above string) {
	t.Helper()
	switch kind {
	case "sh":
	case "text":
		last := &g.steps[len(g.steps)-1]
		if last.path != "" || last.wants {
			t.Fatalf("%s.md:%d: output of what?", g.name, s.line)
		}
		last.want, last.wants = s.text, true
		return
	default:
		m := namesTo.FindStringSubmatch(above)
		if m == nil {
			t.Fatalf("%s.md:%d: the line before does not say which file this goes into", g.name, s.line)
		}
		s.path = m[1]
	}
	g.steps = append(g.steps, s)
}

// names lists all guides.
func names(t *testing.T) (list []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(where, "*.md"))
	if err != nil || len(files) == 0 {
		t.Fatal("no guide found", err)
	}
	for _, file := range files {
		list = append(list, strings.TrimSuffix(filepath.Base(file), ".md"))
	}
	return list
}

// differs says where what was printed is not what the guide says, or "".
func differs(want, got string) string {
	var pattern strings.Builder
	pattern.WriteString(`\A`)
	for line := range strings.Lines(want) {
		if line == "...\n" {
			pattern.WriteString(`(?:.*\n)*?`)
			continue
		}
		fmt.Fprintf(&pattern, `[ \t]*%s[ \t\r]*\n`, expected.Replace(regexp.QuoteMeta(strings.TrimSpace(line))))
	}
	pattern.WriteString(`\z`)
	if got != "" && !strings.HasSuffix(got, "\n") {
		got += "\n"
	}
	if regexp.MustCompile(pattern.String()).MatchString(got) {
		return ""
	}
	return fmt.Sprintf("it prints:\n%s\nand the guide says:\n%s", got, want)
}

func TestDiffers(t *testing.T) {
	for _, c := range []struct {
		want, got string
		same      bool
	}{
		{"a: good\n", "a: good\n", true},
		{"a: good\n", "a: good", true},
		{"a: good\n", "a: revoked\n", false},
		{"a: good\n", "a: good\nmore\n", false},
		{"a ... c\n", "a b c\n", true},
		{"a ... c\n", "a b d\n", false},
		{"...\nb\n", "a\na\nb\n", true},
		{"...\nb\n", "b\n", true},
		{"a\n...\n", "a\nb\n", true},
		{"a.c\n", "abc\n", false},
	} {
		if got := differs(c.want, c.got); (got == "") != c.same {
			t.Errorf("%q, %q: %s", c.want, c.got, got)
		}
	}
}

// Guides are read in a terminal, and all are built alike.
func TestForm(t *testing.T) {
	for _, name := range names(t) {
		g := read(t, name)
		for i, line := range strings.Split(g.text, "\n") {
			if n := len([]rune(line)); n > 100 {
				t.Errorf("%s.md:%d: %d columns", name, i+1, n)
			}
		}
		for _, part := range []string{"# ", "\nAt the end ", "\n## See that it works\n", "\n## What goes wrong most often\n"} {
			if !strings.Contains("\n"+g.text, part) {
				t.Errorf("%s.md: no %q", name, part)
			}
		}
	}
}

// What a guide has of a snippet that is shipped is what is shipped.
func TestShipped(t *testing.T) {
	for _, c := range []struct{ guide, path, snippet string }{
		{"nginx", "/etc/nginx/conf.d/ocsp.conf", "../../nginx/host.conf"},
	} {
		want, err := os.ReadFile(c.snippet)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, s := range read(t, c.guide).steps {
			if s.path == c.path {
				found = true
				if s.text != string(want) {
					t.Errorf("%s.md:%d is not %s", c.guide, s.line, c.snippet)
				}
			}
		}
		if !found {
			t.Errorf("%s.md has no %s", c.guide, c.path)
		}
	}
}
