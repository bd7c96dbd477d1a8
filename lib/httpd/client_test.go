package httpd_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ocspcgi/lib/httpd"
	"ocspcgi/lib/ocsphttp"
)

// run runs a real program in dir and returns what it writes.
func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestCurl(t *testing.T) {
	url := "http://" + start(t, &httpd.Server{Handler: describe})
	for _, c := range []struct {
		name string
		args []string
		want string // at the end
	}{
		{"HTTP-05 slashes", []string{"--path-as-is", url + "//M//a/../b"}, "GET //M//a/../b 0"},
		{"HTTP-16 HEAD", []string{"-I", url + "/"}, "\r\n\r\n"},
		{"HTTP-18 chunked", []string{"-H", "Transfer-Encoding: chunked", "-d", "abc", url + "/"}, "POST / 3"},
		{"HTTP-18 100-continue", []string{"-H", "Expect: 100-continue", "-d", "abc", url + "/"}, "POST / 3"},
		{"HTTP-22 kept connection", []string{url + "/a", url + "/b"}, "GET /b 0"},
		{"HTTP-33 HTTP/1.0", []string{"-0", "-d", "abc", url + "/"}, "POST / 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := run(t, "", "curl", append([]string{"-si"}, c.args...)...)
			if !strings.HasSuffix(out, c.want) || !strings.Contains(out, "Content-Length: ") {
				t.Errorf("%q, want %q at the end", out, c.want)
			}
		})
	}
}

// TestOpenssl gives openssl's client an answer that openssl has made.
func TestOpenssl(t *testing.T) {
	dir := t.TempDir()
	run(t, dir, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
		"-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=CA", "-days", "2")
	if err := os.WriteFile(filepath.Join(dir, "index.txt"), []byte("V\t491231235959Z\t\t01\tunknown\t/CN=x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, dir, "openssl", "ocsp", "-issuer", "ca.crt", "-serial", "1", "-no_nonce", "-reqout", "req.der")
	run(t, dir, "openssl", "ocsp", "-index", "index.txt", "-CA", "ca.crt", "-rsigner", "ca.crt", "-rkey", "ca.key",
		"-reqin", "req.der", "-respout", "resp.der", "-ndays", "1")
	request, err := os.ReadFile(filepath.Join(dir, "req.der"))
	if err != nil {
		t.Fatal(err)
	}
	response, err := os.ReadFile(filepath.Join(dir, "resp.der"))
	if err != nil {
		t.Fatal(err)
	}
	address := start(t, &httpd.Server{Handler: func(_ context.Context, req *ocsphttp.Request, resp *ocsphttp.Response) {
		if !bytes.Equal(req.Body, request) || string(req.ContentType) != "application/ocsp-request" {
			t.Errorf("%s of %x, want %x", req.ContentType, sha256.Sum256(req.Body), sha256.Sum256(request))
		}
		resp.Status = 200
		resp.Header = fmt.Appendf(resp.Header[:0], "Content-Type: application/ocsp-response\r\nContent-Length: %d\r\n", len(response))
		resp.Body = response
	}})
	t.Run("HTTP-33 openssl ocsp", func(t *testing.T) {
		out := run(t, dir, "openssl", "ocsp", "-issuer", "ca.crt", "-serial", "1", "-no_nonce", "-CAfile", "ca.crt", "-url", "http://"+address+"/ocsp")
		if !strings.Contains(out, "Response verify OK") || !strings.Contains(out, "1: good") {
			t.Error(out)
		}
	})
}
