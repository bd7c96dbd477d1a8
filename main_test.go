package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"ocspcgi/lib/once"
	"ocspcgi/lib/pkitest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"ocspcgi": main, "ocsp.cgi": func() {
		os.Exit((&once.Program{Version: version, Environ: os.Environ()}).Only())
	}})
}

// TestScripts runs what a person types at the real main: testdata/script has a
// file for each behaviour. $CA is the folder of the CA in testdata.
func TestScripts(t *testing.T) { runScripts(t, "testdata/script") }

// TestSmallProgram runs the scripts about CGI at the program that is for CGI alone.
func TestSmallProgram(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"cgi.txtar", "cache.txtar"} {
		script, err := os.ReadFile(filepath.Join("testdata/script", name))
		if err == nil {
			small := strings.ReplaceAll(string(script), "exec ocspcgi", "exec ocsp.cgi")
			err = os.WriteFile(filepath.Join(dir, name), []byte(small), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	runScripts(t, dir)
}

func runScripts(t *testing.T, dir string) {
	ca, err := filepath.Abs("testdata/ca")
	if err != nil {
		t.Fatal(err)
	}
	hand := handmade(t)
	noble, err := filepath.Abs("testdata/noble")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: dir,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HAND", hand)
			env.Setenv("NOBLE", noble)
			env.Setenv("CA", ca)
			env.Setenv("REQUESTS", filepath.Join(filepath.Dir(ca), "requests"))
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"await": await, "der": der, "etag": etag, "exits": exits, "expand": expand, "flip": flip, "path": path, "port": port,
		},
	})
}

// handmade makes CAs whose keys openssl may not know, each with a signer, in
// folders that are named after both kinds of key.
func handmade(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, kinds := range [][2]string{
		{"ML-DSA-44", "ML-DSA-44"}, {"ML-DSA-65", "ML-DSA-65"}, {"ML-DSA-87", "ML-DSA-87"},
		{"ML-DSA-65", "P-256"}, {"P-384", "ML-DSA-65"}, {"MLDSA65-ECDSA-P256-SHA512", "MLDSA87-ECDSA-P384-SHA512"},
	} {
		below := filepath.Join(dir, kinds[0]+"_"+kinds[1])
		if err := os.Mkdir(below, 0o755); err != nil {
			t.Fatal(err)
		}
		ca := pkitest.HandCA(t, below, kinds[0])
		ca.Index(t, ca.OCSPSigner(t, "ocsp", kinds[1]))
		ca.Intermediate(t, "below", kinds[1])
	}
	return dir
}

// der FILE HEX checks that a file is those bytes, and nothing else.
func der(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: der FILE HEX")
	}
	got, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	if hex := fmt.Sprintf("%x", got); hex != args[1] {
		ts.Fatalf("%s is %s, want %s", args[0], hex, args[1])
	}
}

// await ADDRESS waits until somebody takes connections there: a path or HOST:PORT.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: await ADDRESS")
	}
	network, address := "tcp", args[0]
	if !strings.Contains(address, ":") {
		network, address = "unix", ts.MkAbs(address)
	}
	var err error
	for begun := time.Now(); time.Since(begun) < 20*time.Second; time.Sleep(5 * time.Millisecond) {
		var conn net.Conn
		if conn, err = net.Dial(network, address); err == nil {
			ts.Check(conn.Close())
			return
		}
	}
	ts.Fatalf("%v", err)
}

// port NAME puts a port that nobody listens on into a variable.
func port(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: port NAME")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[0], fmt.Sprint(l.Addr().(*net.TCPAddr).Port))
	ts.Check(l.Close())
}

// exits CODE PROGRAM ARGS runs a program as exec does, which has to end with that
// exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARGS")
	}
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		ended := (*exec.ExitError)(nil)
		if !errors.As(err, &ended) {
			ts.Fatalf("%v", err)
		}
		code = ended.ExitCode()
	}
	if fmt.Sprint(code) != args[0] {
		ts.Fatalf("%s ended with %d, want %s\n%s%s", args[1], code, args[0], ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}

// expand FILE puts the environment's values into a file.
func expand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: expand FILE")
	}
	path := ts.MkAbs(args[0])
	text, err := os.ReadFile(path)
	ts.Check(err)
	ts.Check(os.WriteFile(path, []byte(os.Expand(string(text), ts.Getenv)), 0o644))
}

// flip FILE OFFSET flips a bit of the byte there.
func flip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: flip FILE OFFSET")
	}
	at, err := strconv.Atoi(args[1])
	ts.Check(err)
	path := ts.MkAbs(args[0])
	data, err := os.ReadFile(path)
	ts.Check(err)
	data[at] ^= 1
	ts.Check(os.WriteFile(path, data, 0o644))
}

// etag FILE puts the ETag in an answer into $ETAG.
func etag(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: etag FILE")
	}
	_, rest, found := strings.Cut(ts.ReadFile(args[0]), "\nETag: ")
	if !found {
		ts.Fatalf("%s has no ETag", args[0])
	}
	value, _, _ := strings.Cut(rest, "\r\n")
	ts.Setenv("ETAG", value)
}

// path NAME FILE puts the path that asks by GET for a request into a variable.
func path(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: path NAME FILE")
	}
	ts.Setenv(args[0], "/ocsp/"+url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(ts.ReadFile(args[1])))))
}

// npm fetches from where it is told to, and checks what comes by its digest.
func TestNobleNamesNoHost(t *testing.T) {
	lock := string(read(t, "testdata/noble/package-lock.json"))
	if strings.Contains(lock, `"resolved"`) {
		t.Error("testdata/noble/package-lock.json says from where packages came; npm install in that folder leaves it out")
	}
	if n := strings.Count(lock, `"integrity": "sha512-`); n != 2 {
		t.Errorf("%d packages with a digest, want 2", n)
	}
}
