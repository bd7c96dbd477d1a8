package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"ocspcgi/lib/journal"
	"ocspcgi/lib/once"
)

// Shell is what a verb has from where a person typed it.
type Shell struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Environ        []string         // as of os.Environ
	Now            func() time.Time // the clock; nil means time.Now
}

// exitMisused is for flags that cannot be understood (EX_USAGE of sysexits.h).
const exitMisused = 64

// Verb returns what the verb of that name does with its arguments, which ends in
// an exit code; nil where there is no such verb.
func (s *Shell) Verb(name string) func(args []string) int {
	switch name {
	case "request":
		return s.request
	case "info":
		return s.info
	case "verify":
		return s.verify
	case "sign":
		return s.sign
	case "signer":
		return s.signer
	case "query":
		return s.query
	case "stop":
		return s.stop
	}
	return nil
}

func (s *Shell) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

func (s *Shell) lookupEnv(name string) (string, bool) {
	return (&once.Program{Environ: s.Environ}).LookupEnv(name)
}

// verb is one of them with its flags. A flag is written with one dash or two,
// before or after what is no flag.
type verb struct {
	*Shell
	name   string
	usage  string // what -h prints
	failed int    // exit code of what did not come about
	flags  *flag.FlagSet
	json   bool
	rest   []string // what is no flag
}

// misuse is an error in how a verb was called.
type misuse struct{ error }

func misused(format string, a ...any) error { return misuse{fmt.Errorf(format, a...)} }

func (s *Shell) verb(name, usage string) *verb {
	v := &verb{Shell: s, name: name, usage: usage, failed: 1, flags: flag.NewFlagSet(name, flag.ContinueOnError)}
	v.flags.SetOutput(io.Discard)
	v.flags.BoolVar(&v.json, "json", false, "")
	return v
}

// text and the like take a flag under each of its names: ours, that of qpki,
// that of openssl.
func (v *verb) text(to *string, names ...string) {
	for _, name := range names {
		v.flags.StringVar(to, name, *to, "")
	}
}

func (v *verb) toggle(to *bool, names ...string) {
	for _, name := range names {
		v.flags.BoolVar(to, name, *to, "")
	}
}

func (v *verb) call(do func(string) error, names ...string) {
	for _, name := range names {
		v.flags.Func(name, "", do)
	}
}

// run reads the arguments, does what the verb does, and returns the exit code.
func (v *verb) run(args []string, do func() (int, error)) int {
	switch err := v.parse(args); {
	case errors.Is(err, flag.ErrHelp):
		io.WriteString(v.Stdout, v.usage)
		return 0
	case err != nil:
		return v.fail(misuse{err})
	}
	code, err := do()
	if err != nil {
		return v.fail(err)
	}
	return code
}

// fail says what is wrong, each fault on a line of its own.
func (v *verb) fail(err error) int {
	prefix := "ocspcgi: " + v.name + ": "
	fmt.Fprintln(plain{v.Stderr}, prefix+strings.ReplaceAll(err.Error(), "\n", "\n"+prefix))
	if wrong := (misuse{}); errors.As(err, &wrong) {
		fmt.Fprintf(v.Stderr, "ocspcgi %s -h says how it is called\n", v.name)
		return exitMisused
	}
	return v.failed
}

// parse takes flags wherever they stand, up to a -- alone.
func (v *verb) parse(args []string) error {
	for {
		if len(args) > 0 && args[0] == "-?" {
			return flag.ErrHelp
		}
		if err := v.flags.Parse(args); err != nil {
			return err
		}
		left := v.flags.Args()
		if n := len(args) - len(left); n > 0 && args[n-1] == "--" || len(left) == 0 {
			v.rest = append(v.rest, left...)
			return nil
		}
		v.rest, args = append(v.rest, left[0]), left[1:]
	}
}

// file takes the one argument that is no flag for the name of a file, where no
// flag has named it; without either it is stdin.
func (v *verb) file(named string) (string, error) {
	switch {
	case len(v.rest) > 1 || named != "" && len(v.rest) > 0:
		return "", misused("%q: one file is enough", v.rest[len(v.rest)-1])
	case named == "" && len(v.rest) == 1:
		return v.rest[0], nil
	case named == "":
		return "-", nil
	}
	return named, nil
}

// nothing refuses arguments that are no flags.
func (v *verb) nothing() error {
	if len(v.rest) > 0 {
		return misused("%q is no flag", v.rest[0])
	}
	return nil
}

// read reads a file, or stdin for a dash, of a megabyte at the most.
func (v *verb) read(path string) ([]byte, error) {
	const limit = 1 << 20
	in := v.Stdin
	if path != "-" && path != "/dev/stdin" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, limit+1))
	if err == nil && len(data) > limit {
		err = fmt.Errorf("%s: larger than 1 MiB", path)
	}
	return data, err
}

// PrintJSON prints what a program reads, and nothing that a terminal obeys.
func PrintJSON(w io.Writer, what any) error {
	var text bytes.Buffer
	out := json.NewEncoder(&text)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	if err := out.Encode(what); err != nil {
		return err
	}
	_, err := w.Write(journal.Escaped(text.Bytes()))
	return err
}
