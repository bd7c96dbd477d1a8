package config

import (
	"fmt"
	"strings"
)

// flagReader goes through the command line from left to right.
type flagReader struct {
	told
	args    []string
	next    int         // of args
	indexed bool        // the first -index or -ca-dir has been seen
	early   signerGroup // -rkey and -passin before any -rsigner of the group
	hush    bool        // the last argument may have been part of a pass phrase
	guessed bool        // an unknown flag may have been the -index that is missing
}

func readFlags(args []string) told {
	r := &flagReader{args: args}
	r.global, r.defaults = values{}, values{}
	r.named = func(name string) string { return "-" + name }
	r.begin("")
	for r.next < len(r.args) {
		r.flag()
	}
	r.end()
	return r.told
}

// flag reads one flag and its value.
func (r *flagReader) flag() {
	at, arg := r.next+1, r.args[r.next]
	r.next++
	name, attached, isAttached := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(arg, "-"), "-"), "=")
	s := lookup(name)
	switch {
	case len(arg) < 2 || arg[0] != '-' || r.hush && s == nil:
		r.faults.addf("argument %d is no flag; flags begin with -, and a value with spaces needs quotes", at)
		return
	case s == nil:
		r.unknown(name, at, attached, isAttached)
		return
	case s.kind == refused:
		r.faults.addf("-%s (argument %d): refused: %s", name, at, s.help)
		return
	}
	v := value{text: "true", at: fmt.Sprintf("-%s (argument %d)", name, at)}
	switch {
	case isAttached:
		v.text = attached
	case s.takesValue():
		if r.next == len(r.args) || isFlag(r.args[r.next]) {
			r.faults.addf("%s: needs a value", v.at)
			return
		}
		v.text = r.args[r.next]
		r.next++
	}
	r.hush = s.kind == passin
	r.faults.add(r.put(s, v))
}

// isFlag tells the known flags from values that begin with a dash.
func isFlag(arg string) bool {
	name, _, _ := strings.Cut(arg, "=")
	return strings.HasPrefix(arg, "-") && lookup(strings.TrimPrefix(name[1:], "-")) != nil
}

// unknown passes over what may be the value of a flag that nobody knows.
func (r *flagReader) unknown(name string, at int, attached string, isAttached bool) {
	r.guessed = true
	r.faults.addf("-%s (argument %d): unknown flag%s", name, at, didYouMean("-"+name, knownFlag))
	if !isAttached && r.next < len(r.args) && !strings.HasPrefix(r.args[r.next], "-") {
		attached = r.args[r.next]
		r.next++
	}
	r.hush = strings.HasPrefix(attached, "pass:")
}

func knownFlag(s *setting) string { return "-" + s.name }

// put sorts a flag into the group it belongs to.
func (r *flagReader) put(s *setting, v value) error {
	current := &r.groups[len(r.groups)-1]
	switch {
	case !s.ofIssuer():
		return r.global.put(s, v)
	case s.begins() && r.indexed:
		r.begin(v.at)
		return r.groups[len(r.groups)-1].values.put(s, v)
	case s.begins():
		r.indexed = true
		current.at = "command line, " + place(v.at)
		return current.values.put(s, v)
	case s.name == "rsigner":
		return r.beginSigner(current, s, v)
	case s.name == "rkey" || s.name == "passin" && r.indexed:
		if n := len(current.signers); n > 0 {
			return current.signers[n-1].values.put(s, v)
		}
		return r.early.values.put(s, v)
	case s.name == "CA" || r.indexed:
		return current.values.put(s, v)
	}
	return r.defaults.put(s, v)
}

// begins says whether a flag begins an issuer.
func (s *setting) begins() bool { return s.name == "index" || s.name == "ca-dir" }

// begin opens a group; place is where its -index or -ca-dir stands.
func (r *flagReader) begin(at string) {
	r.endGroup()
	r.groups = append(r.groups, group{at: "command line, " + place(at), values: values{}})
	r.early = signerGroup{values: values{}}
}

// place cuts "argument N" out of a flag's place.
func place(at string) string {
	_, argument, _ := strings.Cut(strings.TrimSuffix(at, ")"), "(")
	return argument
}

// beginSigner opens a signer; the first of a group has what stood before it.
func (r *flagReader) beginSigner(g *group, s *setting, v value) error {
	signer := signerGroup{at: "command line, " + place(v.at), values: values{}}
	if len(g.signers) == 0 {
		signer.values = r.early.values
	}
	err := signer.values.put(s, v)
	g.signers = append(g.signers, signer)
	return err
}

// endGroup keeps a key without certificate, for buildSigners to complain.
func (r *flagReader) endGroup() {
	if len(r.groups) == 0 {
		return
	}
	g := &r.groups[len(r.groups)-1]
	if len(g.signers) == 0 && len(r.early.values) > 0 {
		r.early.at = g.at
		g.signers = append(g.signers, r.early)
	}
}

// end refuses issuer flags that name no issuer.
func (r *flagReader) end() {
	r.endGroup()
	if r.indexed {
		return
	}
	first := r.groups[0]
	r.groups = nil
	if r.guessed {
		return
	}
	for i := range settings {
		name := settings[i].name
		given := append(r.defaults[name], first.values[name]...)
		for _, signer := range first.signers {
			given = append(given, signer.values[name]...)
		}
		if len(given) > 0 {
			r.faults.addf("%s: belongs to an issuer; name it with -index or -ca-dir", given[0].at)
		}
	}
}
