package check

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"golang.org/x/term"

	"ocspcgi/lib/command"
	"ocspcgi/lib/journal"
)

func (c *Checker) printJSON() error {
	return command.PrintJSON(c.Stdout, struct {
		Rows     []row `json:"rows"`
		Warnings int   `json:"warnings"`
		Errors   int   `json:"errors"`
	}{slices.Concat([]row{}, c.rows), c.count(warning), c.count(fault)})
}

// print writes rows in columns below the name of their issuer. What to do is said
// once where it is the same for several.
func (c *Checker) print() error {
	out := tabwriter.NewWriter(c.Stdout, 0, 0, 2, ' ', 0)
	colors := c.colors()
	issuer, said := "", map[string]bool{}
	for _, r := range c.rows {
		if r.Issuer != issuer {
			issuer, said = r.Issuer, map[string]bool{}
			fmt.Fprintf(out, "%s\n", journal.Plain(issuer))
		}
		place := cmp.Or(r.File, r.Way)
		if r.Line > 0 {
			place = fmt.Sprintf("%s:%d", r.File, r.Line)
		}
		place, text := journal.Plain(place), indented(journal.Plain(r.Text))
		fmt.Fprintf(out, "  %s%-7s%s\t%s\t%s\n", colors[r.Level], r.Level, colors["end"], place, text)
		if r.Remedy != "" && !said[r.Remedy] {
			said[r.Remedy] = true
			fmt.Fprintf(out, "  %s%-7s%s\t\t-> %s\n", colors["none"], "", colors["end"], indented(journal.Plain(r.Remedy)))
		}
	}
	fmt.Fprintf(out, "%s, %s\n", plural(c.count(fault), "error"), plural(c.count(warning), "warning"))
	return out.Flush()
}

// indented has the further lines of a text below its first.
func indented(text string) string { return strings.ReplaceAll(text, "\n", "\n  \t\t") }

// colors are escape sequences of one length, or none where nobody sees them.
func (c *Checker) colors() map[level]string {
	f, isFile := c.Stdout.(*os.File)
	if v, _ := c.env("NO_COLOR"); v != "" || !isFile || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return map[level]string{good: "\x1b[32m", hint: "\x1b[36m", warning: "\x1b[33m", fault: "\x1b[31m", "none": "\x1b[39m", "end": "\x1b[39m"}
}
