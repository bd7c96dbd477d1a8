package servertest

import (
	"slices"
	"strings"
	"testing"
)

// WithoutEachLine tells whether every line of a snippet earns its place: try
// gets the snippet without one line, and says what is wrong then. Nothing may
// be for the lines that shown has, for the reason given there. Comments, and the
// ends of blocks, are no such lines.
func WithoutEachLine(t *testing.T, snippet string, shown map[string]string, try func(t *testing.T, rest string) []string) {
	t.Helper()
	lines := strings.Split(snippet, "\n")
	found := 0
	for i, line := range lines {
		line = strings.TrimSpace(line)
		if line == "" || strings.ContainsAny(line[:1], "#<}") || strings.HasSuffix(line, "{") {
			continue
		}
		word, _, _ := strings.Cut(line, " ")
		if shown[word] != "" {
			found++
			continue
		}
		t.Run(line, func(t *testing.T) {
			if len(try(t, strings.Join(slices.Delete(slices.Clone(lines), i, i+1), "\n"))) == 0 {
				t.Error("everything works without this line")
			}
		})
	}
	if found > len(shown) {
		t.Errorf("%d lines are excused for %d reasons", found, len(shown))
	}
}

// FirstFaults sends the probes until one of them fails, and tells why.
func (s *Site) FirstFaults(t testing.TB, differs map[string]string) []string {
	t.Helper()
	for _, p := range s.Probes(t) {
		if faults := s.Faults(p, differs); len(faults) > 0 {
			return append(faults, p.Name)
		}
	}
	return nil
}
