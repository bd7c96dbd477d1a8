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
	const many = 150_000 // and no file is over 4 MiB, which would be refused unread
	for name, text := range map[string]string{
		"arrays in arrays":   "listen = " + strings.Repeat("[", many) + strings.Repeat("]", many),
		"open arrays":        "listen = " + strings.Repeat("[", many),
		"tables in tables":   "issuer = " + strings.Repeat("{a=", many) + "1" + strings.Repeat("}", many),
		"a key of many":      strings.Repeat("a.", many) + "a = 1",
		"a table of many":    "[" + strings.Repeat("a.", many) + "a]",
		"many unknown keys":  strings.Repeat("x = 1\n", many),
		"many issuers":       strings.Repeat("[[issuer]]\nx = 1\n", many),
		"many signers":       "[[issuer]]\n" + strings.Repeat("[[issuer.signer]]\n", many),
		"a line without end": "log = '" + strings.Repeat("x", 3<<20) + "'\nx = 1",
		"a key without end":  strings.Repeat("x", 3<<20) + " = 1",
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
			if n, lines := len(err.Error()), strings.Count(err.Error(), "\n"); n > len(text)+20_000 || lines > 100 {
				t.Errorf("an error of %d bytes, %d lines: %.200s", n, lines, err)
			}
		})
	}
}
