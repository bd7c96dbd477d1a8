package main

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// write has TestFuzzed and TestFigured write the tables that they are about: make
// tables.
var write = flag.Bool("write", false, "write the tables of SECURITY.md that are tested")

// enough is how many core-minutes of fuzzing a reader of outside bytes is to have.
const enough = 60

// target is a fuzz target, with the reader that it tries.
type target struct {
	reader, name string // name is lib/wire.FuzzParseRequest
	minutes      float64
	executions   int
}

// targets are those of .ci/readers, with what .ci/fuzzed says of them.
func targets(t *testing.T) (all []target) {
	t.Helper()
	for line := range strings.Lines(string(read(t, ".ci/readers"))) {
		fields := strings.Split(strings.TrimSpace(line), "\t")
		if len(fields) < 2 || len(fields) > 3 || len(fields) == 3 && fields[2] != "later" {
			t.Fatalf(".ci/readers: %q is not READER, TARGET, and later or nothing", line)
		}
		all = append(all, target{reader: fields[0], name: fields[1]})
	}
	for line := range strings.Lines(string(read(t, ".ci/fuzzed"))) {
		fields := strings.Split(strings.TrimSpace(line), "\t")
		i := slices.IndexFunc(all, func(g target) bool { return g.name == fields[0] })
		if i < 0 || len(fields) != 3 {
			t.Errorf(".ci/fuzzed: %q is of no target in .ci/readers", line)
			continue
		}
		minutes, err := strconv.ParseFloat(fields[1], 64)
		executions, err2 := strconv.Atoi(fields[2])
		if err != nil || err2 != nil {
			t.Errorf(".ci/fuzzed: %q", line)
		}
		all[i].minutes, all[i].executions = minutes, executions
	}
	return all
}

// declaredTargets are the names of all fuzz targets that there are.
func declaredTargets(t *testing.T) (names []string) {
	t.Helper()
	declared := regexp.MustCompile(`(?m)^func (Fuzz\w*)\(`)
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		for _, match := range declared.FindAllSubmatch(read(t, path), -1) {
			names = append(names, filepath.Dir(path)+"."+string(match[1]))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// seedsOf runs all targets on their seeds and counts those that passed: what f.Add
// was given, and the files in testdata/fuzz.
func seedsOf(t *testing.T, names []string) map[string]int {
	t.Helper()
	folders := map[string]bool{}
	for _, name := range names {
		folders["./"+name[:strings.LastIndex(name, ".")]] = true
	}
	args := append([]string{"test", "-run", "^Fuzz", "-v"}, slices.Sorted(maps.Keys(folders))...)
	out, err := exec.Command("go", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("go test: %v\n%s", err, regexp.MustCompile(`(?m)^(=== .*| *--- PASS.*|ok .*|PASS)\n`).ReplaceAll(out, nil))
	}
	seeds, passed := map[string]int{}, map[string]int{}
	said := regexp.MustCompile(`^ +--- PASS: (Fuzz\w+)/|^ok  \tocspcgi/(\S+)`)
	for line := range strings.Lines(string(out)) {
		switch match := said.FindStringSubmatch(line); {
		case match == nil:
		case match[1] != "":
			passed[match[1]]++
		default:
			for name, n := range passed {
				seeds[match[2]+"."+name] = n
			}
			clear(passed)
		}
	}
	return seeds
}

// TestFuzzed: each fuzz target has 20 seeds and belongs to a reader, and
// SECURITY.md says how long each was fuzzed.
func TestFuzzed(t *testing.T) {
	all := targets(t)
	var listed []string
	for _, g := range all {
		listed = append(listed, g.name)
	}
	for _, name := range declaredTargets(t) {
		if !slices.Contains(listed, name) {
			t.Errorf(".ci/readers does not say which reader %s tries", name)
		}
	}
	seeds := seedsOf(t, listed)
	for _, name := range listed {
		if seeds[name] < 20 {
			t.Errorf("%s has %d seeds, want 20 at the least", name, seeds[name])
		}
	}
	text := read(t, "SECURITY.md")
	before, rest, found := bytes.Cut(text, []byte("| reader | target |"))
	_, after, ended := bytes.Cut(rest, []byte("\n\n"))
	_, after, ended2 := bytes.Cut(after, []byte("\n\n"))
	if !found || !ended || !ended2 {
		t.Fatal("SECURITY.md has no table of readers with a sentence behind it")
	}
	want := slices.Concat(before, []byte(fuzzTable(all, seeds)), []byte("\n\n"), after)
	switch {
	case *write:
		if err := os.WriteFile("SECURITY.md", want, 0o644); err != nil {
			t.Fatal(err)
		}
	case !bytes.Equal(text, want):
		t.Errorf("SECURITY.md does not say what .ci/fuzzed does: make tables")
	}
}

// fuzzTable is the table of SECURITY.md, and the sentence behind it.
func fuzzTable(all []target, seeds map[string]int) string {
	var b strings.Builder
	b.WriteString("| reader | target | seeds | core-minutes | executions |\n| --- | --- | ---: | ---: | ---: |\n")
	shown := ""
	for _, g := range all {
		reader := g.reader
		if reader == shown {
			reader = "…"
		}
		shown = g.reader
		fmt.Fprintf(&b, "| %s | `%s` | %d | %.1f | %d |\n", reader, g.name, seeds[g.name], g.minutes, g.executions)
	}
	fmt.Fprintf(&b, "\nThat is %s.", fuzzedInAll(all))
	return b.String()
}

// fuzzedInAll says how long all readers were fuzzed.
func fuzzedInAll(all []target) string {
	sums := map[string]float64{}
	minutes, executions, done := 0.0, 0, 0
	for _, g := range all {
		sums[g.reader] += g.minutes
		minutes, executions = minutes+g.minutes, executions+g.executions
	}
	for _, sum := range sums {
		if sum >= enough {
			done++
		}
	}
	return fmt.Sprintf("%.1f core-hours and %d executions; %d of %d readers have had their %d core-minutes", minutes/60, executions, done, len(sums), enough)
}
