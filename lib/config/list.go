package config

import "strings"

// Setting is what there is to know of a setting for who writes about it or
// completes a command line.
type Setting struct {
	Name     string   // as a flag, behind the dash, and as a key in TOML
	Env      string   // as a variable
	Type     string   // such as path, text or duration
	Choices  []string // the only values, where there are only some
	Default  string   // empty: none, or it depends
	Help     string   // what it does, with what is typed between backticks
	Issuer   bool     // whether it belongs to an issuer
	FlagOnly bool     // whether it is no variable and no key
	Value    bool     // whether the flag takes a value
	Idle     bool     // whether it is accepted, as openssl has it, and changes nothing
}

// Settings lists all settings that are accepted, in their order in the
// documentation.
func Settings() []Setting {
	var list []Setting
	for i := range settings {
		s := &settings[i]
		if s.kind == refused {
			continue
		}
		list = append(list, Setting{
			Name: s.name, Env: s.env(), Type: string(s.kind), Choices: strings.Fields(s.choices),
			Default: s.initial, Help: s.help, Issuer: s.ofIssuer(),
			FlagOnly: s.flagOnly || s.name == "config", Value: s.takesValue(),
			Idle: s.kind == unused || s.kind == unusedValue,
		})
	}
	return list
}
