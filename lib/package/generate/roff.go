package main

import (
	"fmt"
	"regexp"
	"strings"
)

// roff turns a page of help into one for man, in the macros of man(7). Headings
// begin in the first column, paragraphs in the fifth. A line with more in the
// ninth right below it is a term; what stands in the ninth otherwise, or in the
// thirteenth, is shown as it is.
func roff(name, section, text string) string {
	w := &roffWriter{}
	fmt.Fprintf(&w.out, ".TH %q %q \"\" \"ocspcgi\" \"ocspcgi\"\n.nh\n.ad l\n", strings.ToUpper(name), section)
	w.lines = strings.Split(strings.TrimSpace(text), "\n")
	for w.at < len(w.lines) {
		w.block()
	}
	return w.out.String()
}

type roffWriter struct {
	out   strings.Builder
	lines []string
	at    int
	item  bool // the last paragraph belongs to a term
	fresh bool // a heading is right above
}

// block writes what comes next: a heading, a term, a paragraph or an example.
func (w *roffWriter) block() {
	line := w.lines[w.at]
	indent := len(line) - len(strings.TrimLeft(line, " "))
	next := ""
	if line != "" && indent > 0 {
		defer func() { w.fresh = false }()
	}
	if w.at+1 < len(w.lines) {
		next = w.lines[w.at+1]
	}
	switch {
	case line == "":
		w.at++
	case indent == 0:
		fmt.Fprintf(&w.out, ".SH %s\n", line)
		w.at++
		w.item, w.fresh = false, true
		if line == "SYNOPSIS" {
			w.verbatim(4)
		}
	case indent == 4 && strings.HasPrefix(next, "        "):
		fmt.Fprintf(&w.out, ".TP\n%s\n", bold(strings.TrimSpace(line)))
		w.at++
		w.paragraph(8)
		w.item = true
	case indent == 4:
		w.part()
		w.paragraph(4)
		w.item = false
	case indent == 8 && w.item:
		w.out.WriteString(".IP\n")
		w.paragraph(8)
	default:
		w.part()
		w.out.WriteString(".RS 4\n")
		w.verbatim(8)
		w.out.WriteString(".RE\n")
	}
}

// part begins a paragraph, which a heading has done already.
func (w *roffWriter) part() {
	if !w.fresh {
		w.out.WriteString(".PP\n")
	}
	w.fresh = false
}

// paragraph writes text that is filled, up to an empty line or another indent.
func (w *roffWriter) paragraph(indent int) {
	for ; w.at < len(w.lines); w.at++ {
		text, ok := cutIndent(w.lines[w.at], indent)
		if !ok || strings.HasPrefix(text, " ") {
			return
		}
		w.out.WriteString(words(text) + "\n")
	}
}

// verbatim writes lines as they stand, up to less of an indent.
func (w *roffWriter) verbatim(indent int) {
	var lines []string
	for ; w.at < len(w.lines); w.at++ {
		text, ok := cutIndent(w.lines[w.at], indent)
		if !ok && w.lines[w.at] != "" {
			break
		}
		lines = append(lines, escape(text))
	}
	w.out.WriteString(".nf\n" + strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n.fi\n")
}

func cutIndent(line string, indent int) (string, bool) {
	text, ok := strings.CutPrefix(line, strings.Repeat(" ", indent))
	return text, ok && text != ""
}

// escape makes text that roff prints as it is.
func escape(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`, "…", "...").Replace(text)
	if strings.HasPrefix(text, ".") {
		text = `\&` + text
	}
	return text
}

func bold(text string) string { return `\fB` + escape(text) + `\fR` }

// strong is what stands out in a paragraph: flags, and other pages.
var strong = regexp.MustCompile(`(^|[ (])(-[A-Za-z][A-Za-z0-9_-]*|[a-z][a-z.-]*\([1-8]\))`)

func words(text string) string {
	var out strings.Builder
	for at := 0; ; {
		m := strong.FindStringSubmatchIndex(text[at:])
		if m == nil {
			out.WriteString(escape(text[at:]))
			break
		}
		out.WriteString(escape(text[at:at+m[4]]) + bold(text[at+m[4]:at+m[5]]))
		at += m[5]
	}
	if line := out.String(); strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
		return `\&` + line
	}
	return out.String()
}

// verbPage is the page of a verb: what -h says, under headings.
func verbPage(name, does, usage string) string {
	call, rest, _ := strings.Cut(usage, "\n")
	var text strings.Builder
	fmt.Fprintf(&text, "NAME\n    %s - %s\n\nSYNOPSIS\n    %s\n\nDESCRIPTION\n", name, does, call)
	first := true
	for part := range strings.SplitSeq(strings.TrimSpace(rest), "\n\n") {
		lines := strings.Split(part, "\n")
		listed := strings.HasPrefix(lines[0], " ")
		for i, line := range lines {
			switch {
			case first && i == 0:
				line = "    It " + line
			case listed:
				line = "      " + line
			default:
				line = "    " + line
			}
			text.WriteString(line + "\n")
		}
		first = false
		text.WriteByte('\n')
	}
	text.WriteString("SEE ALSO\n    ocspcgi(8), ocspcgi.toml(5)\n")
	return roff(name, "8", text.String())
}
