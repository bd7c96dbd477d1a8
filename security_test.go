package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestSECURITYNamesTests holds the table of faults to the tests there are.
func TestSECURITYNamesTests(t *testing.T) {
	named := regexp.MustCompile("`([a-z/.]+) (Test[A-Za-z0-9]+)`").FindAllSubmatch(read(t, "SECURITY.md"), -1)
	if len(named) < 40 {
		t.Fatalf("%d tests are named", len(named))
	}
	for _, match := range named {
		dir, name := string(match[1]), string(match[2])
		if !declares(t, dir, name) {
			t.Errorf("%s has no %s", dir, name)
		}
	}
}

// declares tells whether a test of that name is in a package.
func declares(t *testing.T, dir, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`(?m)^func ` + name + `\(t \*testing\.T\)`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if declared.Match(text) {
			return true
		}
	}
	return false
}
