package help

import "strings"

// Verb is what may stand first on the command line.
type Verb struct {
	Name  string
	Takes string // what may follow it, for the usage
	Does  string // in a few words
	// Settings says whether it takes the flags of settings, too.
	Settings bool
}

// Verbs are all of them, in the order of the usage. They never change.
var Verbs = [...]Verb{
	{Name: "check", Takes: "[-as USER] FLAGS", Does: "whether all of it would work, and does (-url, -staple)", Settings: true},
	{Name: "query", Takes: "FLAGS [URL] [CERT]", Does: "ask a responder, and verify what it answers"},
	{Name: "request", Takes: "FLAGS", Does: "make a request about certificates"},
	{Name: "info", Takes: "[FILE]", Does: "show what a request or a response says"},
	{Name: "verify", Takes: "FLAGS RESPONSE", Does: "say whether a response is to be believed"},
	{Name: "sign", Takes: "FLAGS", Does: "sign one status by hand"},
	{Name: "signer", Takes: "FLAGS", Does: "sign for a responder that has no key, behind a unix socket"},
	{Name: "stop", Takes: "FLAGS", Does: "stop a responder by its PID file, its port or its socket"},
	{Name: "demo", Takes: "[-once] [DIR]", Does: "make a CA, serve it, ask it"},
	{Name: "serve", Takes: "FLAGS", Does: "the same as the flags alone", Settings: true},
	{Name: "help", Takes: "[TOPIC]", Does: "this, or a page about a topic"},
	{Name: "version", Does: "which one this is"},
}

func (v *Verb) call() string { return strings.TrimSpace(v.Name + " " + v.Takes) }
