package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/servertest"
)

// buildWithTokens builds the program that knows tokens.
func buildWithTokens(t testing.TB, path string) {
	t.Helper()
	build(t, path, "CGO_ENABLED=1", "-tags", "pkcs11 netgo osusergo")
}

func build(t testing.TB, path, cgo string, flags ...string) {
	t.Helper()
	cmd := exec.Command("go", append([]string{"build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", path}, flags...)...)
	cmd.Env = append(os.Environ(), cgo)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

const tokenPIN = "PIN-271828"

// softToken makes a token of SoftHSM with the key of a signer, and returns what
// the program's environment needs, the folder of the token, and its URI.
func softToken(t testing.TB, s *pkitest.Signer) (env, dir, uri string) {
	t.Helper()
	base := t.TempDir()
	tokens, conf, pin := filepath.Join(base, "tokens"), filepath.Join(base, "softhsm2.conf"), filepath.Join(base, "pin")
	for _, err := range []error{os.Mkdir(tokens, 0o700), os.WriteFile(conf, []byte("directories.tokendir = "+tokens+"\nlog.level = ERROR\n"), 0o600), os.WriteFile(pin, []byte(tokenPIN+"\n"), 0o600)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"--init-token", "--free", "--label", "ocsp", "--so-pin", "5678", "--pin", tokenPIN},
		{"--import", s.Key, "--token", "ocsp", "--label", "signer", "--id", "01", "--pin", tokenPIN},
	} {
		cmd := exec.Command("softhsm2-util", args...)
		cmd.Env = append(os.Environ(), "SOFTHSM2_CONF="+conf)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("softhsm2-util: %v: %s", err, out)
		}
	}
	found, err := filepath.Glob(tokens + "/*")
	if err != nil || len(found) != 1 {
		t.Fatalf("%v %v", found, err)
	}
	return "SOFTHSM2_CONF=" + conf, found[0], "pkcs11:token=ocsp;object=signer?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:" + pin
}

// The program with tokens answers with a key that no file has, over FastCGI and
// as CGI; without the token it says tryLater, and with it again it goes on. The
// PIN is seen nowhere.
func TestTokenProgram(t *testing.T) {
	program := filepath.Join(t.TempDir(), "ocspcgi")
	buildWithTokens(t, program)
	for _, kind := range []string{"p256", "p384", "rsa2048"} {
		t.Run(kind, func(t *testing.T) {
			a := newApart(t)
			s := a.ca.OCSPSigner("token", pkitest.Key(kind))
			env, dir, uri := softToken(t, s)
			flags := []string{"-index", a.ca.Index, "-CA", a.ca.Cert, "-rsigner", s.Cert, "-rkey", uri}
			a.responder = &process{socket: a.path("answer/s")}
			a.responder.Cmd = exec.Command(program, append(flags, "-listen", "unix:"+a.responder.socket)...)
			a.responder.Env = append(os.Environ(), env)
			a.responder.run(t)
			if status, _ := a.ask(); status != ocsp.Success {
				t.Fatalf("%v\n%s", status, &a.responder.log)
			}
			cgi := func() ocsp.ResponseStatus {
				status, _ := a.cgi(exec.Command(program), env, "OCSP_INDEX="+a.ca.Index, "OCSP_CA="+a.ca.Cert, "OCSP_RSIGNER="+s.Cert, "OCSP_RKEY="+uri)
				return status
			}
			if status := cgi(); status != ocsp.Success {
				t.Errorf("as CGI: %v", status)
			}
			hidden := filepath.Join(t.TempDir(), "token")
			a.must(os.Rename(dir, hidden))
			a.await("the token is missed", ocsp.TryLater)
			if status := cgi(); status != ocsp.TryLater {
				t.Errorf("as CGI, without the token: %v", status)
			}
			a.must(os.Rename(hidden, dir))
			a.await("the token is found again", ocsp.Success)
			for _, of := range []string{"cmdline", "environ"} {
				told, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", a.responder.Process.Pid, of))
				a.must(err)
				if strings.Contains(string(told), tokenPIN) {
					t.Errorf("the PIN is in %s", of)
				}
			}
			if log := a.responder.log.String(); strings.Contains(log, tokenPIN) || strings.Count(log, "the key is away: answers") != 1 {
				t.Errorf("the log says:\n%s", log)
			}
		})
	}
}

// await asks until that is the status; it is that or the other one meanwhile.
func (a *apart) await(what string, want ocsp.ResponseStatus) {
	a.t.Helper()
	for begun := time.Now(); time.Since(begun) < 20*time.Second; {
		status, _ := a.ask()
		if status == want {
			return
		}
		if status != ocsp.Success && status != ocsp.TryLater {
			a.t.Fatalf("%s: %v\n%s", what, status, &a.responder.log)
		}
	}
	a.t.Fatalf("%s: never\n%s", what, &a.responder.log)
}

// BenchmarkElsewhere starts a CGI process for each request, by where the key is.
// Compare the times of one run.
func BenchmarkElsewhere(b *testing.B) {
	dir := b.TempDir()
	program, withTokens := filepath.Join(dir, "ocspcgi"), filepath.Join(dir, "ocspcgi-pkcs11")
	build(b, program, "CGO_ENABLED=0")
	buildWithTokens(b, withTokens)
	c := pkitest.NewCompany(b)
	s := c.OCSPSigner("bench")
	sealed := filepath.Join(dir, "sealed.key")
	pkitest.OpenSSL(b, "pkey", "-in", s.Key, "-aes256", "-passout", "pass:opensesame", "-out", sealed)
	token, _, uri := softToken(b, s)
	if err := os.Chtimes(c.Index, time.Time{}, time.Now().Add(-time.Hour)); err != nil {
		b.Fatal(err)
	}
	request := filepath.Join(dir, "request")
	servertest.WriteFile(b, request, string(pkitest.Request(b, c.CA, c.Good, "-no_nonce")))
	short, err := os.MkdirTemp("", "bench")
	if err != nil {
		b.Fatal(err)
	}
	defer os.RemoveAll(short)
	office := &process{socket: filepath.Join(short, "s")}
	office.Cmd = exec.Command(program, "signer", "-rsigner", s.Cert, "-rkey", s.Key, "-listen", "unix:"+office.socket)
	office.run(b)
	for _, bench := range []struct{ name, program, key, pass string }{
		{"file", program, s.Key, ""}, {"encrypted", program, sealed, "pass:opensesame"}, {"unix", program, "unix:" + office.socket, ""},
		{"file-pkcs11", withTokens, s.Key, ""}, {"unix-pkcs11", withTokens, "unix:" + office.socket, ""}, {"token", withTokens, uri, ""},
	} {
		env := []string{"GATEWAY_INTERFACE=CGI/1.1", "REQUEST_METHOD=POST", "CONTENT_TYPE=application/ocsp-request", token,
			"OCSP_INDEX=" + c.Index, "OCSP_CA=" + c.Cert, "OCSP_RSIGNER=" + s.Cert, "OCSP_RKEY=" + bench.key}
		if bench.pass != "" {
			env = append(env, "OCSP_PASSIN="+bench.pass)
		}
		b.Run(bench.name, func(b *testing.B) {
			before := servertest.ChildTime(b)
			for b.Loop() {
				servertest.Spawn(b, request, env, bench.program)
			}
			b.ReportMetric((servertest.ChildTime(b)-before).Seconds()*1000/float64(b.N), "cpu-ms/op")
		})
	}
}
