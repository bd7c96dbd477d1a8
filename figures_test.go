package main

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// figures are what .ci/figured says of a test's last run.
type figures struct {
	cases int    // that passed
	said  string // what else it counted
}

// figured are the figures by test, as SECURITY.md names those: lib/index TestTorn.
func figured(t *testing.T) map[string]figures {
	t.Helper()
	all := map[string]figures{}
	for line := range strings.Lines(string(read(t, ".ci/figured"))) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(fields) != 4 {
			t.Fatalf(".ci/figured: %q has not 4 fields", line)
		}
		cases, err := strconv.Atoi(fields[2])
		if err != nil {
			t.Fatalf(".ci/figured: %v", err)
		}
		all[fields[0]] = figures{cases, fields[3]}
	}
	return all
}

// TestFigured: the tables of SECURITY.md with last figures show those of the tests
// that they name.
func TestFigured(t *testing.T) {
	all := figured(t)
	all[". TestFuzzed"] = figures{said: fuzzedInAll(targets(t))}
	named := regexp.MustCompile("`([a-z0-9/.]+ Test[A-Za-z0-9]+)`")
	text := string(read(t, "SECURITY.md"))
	var want strings.Builder
	rows, inTable := 0, false
	for line := range strings.Lines(text) {
		head := strings.HasSuffix(line, "| last figures |\n")
		inTable = head || inTable && strings.HasPrefix(line, "|")
		names := named.FindAllStringSubmatch(line, -1)
		if !inTable || len(names) == 0 {
			want.WriteString(line)
			continue
		}
		rows++
		cases, said := 0, []string(nil)
		for _, name := range names {
			of, found := all[name[1]]
			if !found {
				t.Errorf(".ci/figured has nothing of %s: make figures", name[1])
			}
			if cases += of.cases; of.said != "" {
				said = append(said, of.said)
			}
		}
		switch cases {
		case 0:
		case 1:
			said = append([]string{"1 case"}, said...)
		default:
			said = append([]string{fmt.Sprintf("%d cases", cases)}, said...)
		}
		cells := strings.Split(line, " | ")
		fmt.Fprintf(&want, "%s | %s |\n", strings.Join(cells[:len(cells)-1], " | "), strings.Join(said, "; "))
	}
	if rows < 40 {
		t.Errorf("SECURITY.md has %d rows with figures", rows)
	}
	switch {
	case *write && !t.Failed():
		if err := os.WriteFile("SECURITY.md", []byte(want.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	case text != want.String():
		t.Errorf("SECURITY.md shows other figures than .ci/figured has: make tables")
	}
}
