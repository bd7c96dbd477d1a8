// Package command does what main was launched for.
package command

import (
	_ "embed" // help/
	"fmt"
	"io"

	"ocspcgi/lib/config"
)

const usage = `ocspcgi answers OCSP from the index.txt that openssl ca keeps.

As a CGI program it takes its settings from the environment or from
` + config.DefaultFile + ` and needs no flags. Otherwise:

  ocspcgi -index F -CA F -rsigner F [-rkey F] -listen unix:PATH    FastCGI
  ocspcgi -index F -CA F -rsigner F [-rkey F] -port [HOST:]N       HTTP
  ocspcgi -index F -CA F -rsigner F [-rkey F] -reqin F -respout F  one request
  ocspcgi [-config FILE.toml]                                      as the file says

  ocspcgi check [-as USER] FLAGS   whether all of it would work, and does (-url, -staple)
  ocspcgi request   make a request about certificates
  ocspcgi info      show what a request or a response says
  ocspcgi verify    say whether a response is to be believed
  ocspcgi sign      sign one status by hand
  ocspcgi demo [-once] [DIR]   make a CA, serve it, ask it
  ocspcgi VERB -h              what a verb takes, with an example
  ocspcgi help settings        every flag, variable and key
  ocspcgi help signer          how a signer is made with openssl
  ocspcgi help admin           metrics, health and the status page of -admin
  ocspcgi version

The flags are those of openssl ocsp. A second -index begins the next issuer.
`

//go:embed help/signer.txt
var signerHelp string

//go:embed help/admin.txt
var adminHelp string

// Usage prints how the program is started.
func Usage(w io.Writer) { io.WriteString(w, usage) }

// Help prints the usage, or what is known of a topic. It returns the exit code.
func Help(args []string, stdout, stderr io.Writer) int {
	switch {
	case len(args) == 0:
		Usage(stdout)
	case args[0] == "settings":
		if err := config.Table(stdout); err != nil {
			fmt.Fprintln(stderr, "ocspcgi: help settings:", err)
			return 1
		}
	case args[0] == "signer":
		io.WriteString(stdout, signerHelp)
	case args[0] == "admin":
		io.WriteString(stdout, adminHelp)
	case usages[args[0]] != "":
		io.WriteString(stdout, usages[args[0]])
	default:
		fmt.Fprintf(stderr, "ocspcgi: help %s: no such topic; there are: settings, signer, admin, and the verbs\n", args[0])
		return 1
	}
	return 0
}
