// Command generate makes what is shipped beside the program from what the
// program knows of itself: manual pages and completions. It is no part of it.
//
//	generate DIR
package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"ocspcgi/lib/check"
	"ocspcgi/lib/command"
	"ocspcgi/lib/command/help"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: generate DIR")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

// write makes all files, by their names below man and completions.
func write(dir string) error {
	files, err := manual()
	if err != nil {
		return err
	}
	files["completions/ocspcgi.bash"] = bash()
	files["completions/_ocspcgi"] = zsh()
	files["completions/ocspcgi.fish"] = fish()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// manual returns the pages about the program, its file and its verbs.
func manual() (map[string]string, error) {
	pages := map[string]string{}
	for _, topic := range []string{"ocspcgi", "toml"} {
		text, err := help.Text(topic)
		if err != nil {
			return nil, err
		}
		title, body, _ := strings.Cut(text, "\n")
		name, section, _ := strings.Cut(strings.TrimSuffix(title, ")"), "(")
		pages["man/"+name+"."+section] = roff(name, section, body)
	}
	for _, v := range help.Verbs {
		if usage := usageOf(v.Name); usage != "" {
			name := "ocspcgi-" + v.Name
			pages["man/"+name+".8"] = verbPage(name, v.Does, usage)
		}
	}
	return pages, nil
}

// usageOf is what a verb says with -h, empty for one that says nothing.
func usageOf(verb string) string {
	var out, none bytes.Buffer
	do := (&command.Shell{Stdout: &out, Stderr: &none}).Verb(verb)
	if verb == "check" {
		do = (&check.Checker{Stdout: &out, Stderr: &none}).Run
	}
	if do != nil {
		do([]string{"-h"})
	}
	return out.String()
}
