package config

import (
	"strings"
)

// readEnviron reads OCSP_ variables; an empty one is as good as none. The first
// of several with one name counts, as for getenv.
func readEnviron(environ []string) told {
	t := told{global: values{}, named: func(name string) string { return lookup(name).env() }}
	g := group{at: "environment", values: values{}}
	signer := signerGroup{at: "environment", values: values{}}
	for _, entry := range environ {
		name, content, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, "OCSP_") || content == "" {
			continue
		}
		s := lookupEnv(name)
		switch {
		case s == nil:
			t.faults.addf("%s: unknown setting%s", name, didYouMean(name, knownEnv))
		case s.signer != nil:
			signer.values.putEnv(s, name, content)
		case s.issuer != nil:
			g.values.putEnv(s, name, content)
		default:
			t.global.putEnv(s, name, content)
		}
	}
	if len(signer.values) > 0 {
		g.signers = []signerGroup{signer}
	}
	if len(g.values["index"])+len(g.values["ca-dir"]) > 0 {
		t.groups = []group{g}
		return t
	}
	for i := range settings {
		s := &settings[i]
		if len(g.values[s.name])+len(signer.values[s.name]) > 0 {
			t.faults.addf("%s: belongs to an issuer; name it with OCSP_INDEX or OCSP_CA_DIR", s.env())
		}
	}
	return t
}

func lookupEnv(name string) *setting {
	for i := range settings {
		if s := &settings[i]; s.everywhere() && s.env() == name {
			return s
		}
	}
	return nil
}

func knownEnv(s *setting) string {
	if !s.everywhere() {
		return ""
	}
	return s.env()
}

// putEnv cuts lists at spaces.
func (vs values) putEnv(s *setting, name, content string) {
	if len(vs[s.name]) > 0 {
		return
	}
	if !s.repeats() {
		vs[s.name] = []value{{content, name}}
		return
	}
	for _, word := range strings.Fields(content) {
		vs[s.name] = append(vs[s.name], value{word, name})
	}
}
