package main

import (
	"cmp"
	"regexp"
	"strings"

	"ocspcgi/lib/command/help"
	"ocspcgi/lib/config"
)

// flag is what a shell has to know of one.
type flag struct {
	name  string
	does  string
	value bool
	takes []string // the values, or how they begin
	kind  string   // of the value else: file, dir, user or empty
	open  bool     // takes is only how values begin
}

// settings are the flags of the program itself, without those that change
// nothing: nobody types them anew.
func settings() (flags []flag) {
	for _, s := range config.Settings() {
		if s.Idle {
			continue
		}
		f := flag{name: s.Name, does: strings.ReplaceAll(s.Help, "`", ""), value: s.Value, takes: s.Choices}
		switch {
		case s.Name == "ca-dir" || s.Name == "cache":
			f.kind = "dir"
		case s.Type == "path" || s.Type == "paths":
			f.kind = "file"
		case s.Type == "addresses":
			f.takes, f.open = []string{"unix:", "tcp:", "http:"}, true
		case s.Type == "source":
			f.takes, f.open = []string{"pass:", "env:", "file:", "fd:", "stdin", "credential:"}, true
		case s.Name == "rmd":
			f.takes = []string{"sha256", "sha384", "sha512"}
		}
		flags = append(flags, f)
	}
	return flags
}

// described is a flag in a usage: its name, what stands for its value, and what
// it does.
var described = regexp.MustCompile(`(?m)^ +-([A-Za-z_]+)( [A-Z][A-Za-z]*)?  +(.*)$`)

// flagsOf are the flags of a verb.
func flagsOf(v help.Verb) (flags []flag) {
	for _, m := range described.FindAllStringSubmatch(usageOf(v.Name), -1) {
		f := flag{name: m[1], does: m[3], value: m[2] != ""}
		switch value := strings.TrimSpace(m[2]); {
		case f.name == "as":
			f.kind = "user"
		case f.name == "status":
			f.takes = []string{"good", "revoked", "unknown"}
		case f.name == "hash":
			f.takes = []string{"sha1", "sha256", "sha384", "sha512"}
		case f.name == "outform":
			f.takes = []string{"DER", "PEM"}
		case value == "FILE" || value == "F" || value == "RESPONSE":
			f.kind = "file"
		case value == "DIR":
			f.kind = "dir"
		}
		flags = append(flags, f)
	}
	if v.Name == "demo" {
		flags = append(flags, flag{name: "once", does: "end by itself"})
	}
	if v.Settings {
		flags = append(flags, settings()...)
	}
	return flags
}

// operand is what a verb takes that is no flag: file, dir, topic or empty.
func operand(v help.Verb) string {
	switch {
	case v.Name == "help":
		return "topic"
	case strings.HasSuffix(v.Takes, "[FILE]") || strings.HasSuffix(v.Takes, "RESPONSE"):
		return "file"
	case strings.HasSuffix(v.Takes, "[DIR]"):
		return "dir"
	}
	return ""
}

// topics are what help knows: pages and verbs.
func topics() (names []string) {
	for _, t := range help.Topics() {
		names = append(names, t.Name)
	}
	for _, v := range help.Verbs {
		if usageOf(v.Name) != "" {
			names = append(names, v.Name)
		}
	}
	return names
}

// short is the first part of what a flag does.
func short(does string) string {
	first, _, _ := strings.Cut(does, ";")
	return strings.TrimSuffix(cmp.Or(first, does), ".")
}
