package conformance_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/servertest"
)

// unlimited lets what it starts leave a core, and show all when it dies.
var unlimited = []string{"env", "GOTRACEBACK=crash", "sh", "-c", `ulimit -c unlimited; exec "$@"`, "sh"}

// dumped tells whether a process that a signal ended has left a core.
func dumped(t *testing.T, err error) bool {
	t.Helper()
	exit, ok := err.(*exec.ExitError)
	if !ok || !exit.Sys().(syscall.WaitStatus).Signaled() {
		t.Fatalf("not ended by a signal: %v", err)
	}
	return exit.Sys().(syscall.WaitStatus).CoreDump()
}

// TestNoCore: a process with keys leaves no core, whatever the limit was that it
// was started with.
func TestNoCore(t *testing.T) {
	control := exec.Command("sh", "-c", "ulimit -c unlimited; kill -ABRT $$")
	control.Dir = t.TempDir()
	if !dumped(t, control.Run()) {
		t.Skip("no process leaves a core here: see core(5)")
	}
	k := newKit(t)
	for _, signal := range []syscall.Signal{syscall.SIGABRT, syscall.SIGQUIT, syscall.SIGSEGV} {
		s := startUnder(t, "confine = false\n"+k.settings(k.Signer), unlimited...) // Landlock would keep a core from being left
		if err := s.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		err := <-s.ended
		s.ended = nil
		if dumped(t, err) {
			t.Errorf("%v: FastCGI has left a core", signal)
		}
	}
	for name, args := range map[string][]string{
		"signer": {program, "signer", "-rsigner", k.Signer.Cert, "-rkey", k.Signer.Key, "-listen", "unix:" + filepath.Join(servertest.Room(t), "s")},
	} {
		line := append(unlimited[:len(unlimited):len(unlimited)], args...)
		cmd := exec.Command(line[0], line[1:]...)
		cmd.Dir = t.TempDir()
		errs, err := cmd.StderrPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := errs.Read(make([]byte, 1)); err != nil { // it listens
			t.Fatal(err)
		}
		if err := cmd.Process.Signal(syscall.SIGABRT); err != nil {
			t.Fatal(err)
		}
		go new(bytes.Buffer).ReadFrom(errs)
		if dumped(t, cmd.Wait()) {
			t.Errorf("%s has left a core", name)
		}
	}
	for _, binary := range []string{program, servertest.Small(t)} {
		if dumped(t, k.aborted(t, binary)) {
			t.Errorf("%s over CGI has left a core", filepath.Base(binary))
		}
	}
}

// aborted is how a CGI process ended that was aborted while it waited for who signs.
func (k *kit) aborted(t *testing.T, binary string) error {
	t.Helper()
	dir := servertest.Room(t)
	socket, config := filepath.Join(dir, "s"), filepath.Join(dir, "ocspcgi.toml")
	servertest.WriteFile(t, config, strings.Replace(k.settings(k.Signer), k.Signer.Key, "unix:"+socket, 1))
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	der, _, _ := k.question()
	line := append(unlimited[:len(unlimited):len(unlimited)], binary)
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Dir, cmd.Stdin = t.TempDir(), bytes.NewReader(der)
	cmd.Env = append(variables(len(der)), "GATEWAY_INTERFACE=CGI/1.1", "OCSP_CONFIG="+config, "PATH="+os.Getenv("PATH"))
	if err := errors.Join(l.SetDeadline(time.Now().Add(patience)), cmd.Start()); err != nil {
		t.Fatal(err)
	}
	conn, err := l.Accept()
	if err != nil {
		cmd.Process.Kill()
		cmd.Wait()
		t.Fatal(err)
	}
	defer conn.Close()
	if err := cmd.Process.Signal(syscall.SIGABRT); err != nil {
		t.Fatal(err)
	}
	return cmd.Wait()
}

// forms are all ways in which octets may have got into a text.
func forms(what string, octets []byte) map[string][]byte {
	return map[string][]byte{
		what: octets, what + " in hex": []byte(hex.EncodeToString(octets)), what + " in HEX": []byte(strings.ToUpper(hex.EncodeToString(octets))),
		what + " in base64": []byte(base64.RawStdEncoding.EncodeToString(octets)[:len(octets)]), what + " in Go": fmt.Appendf(nil, "%v", octets)[1 : 3*len(octets)/2],
		what + " in words": []byte(hex.EncodeToString([]byte{octets[7], octets[6], octets[5], octets[4], octets[3], octets[2], octets[1], octets[0]})),
	}
}

// TestSecrets makes every kind of fault happen with a key behind a pass phrase, and
// looks for both in all that the program says to anybody.
func TestSecrets(t *testing.T) {
	const phrase = "uTtErLy-UnGuEsSaBlE:%s\\n"
	c := pkitest.NewCompany(t)
	signer := c.OCSPSigner("secret", pkitest.PassPhrase(phrase))
	plain := pkitest.OpenSSL(t, "pkey", "-in", signer.Key, "-passin", "pass:"+phrase)
	block, _ := pem.Decode([]byte(plain))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	private, err := key.(*ecdsa.PrivateKey).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	needles := forms("the pass phrase", []byte(phrase))
	for name, needle := range forms("the key", private) {
		needles[name] = needle
	}
	for i, line := range strings.Split(strings.TrimSpace(plain), "\n") {
		needles[fmt.Sprintf("line %d of the key", i)] = []byte(line)
	}
	search := func(where string, said []byte) {
		t.Helper()
		for what, needle := range needles {
			if bytes.Contains(said, needle) {
				t.Errorf("%s: %s is in it:\n%s", where, what, said)
			}
		}
	}
	settings := func(passin string) string {
		return fmt.Sprintf("form = true\nadmin = %q\nlog_level = \"debug\"\n[[issuer]]\nCA = %q\nindex = %q\nrsigner = %q\nrkey = %q\npassin = %q\n",
			"unix:"+filepath.Join(servertest.Room(t), "admin"), c.Cert, c.Index, signer.Cert, signer.Key, passin)
	}
	file := filepath.Join(t.TempDir(), "phrase")
	servertest.WriteFile(t, file, phrase+"\n")
	der := pkitest.Request(t, c.CA, c.Good, "-no_nonce")

	// What never starts, or answers internalError.
	garbage := filepath.Join(t.TempDir(), "garbage.key")
	servertest.WriteFile(t, garbage, plain[:len(plain)/2])
	good := settings("file:" + file)
	for what, text := range map[string]string{
		"another phrase": settings("pass:x" + phrase), "no file of a phrase": settings("file:" + file + ".gone"), "no source of a phrase": settings(phrase),
		"a key that does not fit": strings.Replace(good, "rsigner = \""+signer.Cert, "rsigner = \""+c.Signer.Cert, 1),
		"half a key":              strings.Replace(good, signer.Key, garbage, 1),
		"the key for a name":      strings.Replace(good, signer.Key, strings.ReplaceAll(plain, "\n", `\n`), 1),
		"an unknown setting":      settings("pass:"+phrase) + "pasin = \"pass:" + strings.ReplaceAll(phrase, `\`, `\\`) + "\"\n",
		"nothing wrong":           good,
	} {
		config := filepath.Join(t.TempDir(), "ocspcgi.toml")
		servertest.WriteFile(t, config, text)
		cgi := exec.Command(program)
		cgi.Env = append(variables(len(der)), "OCSP_CONFIG="+config, "OCSP_LOG_LEVEL=debug")
		cgi.Stdin = bytes.NewReader(der)
		check := exec.Command(program, "check", "-config", config)
		all := []*exec.Cmd{cgi, check}
		if what != "nothing wrong" {
			all = append(all, exec.Command(program, "-config", config, "-listen", "unix:"+filepath.Join(t.TempDir(), "s")))
		}
		for _, cmd := range all {
			var out, errs bytes.Buffer // where both are one, a CGI program logs nothing
			cmd.Stdout, cmd.Stderr = &out, &errs
			_ = cmd.Run() // that it fails is what it is for
			if out.Len()+errs.Len() == 0 {
				t.Errorf("%s: %v says nothing", what, cmd.Args[1:])
			}
			search(what, out.Bytes())
			search(what, errs.Bytes())
		}
	}

	// What answers, is asked rubbish, gets a broken key, and dies of a signal.
	s := startUnder(t, good, "env", "GOTRACEBACK=crash")
	for _, body := range [][]byte{der, der[:20], nil, bytes.Repeat([]byte{0x30}, 70000)} {
		search("HTTP", s.http(t, body).body)
		search("FastCGI", s.exchange(t, body, variables(len(body))...).body)
	}
	socket := strings.Split(strings.Split(good, "admin = \"unix:")[1], "\"")[0]
	a := &administered{served: s, Company: c}
	a.client.Transport = servertest.OverUnix(socket)
	for _, path := range []string{"/", "/status", "/metrics", "/readyz", "/healthz", "/debug/pprof/heap", "/nothing"} {
		_, text := a.get(t, path)
		search(path, []byte(text))
	}
	replace(t, signer.Key, plain[:len(plain)/2])
	wait(t, "the log of a key that cannot be read", func() error {
		if !strings.Contains(servertest.ReadFile(t, s.log), "are not used") {
			return os.ErrNotExist
		}
		return nil
	})
	if err := s.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	<-s.ended
	s.ended = nil
	dump := s.Stderr.(*bytes.Buffer).Bytes()
	if !bytes.Contains(dump, []byte("goroutine ")) {
		t.Errorf("no stacks in %q", dump)
	}
	search("the stacks", dump)
	search("the log", []byte(servertest.ReadFile(t, s.log)))
}
