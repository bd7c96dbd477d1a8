// Package servertest asks a responder behind a real web server what clients
// ask.
//
// The tests in apache and nginx use it, one site for each snippet. Servers run
// in the foreground on loopback, as ordinary processes in directories of their
// own; where the tests run as root they have the account of the distribution's
// web servers. Whatever is missing ends the test.
package servertest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ocspcgi/lib/pkitest"
)

// Version is what the program that Main builds says of itself.
const Version = "1.2.3-test"

// Responder is what a web server passes requests to: the program, with the
// settings of a CA.
type Responder struct {
	*pkitest.Company
	// Slashes has a serial number that makes + and / of its request's base64,
	// several in a row.
	Slashes *pkitest.Leaf

	Program string
	Dir     string // owned by the account of the servers
	Config  string // path of the TOML
	Socket  string // path of the FastCGI socket
}

// NewResponder makes a CA and the settings to answer for it.
func NewResponder(t testing.TB, program string) *Responder {
	t.Helper()
	r := Around(t, program, pkitest.NewCompany(t))
	r.Slashes = r.Issue("slashes", pkitest.Serial("7FFFFFFFFFFBEFBE01"))
	return r
}

// SignWith has the responder sign with another certificate of the CA, as soon
// as it has read its settings again.
func (r *Responder) SignWith(t testing.TB, signer *pkitest.Signer) {
	t.Helper()
	own(t, signer.Key)
	WriteFile(t, r.Config, fmt.Sprintf("hyperlink = %q\n[[issuer]]\nCA = %q\nindex = %q\nrsigner = %q\nrkey = %q\n",
		Hyperlink, r.Cert, r.Index, signer.Cert, signer.Key))
}

// Hyperlink is where the page for people points to.
const Hyperlink = "https://ca.example.com/"

// Serve starts the program as a FastCGI responder on its socket.
func (r *Responder) Serve(t testing.TB) *Process {
	t.Helper()
	return Start(t, r.Dir, "unix:"+r.Socket, r.Program, "-config", r.Config, "-listen", "unix:"+r.Socket)
}

// Snippet reads a file as it is shipped and puts the paths of the test in place
// of the shipped ones, and address in place of port 80.
func (r *Responder) Snippet(t testing.TB, file, address string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer(
		"/usr/lib/cgi-bin/ocspcgi", r.Program,
		"/usr/lib/cgi-bin", filepath.Dir(r.Program),
		"/etc/ocspcgi/ocspcgi.toml", r.Config,
		"/run/ocspcgi/ocspcgi.sock", r.Socket,
		"*:80", address,
		"listen 80", "listen "+address,
	).Replace(string(text))
}

// WriteFile writes a file that everybody may read.
func WriteFile(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Script returns a responder whose program is a shell script.
func (r *Responder) Script(t testing.TB, text string) *Responder {
	t.Helper()
	script := *r
	script.Program = filepath.Join(Room(t), "ocspcgi")
	WriteFile(t, script.Program, "#!/bin/sh\n"+text+"\n")
	if err := os.Chmod(script.Program, 0o755); err != nil {
		t.Fatal(err)
	}
	return &script
}

// Relayed returns a responder whose socket is a relay to this one's, or to
// nobody who answers.
func (r *Responder) Relayed(t testing.TB, answers bool) (*Responder, *Relay) {
	t.Helper()
	relayed := *r
	relayed.Socket = filepath.Join(Room(t), "relay.sock")
	to := r.Socket
	if !answers {
		to = ""
	}
	return &relayed, NewRelay(t, relayed.Socket, to)
}
