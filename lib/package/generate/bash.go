package main

import (
	"fmt"
	"strings"

	"ocspcgi/lib/command/help"
)

// bash is the completion for bash, which needs no bash-completion.
func bash() string {
	var out strings.Builder
	var verbs []string
	out.WriteString("# Completion of ocspcgi(8) in bash.\n_ocspcgi() {\n")
	out.WriteString("\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb=${COMP_WORDS[1]} flags= operand=\n")
	out.WriteString("\tcase $verb in\n")
	for _, v := range help.Verbs {
		verbs = append(verbs, v.Name)
		fmt.Fprintf(&out, "\t%s) flags=%s operand=%s ;;\n", v.Name, quote(names(flagsOf(v))), quote(operand(v)))
	}
	fmt.Fprintf(&out, "\t*) flags=%s verb= ;;\n\tesac\n", quote(names(settings())))
	fmt.Fprintf(&out, "\t((COMP_CWORD == 1)) && flags=%s verb= operand=verb\n", quote(names(settings())))
	out.WriteString("\tCOMPREPLY=()\n\tcase $verb$prev in\n")
	for _, v := range help.Verbs {
		bashValues(&out, v.Name, flagsOf(v))
	}
	bashValues(&out, "", settings())
	fmt.Fprintf(&out, `	esac
	case $cur$operand in
	-*) mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$cur") ;;
	*verb) mapfile -t COMPREPLY < <(compgen -W %s -- "$cur") ;;
	*topic) mapfile -t COMPREPLY < <(compgen -W %s -- "$cur") ;;
	*dir) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
	*file) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	esac
}
complete -F _ocspcgi ocspcgi
`, quote(strings.Join(verbs, " ")), quote(strings.Join(topics(), " ")))
	return out.String()
}

// bashValues writes what may stand behind the flags of a verb.
func bashValues(out *strings.Builder, verb string, flags []flag) {
	for _, f := range flags {
		words := ""
		switch {
		case !f.value:
			continue
		case f.kind == "file":
			words = "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); "
		case f.kind == "dir":
			words = "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- \"$cur\"); "
		case f.kind == "user":
			words = "mapfile -t COMPREPLY < <(compgen -u -- \"$cur\"); "
		case len(f.takes) > 0:
			if f.open {
				words = "compopt -o nospace; "
			}
			words += fmt.Sprintf("mapfile -t COMPREPLY < <(compgen -W %s -- \"$cur\"); ", quote(strings.Join(f.takes, " ")))
		}
		fmt.Fprintf(out, "\t%s-%s) %sreturn ;;\n", verb, f.name, words)
	}
}

func names(flags []flag) string {
	var all []string
	for _, f := range flags {
		all = append(all, "-"+f.name)
	}
	return strings.Join(all, " ")
}

// quote makes one word for a shell.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
