package config

import (
	"bufio"
	"io"
	"strings"
)

// Table prints the settings in Markdown, as the documentation has them.
func Table(w io.Writer) error {
	out := bufio.NewWriter(w)
	row := func(cells ...string) {
		// A bufio.Writer keeps its first error for Flush.
		out.WriteString("| " + strings.Join(cells, " | ") + " |\n")
	}
	row("flag", "environment", "TOML", "type and default", "scope", "what it does")
	row("---", "---", "---", "---", "---", "---")
	var plain, valued []string
	for i := range settings {
		switch s := &settings[i]; s.kind {
		case unused:
			plain = append(plain, code("-"+s.name))
		case unusedValue:
			valued = append(valued, code("-"+s.name))
		default:
			row(s.row()...)
		}
	}
	row(strings.Join(plain, " "), "", "", "without value", "global", "accepted, changes nothing")
	row(strings.Join(valued, " "), "", "", "with a value", "global", "accepted, changes nothing")
	return out.Flush()
}

func (s *setting) row() []string {
	env, key := code(s.env()), code(s.name)
	if !s.everywhere() || s.kind == refused {
		env, key = "", ""
	}
	if s.name == "config" {
		key = ""
	}
	typed := string(s.kind)
	if s.initial != "" {
		typed += ", " + code(s.initial)
	}
	scope := "global"
	if s.ofIssuer() {
		scope = "issuer"
	}
	return []string{code("-" + s.name), env, key, typed, scope, s.help}
}

func code(s string) string { return "`" + s + "`" }
