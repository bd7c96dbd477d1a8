// Command ocspcgi answers OCSP behind the web server that is already there, as
// a CGI program or over FastCGI, from the index.txt that openssl ca keeps.
package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"ocspcgi/cgi"
	"ocspcgi/fcgi"
	"ocspcgi/lib/check"
	"ocspcgi/lib/command"
)

// version is set by the linker.
var version = "unversioned"

func main() { os.Exit(launch(os.Args[1:])) }

// launch finds out how the program was started, by the first sign that holds.
func launch(args []string) int {
	if err := dropSetuid(); err != nil {
		return command.Fail(err)
	}
	program := &command.Program{Version: version, Environ: os.Environ()}
	switch inherited, ok, err := fcgi.Inherited(); {
	case err != nil:
		return command.Fail(err)
	case ok:
		return program.Serve(args, inherited)
	}
	if cgi.Invoked(os.Getenv) {
		return program.CGI() // argv is the client's
	}
	if len(args) > 0 {
		shell := &command.Shell{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Environ: os.Environ()}
		if do := shell.Verb(args[0]); do != nil {
			return do(args[1:])
		}
		checker := &check.Checker{Environ: os.Environ(), Stdout: os.Stdout, Stderr: os.Stderr}
		switch args[0] {
		case "demo":
			return command.Demo(args[1:], os.Stdout, os.Stderr)
		case "check":
			return checker.Run(args[1:])
		case "version", "-version", "--version":
			fmt.Println("ocspcgi", version)
			return 0
		case "help", "-help", "--help", "-h", "-?":
			if len(args) > 1 && args[1] == "check" {
				return checker.Run([]string{"-h"})
			}
			return command.Help(args[1:], os.Stdout, os.Stderr)
		case "serve":
			args = args[1:]
		}
	}
	return program.Serve(args, nil)
}

// dropSetuid gives back what a setuid or setgid bit gave: whoever starts the
// program names the files that it reads and writes.
func dropSetuid() error {
	user, group := os.Getuid(), os.Getgid()
	if user == os.Geteuid() && group == os.Getegid() {
		return nil
	}
	// These set the saved ones, too, and are there on every Unix.
	return errors.Join(syscall.Setregid(group, group), syscall.Setreuid(user, user))
}
