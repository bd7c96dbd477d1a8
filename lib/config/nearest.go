package config

import "strings"

// didYouMean ends a message about an unknown name with the known name that is
// nearest, if one is near. A setting that has none is known as "".
func didYouMean(name string, known func(*setting) string) string {
	best, at := "", max(1, len(name)/3)+1
	for i := range settings {
		s := &settings[i]
		if k := known(s); k != "" {
			if d := distance(strings.ToLower(name), strings.ToLower(k)); d < at {
				best, at = k, d
			}
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

// distance counts the letters to insert, delete, change or swap with their
// neighbour to make b of a.
func distance(a, b string) int {
	const longest = 64
	if len(a) > longest || len(b) > longest {
		return longest
	}
	var before, last, row [longest + 1]int
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := last[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(change, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
