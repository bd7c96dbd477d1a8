package main

import (
	"flag"
	"os"
	"regexp"
	"slices"
	"testing"
)

var update = flag.Bool("update", false, "put the servers' configurations into README.md")

// TestREADMEShowsTheFiles holds the README's configurations to the files that
// the servers' tests run.
func TestREADMEShowsTheFiles(t *testing.T) {
	readme := read(t, "README.md")
	shows := regexp.MustCompile("(?s)(<!-- ([a-z]+/[a-z-]+\\.conf) -->\n```[a-z]+\n)(.*?)(```\n)")
	if *update {
		readme = shows.ReplaceAllFunc(readme, func(shown []byte) []byte {
			part := shows.FindSubmatch(shown)
			return slices.Concat(part[1], read(t, string(part[2])), part[4])
		})
		if err := os.WriteFile("README.md", readme, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	shown := shows.FindAllSubmatch(readme, -1)
	if len(shown) < 3 {
		t.Fatalf("%d files are shown, want three or more", len(shown))
	}
	for _, match := range shown {
		name := string(match[2])
		if string(read(t, name)) != string(match[3]) {
			t.Errorf("README.md shows another %s than the file is; go test -run README -update . puts it in", name)
		}
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
