package pkitest

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// OpenSSL runs the real openssl and returns what it wrote to stdout.
func OpenSSL(t testing.TB, args ...string) string {
	t.Helper()
	stdout, stderr, err := openssl(t, args)
	if err != nil {
		t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, stderr)
	}
	return stdout
}

// Ask asks the responder at url for the status of leaf with the real `openssl
// ocsp`, which POSTs, and returns all that it said on both its outputs. The
// response must verify up to the root. More args are further flags of openssl
// ocsp: "-no_nonce", "-resp_text", another "-cert" or "-serial"; a digest such as
// "-sha256" counts for leaf when it comes first. Leaf may be nil when args say
// what to ask for. With "-noverify" nothing is checked, and the answer may be an
// error. Many may Ask at once.
func Ask(t testing.TB, url string, ca *CA, leaf *Leaf, args ...string) string {
	t.Helper()
	args = append([]string{"-url", url, "-CAfile", ca.Chain()}, query(ca, leaf, args)...)
	stdout, stderr, err := openssl(t, append([]string{"ocsp"}, args...))
	out := stdout + stderr
	if slices.Contains(args, "-noverify") {
		return out
	}
	if err != nil || !strings.Contains(out, "Response verify OK") {
		t.Fatalf("openssl ocsp %s: %v: no verified response\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// Request returns the DER of the request that `openssl ocsp` makes for leaf,
// with a nonce unless args have "-no_nonce". Args are as for Ask.
func Request(t testing.TB, ca *CA, leaf *Leaf, args ...string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "req.der")
	args = append([]string{"ocsp", "-reqout", path}, query(ca, leaf, args)...)
	OpenSSL(t, args...)
	return readFile(t, path)
}

// ReadCertificate reads the first certificate of a PEM file.
func ReadCertificate(t testing.TB, path string) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode(readFile(t, path))
	if block == nil {
		t.Fatalf("%s: no PEM in it", path)
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return c
}

// query puts the flags in the order that openssl ocsp wants: digest and issuer
// before what they count for.
func query(ca *CA, leaf *Leaf, args []string) []string {
	if leaf == nil {
		return append([]string{"-issuer", ca.Cert}, args...)
	}
	flags := []string{"-issuer", ca.Cert}
	rest := slices.Clone(args)
	isDigest := func(a string) bool { return strings.HasPrefix(a, "-sha") }
	if len(rest) > 0 && isDigest(rest[0]) {
		flags, rest = append(flags, rest[0]), rest[1:]
	}
	return append(append(flags, "-cert", leaf.Cert), rest...)
}

func openssl(t testing.TB, args []string) (stdout, stderr string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "openssl", args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	if errors.Is(err, exec.ErrNotFound) {
		t.Fatalf("%v: the tests need the openssl program", err)
	}
	return out.String(), errs.String(), err
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func writeFile(t testing.TB, path, data string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(data), 0o644); err != nil {
		t.Fatal(err)
	}
}
