// Package conformance_test asks the program, as it ships, what the rows of
// testdata/rows.txt are about, by all ways that there are to ask it. Names behind
// K: are those of the cases in the list of what must hold.
package conformance_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ocspcgi/lib/servertest"
)

// program is built once, by TestMain.
var program string

func TestMain(m *testing.M) { os.Exit(servertest.Main(m, &program)) }

// patience is how long anything may take that takes a moment.
const patience = 20 * time.Second

// served is the program, answering FastCGI on a socket and HTTP on a port.
type served struct {
	*exec.Cmd
	config  string // path
	socket  string
	address string // of HTTP
	log     string // path
	ended   chan error
}

// start starts the program with settings in TOML. It ends with the test.
func start(t testing.TB, settings string) *served {
	t.Helper()
	return startUnder(t, settings)
}

// startUnder starts the program by another one, which becomes it.
func startUnder(t testing.TB, settings string, under ...string) *served {
	t.Helper()
	return startIn(t, servertest.Room(t), settings, under...)
}

// startIn starts it with its files in a directory.
func startIn(t testing.TB, dir, settings string, under ...string) *served {
	t.Helper()
	s := &served{config: filepath.Join(dir, "ocspcgi.toml"), socket: filepath.Join(dir, "s"), log: filepath.Join(dir, "log"), ended: make(chan error, 1)}
	servertest.WriteFile(t, s.config, settings)
	line := append(under, program, "-config", s.config, "-listen", "unix:"+s.socket, "-port", "127.0.0.1:0", "-log", s.log)
	s.Cmd = exec.Command(line[0], line[1:]...)
	s.Env = []string{"GOTRACEBACK=all", "PATH=" + os.Getenv("PATH"), servertest.RaceOptions()}
	var dump bytes.Buffer
	s.Stderr = &dump
	out, err := s.StdoutPipe()
	if err == nil {
		err = s.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	said, err := bufio.NewReader(out).ReadString('\n')
	if _, err2 := fmt.Sscanf(said, "ACCEPT %s PID=", &s.address); err != nil || err2 != nil {
		s.Wait()
		t.Fatalf("the program said %q (%v): %s%s", said, err, &dump, servertest.ReadFile(t, s.log))
	}
	go func() { s.ended <- s.Wait() }()
	t.Cleanup(func() {
		if s.ended == nil {
			return
		}
		s.Process.Signal(syscall.SIGTERM)
		if err := <-s.ended; err != nil {
			t.Errorf("the program ended with %v: %s%s", err, &dump, servertest.ReadFile(t, s.log))
		}
	})
	return s
}

// goroutines ends the program and returns how many it had at its end, Go's own
// apart.
func (s *served) goroutines(t *testing.T) int {
	t.Helper()
	if err := s.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	<-s.ended
	s.ended = nil
	dump := s.Stderr.(*bytes.Buffer).String()
	return strings.Count(dump, "\ncreated by ") - strings.Count(dump, "\ncreated by runtime.")
}

// files returns how many descriptors the program has open, and how many of
// these are sockets.
func (s *served) files(t testing.TB) (all, sockets int) {
	t.Helper()
	return servertest.Files(t, s.Process.Pid)
}

// reply is an HTTP answer, whatever way it came.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// over names the ways to send the body of a POST.
var over = []struct {
	name string
	post func(s *served, t testing.TB, body []byte) *reply
}{
	{"HTTP", (*served).http},
	{"FastCGI", (*served).fastCGI},
	{"CGI", (*served).cgi},
}

// http asks over HTTP.
func (s *served) http(t testing.TB, body []byte) *reply {
	t.Helper()
	return s.send(t, "POST", "/ocsp", fmt.Sprintf("Content-Type: application/ocsp-request\r\nContent-Length: %d\r\n", len(body)), body)
}

// send sends an HTTP/1.1 request to the byte and reads the one answer.
func (s *served) send(t testing.TB, method, target, fields string, body []byte) *reply {
	t.Helper()
	return s.talk(t, method, fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: ocsp.example.com\r\nConnection: close\r\n%s\r\n%s", method, target, fields, body))
}

// talk sends data, reads the one answer, and that nothing follows it.
func (s *served) talk(t testing.TB, method string, data []byte) *reply {
	t.Helper()
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	if _, err := conn.Write(data); err != nil {
		t.Fatal(err)
	}
	return answerOf(t, method, bufio.NewReader(conn))
}

// answerOf reads the one answer there is.
func answerOf(t testing.TB, method string, in *bufio.Reader) *reply {
	t.Helper()
	resp, err := http.ReadResponse(in, &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(in); err != nil || len(rest) > 0 {
		t.Fatalf("%q (%v) follows the answer", rest, err)
	}
	if len(resp.TransferEncoding) > 0 {
		t.Errorf("HTTP-22: the answer is %s", resp.TransferEncoding)
	}
	return &reply{resp.StatusCode, resp.Header, content}
}

// variables is the environment of a POST.
func variables(length int) []string {
	return []string{"REQUEST_METHOD=POST", "REQUEST_URI=/ocsp", "CONTENT_TYPE=application/ocsp-request",
		"CONTENT_LENGTH=" + strconv.Itoa(length), "REMOTE_ADDR=127.0.0.1"}
}

// cgi asks a process of its own.
func (s *served) cgi(t testing.TB, body []byte) *reply {
	t.Helper()
	return s.launch(t, body, variables(len(body))...)
}

// launch asks a CGI process with these variables.
func (s *served) launch(t testing.TB, body []byte, env ...string) *reply {
	t.Helper()
	cmd := s.command(env...)
	cmd.Stdin = bytes.NewReader(body)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, out)
}

// command is a CGI process.
func (s *served) command(env ...string) *exec.Cmd {
	cmd := exec.Command(program)
	cmd.Env = append(env, "GATEWAY_INTERFACE=CGI/1.1", "OCSP_CONFIG="+s.config)
	return cmd
}

// parse reads the answer of a CGI program.
func parse(t testing.TB, out []byte) *reply {
	t.Helper()
	in := bufio.NewReader(bytes.NewReader(out))
	header, err := textproto.NewReader(in).ReadMIMEHeader()
	if err != nil {
		t.Fatalf("%v in %q", err, out)
	}
	status, err := strconv.Atoi(strings.Fields(header.Get("Status"))[0])
	if err != nil {
		t.Fatal(err)
	}
	header.Del("Status")
	body, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	return &reply{status, http.Header(header), body}
}

// fastCGI asks over FastCGI.
func (s *served) fastCGI(t testing.TB, body []byte) *reply {
	t.Helper()
	return s.exchange(t, body, variables(len(body))...)
}

// exchange asks over FastCGI with these variables, on a connection of its own.
func (s *served) exchange(t testing.TB, body []byte, variables ...string) *reply {
	t.Helper()
	conn, err := net.Dial("unix", s.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	if _, err := conn.Write(stream(begin(nil, variables), 5, body)); err != nil {
		t.Fatal(err)
	}
	return parse(t, stdout(t, conn))
}

// begin appends a request up to its STDIN.
func begin(out []byte, variables []string) []byte {
	var params []byte
	for _, variable := range variables {
		name, value, _ := strings.Cut(variable, "=")
		params = binary.BigEndian.AppendUint32(append(params, byte(len(name))), uint32(len(value))|1<<31)
		params = append(params, name+value...)
	}
	out = record(out, 1, []byte{0, 1, 0, 0, 0, 0, 0, 0}) // responder, not kept
	return stream(out, 4, params)
}

// stream appends content in records as long as nginx makes them, and its end.
func stream(out []byte, kind byte, content []byte) []byte {
	for chunk := range slices.Chunk(content, 32768) {
		out = record(out, kind, chunk)
	}
	return record(out, kind, nil)
}

func record(out []byte, kind byte, content []byte) []byte {
	out = append(out, 1, kind, 0, 1, byte(len(content)>>8), byte(len(content)), 0, 0)
	return append(out, content...)
}

// stdout joins the STDOUT records up to the end of the connection.
func stdout(t testing.TB, conn io.Reader) (out []byte) {
	t.Helper()
	for in := bufio.NewReader(conn); ; {
		var h [8]byte
		if _, err := io.ReadFull(in, h[:]); errors.Is(err, io.EOF) {
			return out
		} else if err != nil {
			t.Fatal(err)
		}
		content := make([]byte, int(h[4])<<8+int(h[5])+int(h[6]))
		if _, err := io.ReadFull(in, content); err != nil {
			t.Fatal(err)
		}
		if h[1] == 6 {
			out = append(out, content[:int(h[4])<<8+int(h[5])]...)
		}
	}
}
