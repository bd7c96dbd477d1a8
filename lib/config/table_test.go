package config_test

import (
	"flag"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"ocspcgi/lib/config"
)

var update = flag.Bool("update", false, "write testdata/table.md anew")

func table(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	if err := config.Table(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTable(t *testing.T) {
	got := table(t)
	if *update {
		write(t, "testdata/table.md", got)
	}
	want, err := os.ReadFile("testdata/table.md")
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("testdata/table.md is not what the code prints; go test -update writes it\n%s", got)
	}
	for line := range strings.Lines(got) {
		if n := strings.Count(line, "|"); n != 7 {
			t.Errorf("%d columns in %s", n-1, line)
		}
	}
}

// What a user reads in openssl's own help is accepted.
func TestEveryOpenSSLFlag(t *testing.T) {
	help, err := exec.Command("openssl", "ocsp", "-help").CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	digests, err := exec.Command("openssl", "dgst", "-list").CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	flags := regexp.MustCompile(`(?m)^ (-[\w-]+)`).FindAllStringSubmatch(string(help), -1)
	flags = append(flags, regexp.MustCompile(`(-[\w-]+)`).FindAllStringSubmatch(string(digests), -1)...)
	if len(flags) < 110 {
		t.Fatalf("only %d flags in the help of openssl", len(flags))
	}
	known := table(t)
	for _, f := range flags {
		if strings.HasPrefix(f[1], "-ssl3-") {
			continue // old names for digests inside TLS
		}
		if !strings.Contains(known, "`"+f[1]+"`") {
			t.Errorf("%s is not in the table", f[1])
		}
	}
}

// What changes nothing takes as many words as it does for openssl.
func TestUnusedFlags(t *testing.T) {
	rows := strings.Split(strings.TrimSpace(table(t)), "\n")
	for i, value := range []string{"", " x"} {
		cells := strings.Split(rows[len(rows)-2+i], "|")
		for _, name := range strings.Fields(cells[1]) {
			args := strings.Trim(name, "`") + value + " -text"
			c, _, err := load(t, args, "", "")
			if err != nil || !c.Text {
				t.Errorf("%s: %v", args, err)
			}
		}
	}
}
