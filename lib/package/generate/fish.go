package main

import (
	"fmt"
	"strings"

	"ocspcgi/lib/command/help"
)

// fish is the completion for fish.
func fish() string {
	var out strings.Builder
	out.WriteString("# Completion of ocspcgi(8) in fish.\ncomplete -c ocspcgi -f\n")
	var verbs []string
	for _, v := range help.Verbs {
		verbs = append(verbs, v.Name)
		fmt.Fprintf(&out, "complete -c ocspcgi -n __fish_use_subcommand -a %s -d %s\n", v.Name, fishQuote(v.Does))
	}
	for _, v := range help.Verbs {
		seen := "__fish_seen_subcommand_from " + v.Name
		fishFlags(&out, seen, flagsOf(v))
		switch operand(v) {
		case "file":
			fmt.Fprintf(&out, "complete -c ocspcgi -n %s -F\n", fishQuote(seen))
		case "dir":
			fmt.Fprintf(&out, "complete -c ocspcgi -n %s -a '(__fish_complete_directories)'\n", fishQuote(seen))
		case "topic":
			fmt.Fprintf(&out, "complete -c ocspcgi -n %s -a %s\n", fishQuote(seen), fishQuote(strings.Join(topics(), " ")))
		}
	}
	fishFlags(&out, "not __fish_seen_subcommand_from "+strings.Join(verbs, " "), settings())
	return out.String()
}

// fishFlags writes the flags that there are when a condition holds.
func fishFlags(out *strings.Builder, condition string, flags []flag) {
	for _, f := range flags {
		fmt.Fprintf(out, "complete -c ocspcgi -n %s -o %s -d %s", fishQuote(condition), f.name, fishQuote(short(f.does)))
		switch {
		case !f.value:
		case f.kind == "file":
			out.WriteString(" -r -F")
		case f.kind == "dir":
			out.WriteString(" -x -a '(__fish_complete_directories)'")
		case f.kind == "user":
			out.WriteString(" -x -a '(__fish_complete_users)'")
		default:
			fmt.Fprintf(out, " -x -a %s", fishQuote(strings.Join(f.takes, " ")))
		}
		out.WriteByte('\n')
	}
}

func fishQuote(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(text) + "'"
}
