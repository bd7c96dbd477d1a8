package clients_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// run runs a client to its end, with nothing to read, and returns what it wrote
// on both its outputs and its exit status.
func run(t testing.TB, client string, args ...string) (out string, status int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, client, args...)
	// No proxy is between: everything is on this machine.
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "LC_ALL=C"}
	var both bytes.Buffer
	cmd.Stdout, cmd.Stderr = &both, &both
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		t.Fatalf("%s %s does not end\n%s", client, strings.Join(args, " "), &both)
	case err != nil && !errors.As(err, &exit):
		t.Fatalf("%v: the tests need this program", err)
	}
	return both.String(), cmd.ProcessState.ExitCode()
}

// verdict is a client's way to say what it makes of an answer.
type verdict struct {
	status int    // that it exits with
	says   string // a pattern
	word   string
}

// judge returns the word of the one verdict that a client has given; otherwise
// all that it said.
func judge(out string, status int, verdicts ...verdict) string {
	var words []string
	for _, v := range verdicts {
		if v.status == status && regexp.MustCompile(v.says).MatchString(out) {
			words = append(words, v.word)
		}
	}
	if len(words) == 1 {
		return words[0]
	}
	return fmt.Sprintf("exit status %d, which is %q\n%s", status, words, out)
}

// find returns what the first group of a pattern matches, "" for nothing.
func find(text, pattern string) string {
	if m := regexp.MustCompile(pattern).FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

// eventually tries until done, which nothing here takes long for.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); {
		if time.Now().After(deadline) {
			t.Fatalf("it is not so that %s", what)
		}
		time.Sleep(2 * time.Millisecond) // nobody tells
	}
}
