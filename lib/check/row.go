package check

import (
	"fmt"
	"strings"
)

// row is one thing that was looked at.
type row struct {
	Issuer string `json:"issuer,omitempty"`
	Level  level  `json:"level"`
	File   string `json:"file,omitempty"`
	Way    string `json:"probe,omitempty"` // in which a responder was asked
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

// exit is the exit code that the worst row asks for.
func (c *Checker) exit() int {
	switch {
	case c.count(fault) > 0:
		return 2
	case c.count(warning) > 0:
		return 1
	}
	return 0
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// fewRows is how many rows are written about one kind of fault.
const fewRows = 5

// crowd is many rows of one kind, of which the first are written.
type crowd struct {
	c *Checker
	n int
	r row // the last
}

func (w *crowd) add(r row) {
	w.r = r
	if w.n++; w.n <= fewRows {
		w.c.add(r)
	}
}

// close says how many more there are.
func (w *crowd) close() {
	if more := w.n - fewRows; more > 0 {
		w.c.add(row{Level: w.r.Level, File: w.r.File, Text: fmt.Sprintf("%d more like that", more)})
	}
}
