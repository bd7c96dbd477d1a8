package help

import (
	"fmt"
	"slices"
	"strings"

	"ocspcgi/lib/config"
)

// fill puts lists into a page in the place of the lines that name them, so that
// no page can forget a flag.
func fill(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		if list, ok := list(strings.TrimSpace(line)); ok {
			line = list
		}
		out.WriteString(line)
	}
	return out.String()
}

// list makes the list of a name, if there is one of that name.
func list(name string) (string, bool) {
	switch name {
	case "@verbs":
		return verbList(), true
	case "@flags":
		return settingList(flagTag, isFlag), true
	case "@idle-flags":
		return idleList(), true
	case "@keys":
		return settingList(keyTag, func(s *config.Setting) bool { return isKey(s) && !s.Issuer }), true
	case "@issuer-keys":
		return settingList(keyTag, func(s *config.Setting) bool { return isKey(s) && s.Issuer }), true
	}
	return "", false
}

func isFlag(s *config.Setting) bool { return !s.Idle }
func isKey(s *config.Setting) bool  { return !s.Idle && !s.FlagOnly }

func verbList() string {
	var out strings.Builder
	for i, v := range Verbs {
		if i > 0 {
			out.WriteByte('\n')
		}
		item(&out, v.call(), sentence(v.Does))
	}
	return out.String()
}

// settingList describes those settings that are wanted.
func settingList(tag func(*config.Setting) string, wanted func(*config.Setting) bool) string {
	var out strings.Builder
	for _, s := range config.Settings() {
		if !wanted(&s) {
			continue
		}
		if out.Len() > 0 {
			out.WriteByte('\n')
		}
		about := sentence(s.Help)
		if s.Default != "" {
			about += " Default: " + s.Default + "."
		}
		item(&out, tag(&s), about)
	}
	return out.String()
}

func flagTag(s *config.Setting) string {
	if !s.Value {
		return "-" + s.Name
	}
	return "-" + s.Name + " " + placeholder(s)
}

func keyTag(s *config.Setting) string {
	value := placeholder(s)
	switch s.Type {
	case "boolean":
		value = "true|false"
	case "paths", "texts", "addresses":
		value = `["` + value + `", ...]`
	case "number", "seconds":
	default:
		value = `"` + value + `"`
	}
	return s.Name + " = " + value
}

// placeholder stands for a value.
func placeholder(s *config.Setting) string {
	switch {
	case s.Name == "ca-dir" || s.Name == "cache":
		return "DIR"
	case len(s.Choices) > 0:
		return strings.Join(s.Choices, "|")
	}
	switch s.Type {
	case "path", "paths":
		return "FILE"
	case "number":
		return "N"
	case "texts":
		return "TEXT"
	case "addresses":
		return "ADDRESS"
	case "port":
		return "[HOST:]N"
	}
	return strings.ToUpper(s.Type)
}

// idleList names the flags that change nothing, with and without value.
func idleList() string {
	var plain, valued []string
	for _, s := range config.Settings() {
		switch {
		case s.Idle && s.Value:
			valued = append(valued, "-"+s.Name)
		case s.Idle:
			plain = append(plain, "-"+s.Name)
		}
	}
	slices.Sort(plain)
	slices.Sort(valued)
	return wrap(4, "Without a value: "+strings.Join(plain, " ")+".") + "\n" + wrap(4, "With one: "+strings.Join(valued, " ")+".")
}

// item is a term with what it means.
func item(out *strings.Builder, tag, about string) {
	fmt.Fprintf(out, "    %s\n%s", tag, wrap(8, about))
}

// sentence makes one of a note, as it is read on a terminal.
func sentence(note string) string {
	note = strings.ReplaceAll(note, "`", "")
	if note == "" || strings.HasPrefix(note, "index.txt") {
		return note
	}
	if first, _, _ := strings.Cut(note, " "); !strings.ContainsAny(first, ":_[|.") {
		note = strings.ToUpper(note[:1]) + note[1:]
	}
	return strings.TrimSuffix(note, ".") + "."
}

// wrap breaks words into lines of 78 columns, each indented.
func wrap(indent int, text string) string {
	var out strings.Builder
	column := 0
	for word := range strings.FieldsSeq(text) {
		switch {
		case column == 0:
			out.WriteString(strings.Repeat(" ", indent))
			column = indent
		case column+1+len(word) > 78:
			out.WriteString("\n" + strings.Repeat(" ", indent))
			column = indent
		default:
			out.WriteByte(' ')
			column++
		}
		out.WriteString(word)
		column += len(word)
	}
	out.WriteByte('\n')
	return out.String()
}
