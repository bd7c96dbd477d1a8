package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/term"

	"ocspcgi/lib/config"
)

// Checker is the verb check: it looks at settings and at all files that they
// name, and says what is wrong with them, and what to do.
type Checker struct {
	Environ        []string // as of os.Environ
	Stdout, Stderr io.Writer
	Now            func() time.Time // the clock; nil means time.Now

	as     *account // whose rights are looked at; nil: nobody's
	json   bool
	issuer string // that rows are about
	rows   []row
}

// row is one thing that was looked at.
type row struct {
	Issuer string `json:"issuer,omitempty"`
	Level  level  `json:"level"`
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Text   string `json:"text"`
	Remedy string `json:"remedy,omitempty"`
}

// level is how bad it is.
type level string

const (
	good    level = "ok"
	hint    level = "hint" // could be better, and does no harm
	warning level = "warning"
	fault   level = "error"
)

const checkUsage = `ocspcgi check [-as USER] [-json] FLAGS

looks at the settings and at what they name, as the program would with the same
flags, environment and file: keys, certificates, who may sign, file modes, rows
of the index. Without flags it checks what a CGI program would answer with.

  -as USER   whether that user may read it all, such as www-data
  -json      rows for programs

It exits with 0 when all is well, 1 with warnings, 2 with errors.
`

// Run checks what the flags say and returns the exit code.
func (c *Checker) Run(args []string) int {
	rest, err := c.flags(args)
	if err != nil {
		fmt.Fprintln(c.Stderr, "ocspcgi: check:", err)
		return 2
	}
	cfg, err := config.Load(rest, c.Environ, "")
	if cfg.Help {
		io.WriteString(c.Stdout, checkUsage)
		return 0
	}
	for _, w := range cfg.Warnings {
		c.say(warning, w)
	}
	c.faults(err)
	if err == nil {
		c.issuers(cfg)
	}
	if c.json {
		err = c.printJSON()
	} else {
		err = c.print()
	}
	if err != nil {
		fmt.Fprintln(c.Stderr, "ocspcgi: check:", err)
		return 2
	}
	return c.exit()
}

// flags takes those that are check's own.
func (c *Checker) flags(args []string) (rest []string, err error) {
	for i := 0; i < len(args); i++ {
		switch args[i] {
		case "-json", "--json":
			c.json = true
		case "-as", "--as":
			if i++; i == len(args) {
				return nil, errors.New("-as: needs a user")
			}
			if c.as, err = lookUpAccount(args[i]); err != nil {
				return nil, fmt.Errorf("-as: %w", err)
			}
		case "-h", "-?":
			rest = append(rest, "-help")
		default:
			rest = append(rest, args[i])
		}
	}
	return rest, nil
}

func (c *Checker) add(r row) {
	r.Issuer = c.issuer
	c.rows = append(c.rows, r)
}

func (c *Checker) ok(file, format string, a ...any) {
	c.add(row{Level: good, File: file, Text: fmt.Sprintf(format, a...)})
}

// faults adds a row for each error that err joins.
func (c *Checker) faults(err error) {
	if err == nil {
		return
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range joined.Unwrap() {
			c.faults(err)
		}
		return
	}
	c.add(row{Level: fault, Text: err.Error()})
}

// say adds a row for a message of the form FILE: TEXT; REMEDY about one of files.
func (c *Checker) say(l level, message string, files ...string) {
	r := row{Level: l, Text: message}
	for _, file := range files {
		if text, ok := strings.CutPrefix(message, file+": "); ok {
			r.File, r.Text = file, text
		}
	}
	if i := strings.LastIndex(r.Text, "; "); i >= 0 && !strings.Contains(r.Text[i:], "\n") {
		r.Text, r.Remedy = r.Text[:i], r.Text[i+2:]
	}
	c.add(r)
}

func (c *Checker) count(l level) (n int) {
	for _, r := range c.rows {
		if r.Level == l {
			n++
		}
	}
	return n
}

func (c *Checker) exit() int {
	switch {
	case c.count(fault) > 0:
		return 2
	case c.count(warning) > 0:
		return 1
	}
	return 0
}

func (c *Checker) printJSON() error {
	out := json.NewEncoder(c.Stdout)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	return out.Encode(struct {
		Rows     []row `json:"rows"`
		Warnings int   `json:"warnings"`
		Errors   int   `json:"errors"`
	}{slices.Concat([]row{}, c.rows), c.count(warning), c.count(fault)})
}

// print writes rows in columns below the name of their issuer.
func (c *Checker) print() error {
	out := tabwriter.NewWriter(c.Stdout, 0, 0, 2, ' ', 0)
	colors := c.colors()
	issuer := ""
	for _, r := range c.rows {
		if r.Issuer != issuer {
			issuer = r.Issuer
			fmt.Fprintf(out, "%s\n", issuer)
		}
		place := r.File
		if r.Line > 0 {
			place = fmt.Sprintf("%s:%d", r.File, r.Line)
		}
		text := strings.ReplaceAll(r.Text, "\n", "\n  \t\t")
		fmt.Fprintf(out, "  %s%-7s%s\t%s\t%s\n", colors[r.Level], r.Level, colors["end"], place, text)
		if r.Remedy != "" {
			fmt.Fprintf(out, "  %s%-7s%s\t\t-> %s\n", colors["none"], "", colors["end"], r.Remedy)
		}
	}
	fmt.Fprintf(out, "%s, %s\n", plural(c.count(fault), "error"), plural(c.count(warning), "warning"))
	return out.Flush()
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// colors are escape sequences of one length, or none where nobody sees them.
func (c *Checker) colors() map[level]string {
	f, isFile := c.Stdout.(*os.File)
	if v, _ := c.env("NO_COLOR"); v != "" || !isFile || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return map[level]string{good: "\x1b[32m", hint: "\x1b[36m", warning: "\x1b[33m", fault: "\x1b[31m", "none": "\x1b[39m", "end": "\x1b[39m"}
}

func (c *Checker) env(name string) (string, bool) {
	for _, entry := range c.Environ {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value, true
		}
	}
	return "", false
}

func (c *Checker) now() time.Time {
	if c.Now == nil {
		return time.Now()
	}
	return c.Now()
}
