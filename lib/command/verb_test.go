package command_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"ocspcgi/lib/command"
)

// call runs a verb, and returns what it wrote.
func call(t *testing.T, verb string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	shell := &command.Shell{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &err}
	do := shell.Verb(verb)
	if do == nil {
		t.Fatalf("there is no verb %s", verb)
	}
	return do(args), out.String(), err.String()
}

// What -h says names flags that there are, with an example; and what is no flag is refused with where to look.
func TestUsages(t *testing.T) {
	flag := regexp.MustCompile(`(?m)(?:^  |\(|, | \[)-([a-zA-Z_-]+)`)
	for _, verb := range []string{"request", "info", "verify", "sign", "query", "stop"} {
		code, usage, stderr := call(t, verb, "-h")
		if code != 0 || stderr != "" || !strings.HasPrefix(usage, "ocspcgi "+verb+" ") || !strings.Contains(usage, "\n  ocspcgi "+verb+" ") {
			t.Errorf("%s -h: %d %q %q", verb, code, usage, stderr)
		}
		for _, found := range flag.FindAllStringSubmatch(usage, -1) {
			if _, _, said := call(t, verb, "-"+found[1]); strings.Contains(said, "not defined") {
				t.Errorf("%s: the usage names -%s, which there is not", verb, found[1])
			}
		}
		code, stdout, said := call(t, verb, "-bogus")
		if code != 64 || stdout != "" || !strings.Contains(said, "-bogus") || !strings.Contains(said, "ocspcgi "+verb+" -h") {
			t.Errorf("%s -bogus: %d %q %q", verb, code, stdout, said)
		}
		for line := range strings.Lines(usage) {
			if len(line) > 92 {
				t.Errorf("%s: %d letters in one line of the usage: %s", verb, len(line), line)
			}
		}
	}
	if (&command.Shell{}).Verb("nothing") != nil {
		t.Error("there is a verb of no name")
	}
}
