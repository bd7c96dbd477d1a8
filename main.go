// Command ocspcgi answers OCSP behind the web server that is already there, as
// a CGI program or over FastCGI, from the index.txt that openssl ca keeps.
package main

import (
	"fmt"
	"os"

	"ocspcgi/cgi"
	"ocspcgi/fcgi"
	"ocspcgi/lib/check"
	"ocspcgi/lib/command"
	"ocspcgi/lib/command/help"
	"ocspcgi/lib/once"
)

// version is set by the linker.
var version = "unversioned"

func main() { os.Exit(launch(os.Args[1:])) }

// launch finds out how the program was started, by the first sign that holds.
func launch(args []string) int {
	once.NoCore()
	program := &once.Program{Version: version, Environ: os.Environ(), Refused: once.RefuseSetuid()}
	inherited, ok, err := fcgi.Inherited()
	switch {
	case program.Refused != nil && (ok || !cgi.Invoked(os.Getenv)):
		return once.Fail(program.Refused)
	case err != nil:
		return once.Fail(err)
	case ok:
		return command.Serve(program, args, inherited)
	}
	if cgi.Invoked(os.Getenv) {
		return program.CGI() // argv is the client's
	}
	if len(args) > 0 {
		if do := verb(args[0]); do != nil {
			return do(args[1:])
		}
		switch args[0] {
		case "demo":
			return command.Demo(args[1:], os.Stdout, os.Stderr)
		case "version", "-version", "--version":
			fmt.Println("ocspcgi", version)
			return 0
		case "help", "-help", "--help", "-h", "-?":
			if len(args) > 1 && !help.Has(args[1]) {
				if do := verb(args[1]); do != nil {
					return do([]string{"-h"})
				}
			}
			return help.Run(args[1:], os.Stdout, os.Stderr)
		case "serve":
			return command.ServeAs(program, args[1:])
		}
	}
	return command.Serve(program, args, nil)
}

// verb returns what a verb does that says with -h what it takes; nil for others.
func verb(name string) func(args []string) int {
	if name == "check" {
		return (&check.Checker{Environ: os.Environ(), Stdout: os.Stdout, Stderr: os.Stderr}).Run
	}
	return (&command.Shell{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Environ: os.Environ()}).Verb(name)
}
