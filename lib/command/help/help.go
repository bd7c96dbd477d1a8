// Package help holds what the program says of itself: how it is called, its
// manual pages, and guides.
package help

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"ocspcgi/lib/config"
)

const usage = `ocspcgi answers OCSP from the index.txt that openssl ca keeps.

As a CGI program it takes its settings from the environment or from
` + config.DefaultFile + ` and needs no flags. Otherwise:

  ocspcgi -index F -CA F -rsigner F [-rkey F] -listen unix:PATH    FastCGI
  ocspcgi -index F -CA F -rsigner F [-rkey F] -port [HOST:]N       HTTP
  ocspcgi -index F -CA F -rsigner F [-rkey F] -reqin F -respout F  one request
  ocspcgi [-config FILE.toml]                                      as the file says

`

const usageEnd = `
The flags are those of openssl ocsp. A second -index begins the next issuer.
ocspcgi help names the topics that there are pages about; VERB -h says what a
verb takes, with an example.
`

// Usage prints how the program is started.
func Usage(w io.Writer) {
	io.WriteString(w, usage)
	columns := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, v := range Verbs {
		fmt.Fprintf(columns, "  ocspcgi %s\t%s\n", v.call(), v.Does)
	}
	columns.Flush()
	io.WriteString(w, usageEnd)
}

// Run prints the usage with all topics, or what is known of one. It returns the
// exit code.
func Run(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		Usage(stdout)
		io.WriteString(stdout, "\nTopics:\n\n")
		columns := tabwriter.NewWriter(stdout, 0, 0, 3, ' ', 0)
		for _, t := range Topics() {
			fmt.Fprintf(columns, "  %s\t%s\n", t.Name, t.Title)
		}
		columns.Flush()
		return 0
	}
	text, err := Text(args[0])
	if err != nil {
		fmt.Fprintln(stderr, "ocspcgi: help:", err)
		return 1
	}
	io.WriteString(stdout, strings.TrimPrefix(text, "\n"))
	return 0
}
