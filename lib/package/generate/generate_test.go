package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ocspcgi/lib/command/help"
)

// made is a folder with all files.
func made(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := write(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

func run(t *testing.T, name string, args ...string) (stdout, stderr string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "MANWIDTH=80", "LC_ALL=C.UTF-8", "MAN_KEEP_FORMATTING=", "GROFF_NO_SGR=1")
	var out, said strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, &said)
	}
	return out.String(), said.String()
}

// man shows each page without a warning, and what it shows are the words that
// help shows.
func TestManual(t *testing.T) {
	pages, err := filepath.Glob(made(t) + "/man/*")
	if err != nil || len(pages) < 6 {
		t.Fatal(pages, err)
	}
	for _, page := range pages {
		out, said := run(t, "man", "--warnings", "-E", "UTF-8", "-P", "cat", "-l", page)
		if said != "" || !strings.Contains(out, "NAME") {
			t.Errorf("%s: %s", page, said)
		}
		out, _ = run(t, "mandoc", "-T", "lint", "-W", "error", page)
		if out != "" {
			t.Error(out)
		}
	}
	for topic, page := range map[string]string{"ocspcgi": "ocspcgi.8", "toml": "ocspcgi.toml.5"} {
		text, err := help.Text(topic)
		if err != nil {
			t.Fatal(err)
		}
		shown, _ := run(t, "man", "-E", "ascii", "-P", "cat", "-l", filepath.Join(filepath.Dir(pages[0]), page))
		want, got := plain(text), plain(shown)
		got = got[slices.Index(got, "NAME"):]
		want = want[slices.Index(want, "NAME"):]
		for i, word := range want {
			if i >= len(got) || got[i] != word {
				t.Errorf("%s shows %q where help has %q", page, got[i:min(i+8, len(got))], want[i:min(i+8, len(want))])
				break
			}
		}
	}
}

// plain are the words of a text, as they are in ASCII.
func plain(text string) []string { return strings.Fields(strings.ReplaceAll(text, "…", "...")) }

// complete asks a real bash what it makes of a command line that ends in TAB.
func complete(t *testing.T, dir, line string) []string {
	t.Helper()
	script := `source "$1"; complete -p ocspcgi >&2 || exit 1
read -ra COMP_WORDS <<<"$2"; [[ $2 != *' ' ]] || COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); compopt() { :; }; cd "$3"; _ocspcgi; printf '%s\n' "${COMPREPLY[@]}"`
	out, said := run(t, "bash", "-c", script, "bash", filepath.Join(dir, "completions/ocspcgi.bash"), line, filepath.Join(dir, "man"))
	if strings.TrimSpace(said) != "complete -F _ocspcgi ocspcgi" {
		t.Errorf("%q: %s", line, said)
	}
	return strings.Fields(out)
}

func TestBash(t *testing.T) {
	dir := made(t)
	for _, test := range []struct{ line, want string }{
		{"ocspcgi ch", "check"},
		{"ocspcgi ve", "verify version"},
		{"ocspcgi -ca", "-ca-dir -cache -cache_bytes"},
		{"ocspcgi -index index.txt -rs", "-rsigner -rsigopt"},
		{"ocspcgi -nonces ", "echo ignore"},
		{"ocspcgi -listen ht", "http:"},
		{"ocspcgi -nmin ", ""},
		{"ocspcgi -config ocspcgi.t", "ocspcgi.toml.5"},
		{"ocspcgi check -a", "-as -any_type -archive"},
		{"ocspcgi check -as roo", "root"},
		{"ocspcgi verify ocspcgi.t", "ocspcgi.toml.5"},
		{"ocspcgi verify -hash sha3", "sha384"},
		{"ocspcgi verify -l", ""},
		{"ocspcgi sign -status g", "good"},
		{"ocspcgi help t", "toml"},
		{"ocspcgi help ver", "verify"},
		{"ocspcgi demo -", "-once"},
	} {
		got := complete(t, dir, test.line)
		for _, word := range strings.Fields(test.want) {
			if !slices.Contains(got, word) {
				t.Errorf("%q TAB: %q, without %s", test.line, got, word)
			}
		}
		if test.want == "" && len(got) > 0 {
			t.Errorf("%q TAB: %q", test.line, got)
		}
	}
}

// Nothing that begins otherwise is offered, and no flag that changes nothing.
func TestFlags(t *testing.T) {
	dir := made(t)
	for _, word := range complete(t, dir, "ocspcgi -") {
		if !strings.HasPrefix(word, "-") || word == "-CAfile" || word == "-multi" {
			t.Errorf("offers %s", word)
		}
	}
	for _, v := range help.Verbs {
		if usageOf(v.Name) != "" && len(flagsOf(v)) < 2 {
			t.Errorf("%s has the flags %v", v.Name, flagsOf(v))
		}
	}
}

// zsh and fish understand theirs, and fish completes with it.
func TestOtherShells(t *testing.T) {
	dir := made(t)
	run(t, "zsh", "-n", dir+"/completions/_ocspcgi")
	out, said := run(t, "fish", "--no-config", "-c", "source "+dir+"/completions/ocspcgi.fish; complete -C 'ocspcgi verify -resp'; complete -C 'ocspcgi ch'")
	if said != "" || !strings.Contains(out, "-response\t") || !strings.Contains(out, "check\t") {
		t.Errorf("%q %q", out, said)
	}
}

// The page about the program names those of all verbs.
func TestSeeAlso(t *testing.T) {
	dir := made(t)
	page, err := os.ReadFile(dir + "/man/ocspcgi.8")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(dir + "/man/ocspcgi-*.8")
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		verb := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "ocspcgi-"), ".8")
		if !strings.Contains(string(page), `ocspcgi\-`+verb+`\fR(8)`) && !strings.Contains(string(page), `ocspcgi\-`+verb+"(8)") {
			t.Errorf("ocspcgi(8) does not name that of %s", verb)
		}
	}
}
