package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ocspcgi/lib/config"
)

// Settings that are nested without end, or without end at all, are an error.
func TestBombs(t *testing.T) {
	const many = 300_000
	for name, text := range map[string]string{
		"arrays in arrays":   "listen = " + strings.Repeat("[", many) + strings.Repeat("]", many),
		"open arrays":        "listen = " + strings.Repeat("[", many),
		"tables in tables":   "issuer = " + strings.Repeat("{a=", many) + "1" + strings.Repeat("}", many),
		"a key of many":      strings.Repeat("a.", many) + "a = 1",
		"a table of many":    "[" + strings.Repeat("a.", many) + "a]",
		"many unknown keys":  strings.Repeat("[[issuer]]\nx = 1\n", many),
		"a line without end": "log = '" + strings.Repeat("x", 16<<20) + "'\nx = 1",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "o.toml")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := config.Load(nil, nil, path)
			if err == nil {
				t.Fatal("no error")
			}
			if n := len(err.Error()); n > len(text)+1000 {
				t.Errorf("an error of %d bytes: %.200s", n, err)
			}
		})
	}
}
