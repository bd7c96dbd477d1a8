package fcgi_test

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"ocspcgi/fcgi"
)

// TestLibfcgi lets the C library's client ask.
func TestLibfcgi(t *testing.T) {
	path := start(t, &fcgi.Server{Handler: describe})
	for name, c := range map[string]struct{ env, body, want string }{
		"GET":  {"REQUEST_METHOD=GET REQUEST_URI=/ocsp/MEow%2F", "", "GET /ocsp/MEow%2F 0"},
		"POST": {"REQUEST_METHOD=POST REQUEST_URI=/ocsp CONTENT_LENGTH=5", "hello", "POST /ocsp 5"},
		"long": {"REQUEST_METHOD=POST REQUEST_URI=/ocsp CONTENT_LENGTH=65536", strings.Repeat("x", 65536), "POST /ocsp 65536"},
	} {
		t.Run("FCG-26 cgi-fcgi "+name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			cmd := exec.CommandContext(ctx, "cgi-fcgi", "-bind", "-connect", path)
			cmd.Env = strings.Fields(c.env)
			cmd.Stdin = strings.NewReader(c.body)
			out, err := cmd.Output()
			if err != nil || string(out) != page(c.want) {
				t.Errorf("%q, %v", out, err)
			}
		})
	}
}
