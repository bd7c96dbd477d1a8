package main

import (
	"fmt"
	"strings"

	"ocspcgi/lib/command/help"
)

// zsh is the completion for zsh.
func zsh() string {
	var out strings.Builder
	out.WriteString("#compdef ocspcgi\n# Completion of ocspcgi(8) in zsh.\nlocal -a verbs\nverbs=(\n")
	for _, v := range help.Verbs {
		fmt.Fprintf(&out, "\t%s\n", quote(v.Name+":"+v.Does))
	}
	out.WriteString(")\nif (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then\n\t_describe command verbs\n\treturn\nfi\n")
	out.WriteString("case $words[2] in\n")
	for _, v := range help.Verbs {
		fmt.Fprintf(&out, "%s)\n\tshift words\n\t(( CURRENT-- ))\n\t_arguments%s", v.Name, zshFlags(flagsOf(v)))
		switch operand(v) {
		case "file":
			out.WriteString(" \\\n\t\t'*:file:_files'")
		case "dir":
			out.WriteString(" \\\n\t\t'*:directory:_files -/'")
		case "topic":
			fmt.Fprintf(&out, " \\\n\t\t%s", quote("1:topic:("+strings.Join(topics(), " ")+")"))
		}
		out.WriteString("\n\t;;\n")
	}
	fmt.Fprintf(&out, "*)\n\t_arguments%s\n\t;;\nesac\n", zshFlags(settings()))
	return out.String()
}

// zshFlags are the specifications for _arguments.
func zshFlags(flags []flag) string {
	var out strings.Builder
	escape := strings.NewReplacer("[", `\[`, "]", `\]`, ":", `\:`)
	for _, f := range flags {
		value := ""
		switch {
		case !f.value:
		case f.kind == "file":
			value = ":file:_files"
		case f.kind == "dir":
			value = ":directory:_files -/"
		case f.kind == "user":
			value = ":user:_users"
		case len(f.takes) > 0:
			value = ":value:(" + escape.Replace(strings.Join(f.takes, " ")) + ")"
		default:
			value = ":value:"
		}
		fmt.Fprintf(&out, " \\\n\t\t%s", quote("*-"+f.name+"["+escape.Replace(short(f.does))+"]"+value))
	}
	return out.String()
}
