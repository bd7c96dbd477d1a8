package conformance_test

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/servertest"
)

// answered are the fields of the header of any answer.
var answeredFields = []string{"Date", "Content-Type", "Content-Length", "Cache-Control", "Etag", "Expires", "Last-Modified", "Status",
	"Content-Security-Policy", "Referrer-Policy", "X-Content-Type-Options", "Allow", "Connection"}

// TestInjection: whatever a client, or who passes it on, puts into the variables of a
// request, the header has the fields that it always has, the page no markup of
// theirs, and no setting is another one.
func TestInjection(t *testing.T) {
	k := newKit(t)
	const evil = "x\r\nSet-Cookie: a=b\r\n\r\n<script>alert(1)</script>\"'><b>\x00\x1b[31m\xff"
	der, _, good := k.question()
	for _, name := range []string{"HTTP_HOST", "REQUEST_URI", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE", "REQUEST_METHOD", "SERVER_PROTOCOL",
		"REMOTE_ADDR", "HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_X_FORWARDED_HOST", "HTTP_REFERER", "SERVER_NAME"} {
		for _, method := range []string{"GET", "POST", "PUT"} {
			vars := []string{"REQUEST_METHOD=" + method, "REQUEST_URI=/", "CONTENT_TYPE=text/plain", "CONTENT_LENGTH=0"}
			vars = slices.DeleteFunc(vars, func(v string) bool { return strings.HasPrefix(v, name+"=") })
			replies := map[string]*reply{"FastCGI": k.exchange(t, nil, append(vars, name+"="+evil)...)}
			if name != "REQUEST_METHOD" {
				replies["CGI"] = k.launch(t, nil, append(vars, name+"="+strings.ReplaceAll(evil, "\x00", ""))...)
			}
			for over, r := range replies {
				for field := range r.header {
					if !slices.Contains(answeredFields, field) {
						t.Errorf("%s, %s of %s: a field %s: %q", over, method, name, field, r.header[field])
					}
				}
				if bytes.Contains(r.body, []byte("<script>")) || bytes.Contains(r.body, []byte("<b>")) || bytes.ContainsAny(r.body, "\x1b\r") {
					t.Errorf("%s, %s of %s: %q", over, method, name, r.body)
				}
			}
		}
	}
	for _, name := range []string{"OCSP_CONFIG", "OCSP_INDEX", "OCSP_LOG", "HTTP_PROXY", "LD_PRELOAD", "GODEBUG", "PATH", "GOTRACEBACK"} {
		r := k.exchange(t, der, append(variables(len(der)), name+"=/etc/passwd")...)
		if err := good.check(r, false); err != nil {
			t.Errorf("FastCGI with %s: %v", name, err)
		}
	}
	if log := servertest.ReadFile(t, k.log); strings.ContainsAny(log, "\x1b\r\x00") {
		t.Errorf("the log obeys its clients: %q", log)
	}
}

// TestCompressed: what is compressed is not unpacked, be it a request that would be
// answered or 30 MiB of nothing.
func TestCompressed(t *testing.T) {
	k := newKit(t)
	der, _, _ := k.question()
	for what, plain := range map[string][]byte{"a request": der, "30 MiB": make([]byte, 30<<20)} {
		gzip := exec.Command("gzip", "-c")
		gzip.Stdin = bytes.NewReader(plain)
		packed, err := gzip.Output()
		if err != nil || len(packed) > 60<<10 {
			t.Fatalf("%d bytes, %v", len(packed), err)
		}
		for _, encoding := range []string{"gzip", "deflate", "br", "gzip, gzip"} {
			fields := fmt.Sprintf("Content-Type: application/ocsp-request\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n", encoding, len(packed))
			vars := append(variables(len(packed)), "HTTP_CONTENT_ENCODING="+encoding)
			for over, r := range map[string]*reply{
				"HTTP":    k.send(t, "POST", "/ocsp", fields, packed),
				"FastCGI": k.exchange(t, packed, vars...),
				"CGI":     k.launch(t, packed, vars...),
			} {
				if err := malformed.check(r, false); err != nil {
					t.Errorf("%s over %s, %s: %v", what, over, encoding, err)
				}
			}
		}
	}
}

// TestNamesOnTerminal: names of others are shown, and not obeyed, where a person
// looks: by what says what is wrong, too.
func TestNamesOnTerminal(t *testing.T) {
	script, err := exec.LookPath("script")
	if err != nil {
		t.Skip("no script(1) to run programs on a terminal")
	}
	dir := filepath.Join(t.TempDir(), "b\x1b]0;evil\x07\u009d0;evil\u202ed")
	servertest.Mkdir(t, dir)
	ca := pkitest.New(t, pkitest.Subject("/CN=a\x1b]0;evil\x07b"))
	signer, leaf := ca.OCSPSigner("ocsp"), ca.Issue("leaf")
	index := filepath.Join(dir, "index.txt")
	servertest.WriteFile(t, index, "V\t\x1b]0;evil\x07\t\t10\tunknown\t/CN=\x1b]0;evil\x07\n")
	request, response := filepath.Join(dir, "request"), filepath.Join(dir, "response")
	servertest.WriteFile(t, request, string(pkitest.Request(t, ca, leaf, "-no_nonce")))
	issuer := "-index '" + index + "' -CA " + ca.Cert + " -rsigner " + signer.Cert + " -rkey " + signer.Key
	for _, line := range []string{
		"check " + issuer, "check -json " + issuer, "-config '" + dir + "/none.toml' -port 0", issuer + " -CA '" + dir + "/none'",
		"-reqin '" + request + "' -respout '" + response + "' " + issuer, "info '" + request + "'", "info '" + dir + "/none'",
		"verify -ca " + ca.Cert + " '" + response + "'", "query -url 'http://127.0.0.1:9/\x1b]0;evil\x07' -issuer " + ca.Cert + " -serial 1",
		"check -ca-dir '" + dir + "'", "request -issuer '" + dir + "/none' -serial 1",
	} {
		cmd := exec.Command(script, "-qec", program+" "+line, "/dev/null")
		cmd.Env = []string{"TERM=xterm", "PATH=/usr/bin:/bin", "SHELL=/bin/sh"}
		out, _ := cmd.CombinedOutput() // most of them fail, for there is a fault
		if bytes.Contains(out, []byte("\x1b]0;")) || bytes.Contains(out, []byte("evil\x07")) || bytes.ContainsAny(out, "\u009d\u202e") {
			t.Errorf("%q: %q", line, out)
		}
	}
}
