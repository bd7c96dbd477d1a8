package help_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ocspcgi/lib/command/help"
	"ocspcgi/lib/config"
)

// launched are the words that are looked for as a verb, but for aliases.
func launched(t *testing.T) (words []string) {
	t.Helper()
	for _, file := range []string{"../../../main.go", "../verb.go"} {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CaseClause:
				words = append(words, literals(n.List...)...)
			case *ast.BinaryExpr:
				words = append(words, literals(n.Y)...)
			}
			return true
		})
	}
	return words
}

// literals are the words among expressions that are strings.
func literals(list ...ast.Expr) (words []string) {
	for _, e := range list {
		lit, ok := e.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			continue
		}
		if word, err := strconv.Unquote(lit.Value); err == nil && regexp.MustCompile("^[a-z]+$").MatchString(word) {
			words = append(words, word)
		}
	}
	return words
}

func TestVerbs(t *testing.T) {
	var named []string
	for _, v := range help.Verbs {
		named = append(named, v.Name)
	}
	slices.Sort(named)
	words := launched(t)
	slices.Sort(words)
	if !slices.Equal(words, named) {
		t.Errorf("main knows %v, help %v", words, named)
	}
}

func TestTopics(t *testing.T) {
	var names []string
	for _, topic := range help.Topics() {
		names = append(names, topic.Name)
		text, err := help.Text(topic.Name)
		if err != nil || len(text) < 100 || topic.Title == "" || len(topic.Title) > 70 {
			t.Errorf("%s (%s): %d bytes, %v", topic.Name, topic.Title, len(text), err)
		}
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "@") {
				t.Errorf("%s: %s is no list", topic.Name, line)
			}
		}
	}
	for _, name := range []string{"ocspcgi", "settings", "signer", "toml"} {
		if !slices.Contains(names, name) {
			t.Errorf("no %s in %v", name, names)
		}
	}
	if slices.Sort(names); len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("a name is there twice: %v", names)
	}
	if _, err := help.Text("nothing"); err == nil || !strings.Contains(err.Error(), "settings") {
		t.Errorf("%v", err)
	}
}

// The manual pages describe each setting once, and in 80 columns.
func TestSettings(t *testing.T) {
	flags, err := help.Text("ocspcgi")
	keys, keysErr := help.Text("toml")
	if err != nil || keysErr != nil {
		t.Fatal(err, keysErr)
	}
	for _, s := range config.Settings() {
		n := strings.Count(flags, "\n    -"+s.Name+"\n") + strings.Count(flags, "\n    -"+s.Name+" ")
		if !s.Idle && n != 1 {
			t.Errorf("-%s is there %d times", s.Name, n)
		}
		want := 1
		if s.FlagOnly || s.Idle {
			want = 0
		}
		if n := strings.Count(keys, "\n    "+s.Name+" = "); n != want {
			t.Errorf("%s is there %d times", s.Name, n)
		}
	}
	for line := range strings.Lines(flags + keys) {
		if len(line) > 97 { // commands to copy stay whole
			t.Errorf("%d columns: %s", len(line)-1, line)
		}
	}
}
