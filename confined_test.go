package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/pkitest"
)

// logged waits until the log has a text.
func (p *process) logged(t *testing.T, text string) {
	t.Helper()
	for begun := time.Now(); !strings.Contains(p.log.String(), text); time.Sleep(5 * time.Millisecond) {
		if time.Since(begun) > 20*time.Second {
			t.Fatalf("the log lacks %q:\n%s", text, &p.log)
		}
	}
}

// confinedBy ends the test where the kernel has no Landlock.
func (p *process) confinedBy(t *testing.T) {
	t.Helper()
	p.logged(t, `"listening"`)
	if strings.Contains(p.log.String(), `"not confined"`) {
		t.Skip("no Landlock here")
	}
	p.logged(t, `"by":"Landlock ABI `)
}

// becomes asks until the answer is that; a wrong one is never given.
func becomes(t *testing.T, conn *connection, c *pkitest.Company, request []byte, want, before string) {
	t.Helper()
	for begun := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		got := ""
		switch resp, err := ocsp.ParseResponse(conn.post(t, request), c.Certificate); {
		case err != nil:
			got = err.Error()
		default:
			got = map[int]string{ocsp.Good: "good", ocsp.Revoked: "revoked", ocsp.Unknown: "unknown"}[resp.Status]
		}
		if strings.Contains(got, want) {
			return
		}
		if !strings.Contains(got, before) || time.Since(begun) > 20*time.Second {
			t.Fatalf("%s, want %s, or %s before", got, want, before)
		}
	}
}

// linked is a company whose index is reached by a link among directories, and
// whose signer by links to files; in files are what these may lead to.
type linked struct {
	*pkitest.Company
	dir string
}

func newLinked(t *testing.T) *linked {
	l := &linked{Company: pkitest.NewCompany(t), dir: t.TempDir()}
	for _, dir := range []string{"ca", "rel/1", "rel/2", "far", "signer"} {
		if err := os.MkdirAll(filepath.Join(l.dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, to := range []string{"rel/1", "rel/2", "far"} {
		byRename(t, l.Index, l.path(to+"/index.txt"))
	}
	next := l.OCSPSigner("next")
	for name, from := range map[string]string{"signer/1.pem": l.Signer.Cert, "signer/1.key": l.Signer.Key, "far/2.pem": next.Cert, "far/2.key": next.Key} {
		byRename(t, from, l.path(name))
	}
	l.lead(t, "ca/now", "../rel/1")
	l.lead(t, "ca/ocsp.pem", "../signer/1.pem")
	l.lead(t, "ca/ocsp.key", "../signer/1.key")
	return l
}

func (l *linked) path(name string) string { return filepath.Join(l.dir, name) }

// lead has a link lead elsewhere.
func (l *linked) lead(t *testing.T, name, to string) {
	t.Helper()
	if err := errors.Join(os.Symlink(to, l.path(name+".new")), os.Rename(l.path(name+".new"), l.path(name))); err != nil {
		t.Fatal(err)
	}
}

func (l *linked) flags() []string {
	return []string{"-index", l.path("ca/now/index.txt"), "-CA", l.Cert, "-rsigner", l.path("ca/ocsp.pem"), "-rkey", l.path("ca/ocsp.key")}
}

// A link that leads out of what the process may open makes its file unreadable:
// tryLater for the index, the old signer for the new, a line with the remedy, and
// all is well when it leads back. Beside its target it may lead.
func TestConfinedLinks(t *testing.T) {
	l := newLinked(t)
	p := start(t, l.flags()...)
	p.confinedBy(t)
	conn, request := p.dial(t), pkitest.Request(t, l.CA, l.Good)
	becomes(t, conn, l.Company, request, "good", "good")
	l.lead(t, "ca/now", "../rel/2")
	becomes(t, conn, l.Company, request, "good", "good")
	l.Revoke(l.Good)
	byRename(t, l.Index, l.path("rel/2/index.txt"))
	becomes(t, conn, l.Company, request, "revoked", "good")

	other := pkitest.Request(t, l.CA, l.Issue("other"))
	byRename(t, l.Index, l.path("rel/2/index.txt"))
	becomes(t, conn, l.Company, other, "good", "unknown")
	l.lead(t, "ca/now", "../far")
	becomes(t, conn, l.Company, other, "try later", "good")
	becomes(t, conn, l.Company, request, "revoked", "revoked")
	p.logged(t, `"remedy":"restart, and it is read where it is now; or set confine = false","`)
	p.logged(t, `"file":"`+l.path("ca/now/index.txt")+`"`)
	l.lead(t, "ca/now", "../rel/2")
	becomes(t, conn, l.Company, other, "good", "try later")

	l.lead(t, "ca/ocsp.pem", "../far/2.pem")
	l.lead(t, "ca/ocsp.key", "../far/2.key")
	p.logged(t, `"file":"`+l.path("ca/ocsp.pem")+`"`)
	if by := signedBy(t, l.Company, conn.post(t, other)); !bytes.Equal(by, l.Signer.Certificate.Raw) {
		t.Error("the signer out of reach signs")
	}
}

// With confine = false a link may lead anywhere, and the log says so.
func TestNotConfined(t *testing.T) {
	l := newLinked(t)
	p := start(t, append(l.flags(), "-confine=false")...)
	p.logged(t, `"why":"confine is false"`)
	conn := p.dial(t)
	other := pkitest.Request(t, l.CA, l.Issue("other"))
	byRename(t, l.Index, l.path("far/index.txt"))
	l.lead(t, "ca/now", "../far")
	becomes(t, conn, l.Company, other, "good", "unknown")
}

// traced has a command run under strace, which writes what it calls to a file, a call
// a line: one that the command's user may make.
func traced(t *testing.T, cmd *exec.Cmd, to string) *exec.Cmd {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("strace is Linux's")
	}
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("no strace; apt-get install strace")
	}
	const calls = "trace=connect,sendto,sendmsg,sendmmsg,execve,execveat,accept4,bind,landlock_restrict_self"
	cmd.Args = append([]string{strace, "-f", "-qq", "-e", "signal=none", "-e", calls, "-o", to, cmd.Path}, cmd.Args[1:]...)
	cmd.Path = strace
	return cmd
}

// endTraced ends the program that strace has started, and waits for both.
func (p *process) endTraced(t *testing.T, pidFile string) {
	t.Helper()
	pid, err := strconv.Atoi(strings.TrimSpace(string(read(t, pidFile))))
	if err == nil {
		err = syscall.Kill(pid, syscall.SIGTERM)
	}
	if err != nil {
		t.Fatal(err)
	}
	for begun := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		if err := syscall.Kill(p.Process.Pid, 0); err != nil {
			return
		}
		if time.Since(begun) > 20*time.Second {
			t.Fatal("it does not end")
		}
	}
}

// From its start to its end, with requests, reloads, operators and a key that
// somebody else has, the program connects to that one alone, sends nothing elsewhere,
// and executes nothing. All that it binds is bound before it is confined, and all that
// it accepts comes after. The same is so of who signs, which connects to nobody, and
// of a CGI process.
func TestConnectsNowhere(t *testing.T) {
	a := newApart(t)
	a.signer = a.newSigner("-listen_mode", "0666", "-pid_file", "sign/pid")
	a.signer.foreign = true
	traced(t, a.signer.Cmd, a.path("sign/calls"))
	a.signer.run(t)
	t.Chdir(a.dir)
	p := &process{socket: a.path("answer/s"), foreign: true}
	pidFile, admin := a.path("answer/pid"), a.path("answer/admin")
	args := append(a.flags(), "-listen", "unix:"+p.socket, "-port", "127.0.0.1:0", "-admin", "unix:"+admin, "-pid_file", pidFile)
	calls := filepath.Join(t.TempDir(), "calls")
	p.Cmd = traced(t, exec.Command("ocspcgi", args...), calls)
	p.run(t)
	if status, who := a.cgi(traced(t, a.command(answering), a.path("answer/calls")), a.settings()...); status != ocsp.Success || who != "first" {
		t.Errorf("CGI: %v, by %s", status, who)
	}
	a.responder = p
	for i := range 3 {
		if status, _ := a.ask(); status != ocsp.Success {
			t.Errorf("%v", status)
		}
		a.copy(a.ca.Index, "public/index.txt", 0o644)
		if i == 1 {
			a.pair(a.ca.OCSPSigner("second"))
		}
	}
	p.logged(t, `"certificates and keys read"`)
	p.endTraced(t, pidFile)
	a.signer.endTraced(t, a.path("sign/pid"))
	for _, file := range []string{pidFile, admin, p.socket, a.path("sign/pid"), a.signer.socket} {
		if _, err := os.Lstat(file); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("left over: %s, %v", file, err)
		}
	}
	for _, test := range []struct {
		calls    string
		connects bool // to who signs
		log      string
	}{{calls, true, p.log.String()}, {a.path("answer/calls"), true, ""}, {a.path("sign/calls"), false, a.signer.log.String()}} {
		stays(t, string(read(t, test.calls)), test.connects, strings.Contains(test.log, "Landlock"))
	}
}

// stays wants that a program has reached nobody but who signs.
func stays(t *testing.T, calls string, connects, confined bool) {
	t.Helper()
	connected, executed, state := 0, 0, ""
	sends := regexp.MustCompile(` send(to|msg|mmsg)\(.*sa_family=AF_INET`)
	for line := range strings.Lines(calls) {
		switch {
		case strings.Contains(line, " connect("):
			connected++
			if !connects || !strings.Contains(line, `sun_path="sign/s"`) {
				t.Errorf("it connects: %s", line)
			}
		case sends.MatchString(line):
			t.Errorf("it sends: %s", line)
		case strings.Contains(line, " execve"):
			executed++
		case strings.Contains(line, "landlock_restrict_self("):
			state = "confined"
		case strings.Contains(line, " bind(") && state != "":
			t.Errorf("bound late: %s", line)
		case strings.Contains(line, " accept4(") && !strings.Contains(line, "EAGAIN") && state == "" && confined:
			t.Errorf("accepted early: %s", line)
		}
	}
	if executed != 1 || connects != (connected > 0) {
		t.Errorf("%d programs are executed, itself with them, and %d connections made:\n%s", executed, connected, calls)
	}
}
