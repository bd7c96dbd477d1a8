// Command cgibin is what is installed as ocsp.cgi: the same answers by the same
// code as ocspcgi's, without the sockets and verbs that each start of a process
// would pay for.
package main

import (
	"os"

	"ocspcgi/lib/once"
)

// version is set by the linker.
var version = "unversioned"

func main() {
	os.Exit((&once.Program{Version: version, Environ: os.Environ()}).Only())
}
