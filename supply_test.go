package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// builds are those whose modules are listed: each build, and each system.
var builds = [][]string{
	{"-tags=pkcs11 netgo osusergo", "CGO_ENABLED=1"},
	{"", "CGO_ENABLED=0", "GOOS=linux"},
	{"", "CGO_ENABLED=0", "GOOS=freebsd"},
	{"", "CGO_ENABLED=0", "GOOS=openbsd"},
	{"", "CGO_ENABLED=0", "GOOS=netbsd"},
	{"", "CGO_ENABLED=0", "GOOS=darwin"},
}

// TestSECURITYNamesModules holds the tables of modules to what the programs are
// built from, with who imports it and the licence, and to what is required beside that.
func TestSECURITYNamesModules(t *testing.T) {
	text := string(read(t, "SECURITY.md"))
	_, text, _ = strings.Cut(text, "\n## Supply chain\n")
	programs, tools, _ := strings.Cut(text, "\nWhat only tests and tools ")
	users, licences := map[string]string{}, map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|[^|]*\\| ([^|]+) \\|.*\\| ([^|]+) \\|$").FindAllStringSubmatch(programs, -1) {
		users[row[1]], licences[row[1]] = row[2], row[3]
	}
	contained := contained(t)
	for path, names := range importers(t, contained) {
		if by := "`" + strings.Join(names, "` `") + "`"; users[path] != by {
			t.Errorf("%s is used by %s, and in SECURITY.md's table by %s", path, by, users[path])
		}
	}
	for path, dir := range contained {
		if licence := licenceOf(t, dir); licences[path] != licence {
			t.Errorf("%s (%s) is in a program, and in SECURITY.md's table with %q", path, licence, licences[path])
		}
	}
	for path := range licences {
		if contained[path] == "" {
			t.Errorf("SECURITY.md says that %s is in a program", path)
		}
	}
	tools, _, _ = strings.Cut(tools, "\n\nBoth tables")
	var named []string
	for _, name := range regexp.MustCompile("`([a-zA-Z0-9.-]+\\.[a-z]+/[^`]+)`").FindAllStringSubmatch(tools, -1) {
		named = append(named, name[1])
	}
	required := requiredBeside(t, contained)
	slices.Sort(named)
	slices.Sort(required)
	if !slices.Equal(named, required) {
		t.Errorf("SECURITY.md names for tests and tools\n%s\nand these are required\n%s", strings.Join(named, "\n"), strings.Join(required, "\n"))
	}
}

// contained returns the modules that are in any program, with their directories.
func contained(t *testing.T) map[string]string {
	t.Helper()
	list := map[string]string{}
	for _, line := range listed(t, "{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}}{{end}}{{end}}") {
		if path, dir, ok := strings.Cut(line, " "); ok {
			list[path] = dir
		}
	}
	return list
}

// importers returns which packages of ours import something of each module, if any do.
func importers(t *testing.T, modules map[string]string) map[string][]string {
	t.Helper()
	list := map[string][]string{}
	for _, line := range listed(t, "{{with .Module}}{{if .Main}}{{range $.Imports}}{{$.ImportPath}} {{.}}\n{{end}}{{end}}{{end}}") {
		by, imported, _ := strings.Cut(line, " ")
		for path := range modules {
			if imported == path || strings.HasPrefix(imported, path+"/") {
				list[path] = append(list[path], strings.TrimPrefix(by, "ocspcgi/"))
			}
		}
	}
	for path, names := range list {
		slices.Sort(names)
		list[path] = slices.Compact(names)
	}
	return list
}

// listed returns the lines that go list makes, by a template, of each package in a
// program, in each build.
func listed(t *testing.T, template string) (lines []string) {
	t.Helper()
	for _, build := range builds {
		cmd := exec.Command("go", "list", "-deps", build[0], "-f", template, ".", "./cgi/cgibin")
		if build[0] == "" {
			cmd.Args = slices.Delete(cmd.Args, 3, 4)
		}
		cmd.Env = append(os.Environ(), build[1:]...)
		lines = append(lines, strings.Split(printed(t, cmd), "\n")...)
	}
	return lines
}

// requiredBeside returns what go.mod requires and no program contains, and what the
// tools with a go.mod of their own are.
func requiredBeside(t *testing.T, contained map[string]string) (list []string) {
	t.Helper()
	var mod struct{ Require []struct{ Path string } }
	if err := json.Unmarshal([]byte(printed(t, exec.Command("go", "mod", "edit", "-json"))), &mod); err != nil {
		t.Fatal(err)
	}
	for _, m := range mod.Require {
		if contained[m.Path] == "" {
			list = append(list, m.Path)
		}
	}
	files, err := filepath.Glob("lib/package/*.mod")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v: %d files", err, len(files))
	}
	for _, file := range files {
		tool := regexp.MustCompile(`(?m)^tool (\S+)/cmd/`).FindSubmatch(read(t, file))
		if tool == nil {
			t.Fatalf("%s names no tool", file)
		}
		list = append(list, string(tool[1]))
	}
	return list
}

// licenceOf names the licence in a module's directory.
func licenceOf(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "[Ll][Ii][Cc][Ee][Nn][Ss][Ee]*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%s: %v, %d licences", dir, err, len(files))
	}
	switch text := read(t, files[0]); {
	case bytes.HasPrefix(text, []byte("/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */")):
		return "BSD-3-Clause or GPL-2.0"
	case regexp.MustCompile(`(?i)permission is hereby granted, free of charge`).Match(text):
		return "MIT"
	case bytes.Contains(text, []byte("Redistribution and use in source and binary forms")) && regexp.MustCompile(`Neither\s+the\s+name`).Match(text):
		return "BSD-3-Clause"
	}
	return "unknown: " + files[0]
}

// printed returns what a program prints.
func printed(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, stderr.String())
	}
	return string(out)
}
