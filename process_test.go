package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/servertest"
)

// process is the real program, answering FastCGI on a socket.
type process struct {
	*exec.Cmd
	socket string
	log    output

	foreign bool // not ours: it may end as it likes
}

// output is what a program that runs has written so far.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// start starts the program with flags and waits until it answers. It ends with
// the test, which fails if it does not end well.
func start(t testing.TB, flags ...string) *process {
	t.Helper()
	dir, err := os.MkdirTemp("", "ocspcgi") // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	p := &process{socket: filepath.Join(dir, "s")}
	p.Cmd = exec.Command("ocspcgi", append(flags, "-listen", "unix:"+p.socket)...)
	p.run(t)
	return p
}

// run starts a program that answers on p.socket, and waits until it does.
func (p *process) run(t testing.TB) {
	t.Helper()
	p.Stderr = &p.log
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- p.Wait() }()
	t.Cleanup(func() {
		p.Process.Signal(syscall.SIGTERM)
		if err := <-ended; err != nil && !p.foreign {
			t.Errorf("the program ended with %v:\n%s", err, &p.log)
		}
	})
	for {
		conn, err := net.Dial("unix", p.socket)
		if err == nil {
			conn.Close()
			return
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("the program ended at once: %v\n%s", err, &p.log)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// connection is a web server's connection to the program, kept open.
type connection struct {
	net.Conn
	in *bufio.Reader
}

func (p *process) dial(t testing.TB) *connection {
	t.Helper()
	conn, err := net.Dial("unix", p.socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &connection{conn, bufio.NewReader(conn)}
}

// post sends one POST and returns the answer's body.
func (c *connection) post(t testing.TB, body []byte) []byte {
	t.Helper()
	if _, err := c.Write(postRecords(body)); err != nil {
		t.Fatal(err)
	}
	answer, err := c.answer()
	if err != nil {
		t.Fatal(err)
	}
	_, der, found := bytes.Cut(answer, []byte("\r\n\r\n"))
	if !found {
		t.Fatalf("no header ends in %q", answer)
	}
	return der
}

// answer reads STDOUT up to END_REQUEST.
func (c *connection) answer() ([]byte, error) {
	var out []byte
	for {
		var header [8]byte
		if _, err := io.ReadFull(c.in, header[:]); err != nil {
			return nil, err
		}
		content := make([]byte, int(binary.BigEndian.Uint16(header[4:]))+int(header[6]))
		if _, err := io.ReadFull(c.in, content); err != nil {
			return nil, err
		}
		switch header[1] {
		case 6:
			out = append(out, content[:binary.BigEndian.Uint16(header[4:])]...)
		case 3:
			return out, nil
		default:
			return nil, fmt.Errorf("record of type %d", header[1])
		}
	}
}

// postRecords is a POST on a connection that is to be kept.
func postRecords(body []byte) []byte {
	var params []byte
	for _, pair := range [][2]string{
		{"REQUEST_METHOD", "POST"}, {"REQUEST_URI", "/ocsp"}, {"REMOTE_ADDR", "127.0.0.1"},
		{"CONTENT_TYPE", "application/ocsp-request"}, {"CONTENT_LENGTH", strconv.Itoa(len(body))},
	} {
		params = append(append(params, byte(len(pair[0])), byte(len(pair[1]))), pair[0]+pair[1]...)
	}
	out := record(nil, 1, []byte{0, 1, 1, 0, 0, 0, 0, 0})
	out = record(record(out, 4, params), 4, nil)
	if len(body) > 0 {
		out = record(out, 5, body)
	}
	return record(out, 5, nil)
}

func record(out []byte, kind byte, content []byte) []byte {
	out = append(out, 1, kind, 0, 1, byte(len(content)>>8), byte(len(content)), 0, 0)
	return append(out, content...)
}

// said is what an answer says of a certificate, by the real openssl.
func said(t testing.TB, der []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "answer.der")
	if err := os.WriteFile(file, der, 0o600); err != nil {
		t.Fatal(err)
	}
	text := pkitest.OpenSSL(t, "ocsp", "-respin", file, "-noverify", "-resp_text")
	_, rest, found := strings.Cut(text, "Cert Status: ")
	if !found {
		return text
	}
	status, _, _ := strings.Cut(rest, "\n")
	return status
}

// A revocation is answered within a second, from an index of a million rows.
func TestRevocationWithinASecond(t *testing.T) {
	c := pkitest.NewCompany(t)
	grow(t, c.Index, 1_000_000)
	p := start(t, c.Flags(c.Signer)...)
	conn := p.dial(t)
	request := pkitest.Request(t, c.CA, c.Good, "-no_nonce")
	if got := said(t, conn.post(t, request)); got != "good" {
		t.Fatalf("%s at first", got)
	}
	revoke(t, c.Index, c.Good.Serial)
	revoked := time.Now()
	for {
		asked := time.Now()
		answer := conn.post(t, request)
		if bytes.Contains(answer, []byte("\xa1\x11\x18\x0f")) { // revoked, with a time and no reason
			if got := said(t, answer); got != "revoked" {
				t.Fatalf("answered %s", got)
			}
			t.Logf("revoked after %v", asked.Sub(revoked))
			return
		}
		if asked.Sub(revoked) > time.Second {
			t.Fatalf("still %s after a second", said(t, answer))
		}
	}
}

// revoke does to a long index what openssl ca -revoke does, which takes minutes
// with so many rows: writes it anew beside the old one, and renames both.
func revoke(t *testing.T, path, serial string) {
	t.Helper()
	rows, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^V(\\t[0-9]+Z\\t)(\\t" + serial + "\\t)")
	date := time.Now().UTC().Format("060102150405Z")
	if err := os.WriteFile(path+".new", row.ReplaceAll(rows, []byte("R${1}"+date+"${2}")), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, name := range [][2]string{{path, path + ".old"}, {path + ".new", path}} {
		if err := os.Rename(name[0], name[1]); err != nil {
			t.Fatal(err)
		}
	}
}

// grow appends rows of certificates that nobody asks for.
func grow(t testing.TB, path string, rows int) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	for i := range rows {
		fmt.Fprintf(w, "V\t460101000000Z\t\t%032X\tunknown\t/C=XX/O=Example Company/CN=host-%d.example.com\n", int64(1)<<40+int64(i), i)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
}

// Issue, revoke, ask, a hundred times: each answer is the last word.
func TestRoundsOfRevocation(t *testing.T) {
	rounds := 100
	if testing.Short() {
		rounds = 10
	}
	c := pkitest.NewCompany(t)
	p := start(t, c.Flags(c.Signer)...)
	conn := p.dial(t)
	for i := range rounds {
		leaf := c.Issue(fmt.Sprintf("round-%d", i))
		request := pkitest.Request(t, c.CA, leaf, "-no_nonce")
		until(t, conn, request, "\x80\x00", "good") // [0] NULL
		c.Revoke(leaf)
		until(t, conn, request, "\xa1\x11\x18\x0f", "revoked")
	}
}

// until asks again and again, for a second, until the answer has mark in it,
// and never takes a step back: unknown, good, revoked.
func until(t *testing.T, conn *connection, request []byte, mark, name string) {
	t.Helper()
	changed := time.Now()
	for {
		asked := time.Now()
		answer := conn.post(t, request)
		if bytes.Contains(answer, []byte(mark)) {
			return
		}
		if asked.Sub(changed) > time.Second {
			t.Fatalf("not %s after a second but %s", name, said(t, answer))
		}
	}
}

// idle is how long the program is left alone before it is looked at: there is
// no event that says that its memory was collected.
const idle = 5 * time.Second

// resident returns the memory that the program has in KiB.
func (p *process) resident(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kib
}

// files returns how many descriptors the program has open.
func (p *process) files(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(open)
}

// Ten thousand requests that are none leave the program as it was.
func TestGarbage(t *testing.T) {
	if testing.Short() {
		t.Skip("takes ten seconds of waiting")
	}
	c := pkitest.NewCompany(t)
	p := start(t, c.Flags(c.Signer)...)
	request := pkitest.Request(t, c.CA, c.Good)
	garbage := func(n int) {
		conn := p.dial(t)
		for i := range n {
			body := bytes.Clone(request[:1+i%len(request)])
			body[i%len(body)] ^= byte(1 + i%255)
			if got := conn.post(t, body); len(got) == 0 || got[0] != 0x30 {
				t.Fatalf("garbage %x was answered with %x", body, got)
			}
		}
		conn.Close()
	}
	garbage(10_000) // room that is taken once
	time.Sleep(idle)
	files := p.files(t)
	// The runtime takes room in steps, one more now and then: what leaks takes
	// more each time.
	const rounds = 3
	for round := 1; ; round++ {
		before := p.resident(t)
		garbage(10_000)
		time.Sleep(idle)
		after := p.resident(t)
		t.Logf("%d KiB are resident after, %d before", after, before)
		if after <= before+before/10 || servertest.Raced { // the race detector keeps books of its own
			break
		}
		if round == rounds {
			t.Fatalf("%d KiB are resident after, %d before, and more each time", after, before)
		}
	}
	if got := said(t, p.dial(t).post(t, request)); got != "good" {
		t.Errorf("answered %s afterwards", got)
	}
	if after := p.files(t); after > files+1 { // the connection above
		t.Errorf("%d descriptors after, %d before", after, files)
	}
}
