package conformance_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"ocspcgi/lib/ocsphttp"
	"ocspcgi/lib/servertest"
	"ocspcgi/lib/wire"
)

// peak is the most memory in bytes that a process has had.
func peak(t *testing.T, pid int) int {
	t.Helper()
	_, rest, found := strings.Cut(servertest.ReadFile(t, fmt.Sprintf("/proc/%d/status", pid)), "VmHWM:")
	if !found {
		t.Skip("no VmHWM here")
	}
	kilobytes, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}

// rest is what is still said on a connection on which data was sent, and nothing
// more will be.
func rest(t *testing.T, network, address string, data []byte) []byte {
	t.Helper()
	conn, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	conn.Write(data) // it may be closed before all is sent
	conn.(interface{ CloseWrite() error }).CloseWrite()
	said, err := io.ReadAll(conn)
	if ne, ok := err.(net.Error); ok && ne.Timeout() {
		t.Errorf("neither answered nor closed: %.60q", data)
	}
	return said
}

// TestBombs: what says that it is long, or is many, takes no more memory than what
// has come up to a limit, is refused, and others are answered as before.
func TestBombs(t *testing.T) {
	k := newKit(t)
	der, _, good := k.question()
	if err := good.check(k.http(t, der), false); err != nil {
		t.Fatal(err)
	}
	before := peak(t, k.Process.Pid)
	begin := record(nil, 1, []byte{0, 1, 0, 0, 0, 0, 0, 0})
	pairs := bytes.Repeat([]byte("\x05\x01HTTP_x"), 100_000)
	for what, data := range map[string][]byte{
		"a name of 2 GiB":     record(bytes.Clone(begin), 4, []byte("\xff\xff\xff\xff\x00A")),
		"a value of 2 GiB":    stream(bytes.Clone(begin), 4, []byte("\x01\xff\xff\xff\xffA")),
		"both of 2 GiB":       stream(bytes.Clone(begin), 4, []byte("\xff\xff\xff\xff\xff\xff\xff\xffA")),
		"100,000 pairs":       stream(bytes.Clone(begin), 4, pairs),
		"pairs without end":   stream(bytes.Clone(begin), 4, bytes.Repeat(pairs, 20)),
		"a body without end":  stream(stream(bytes.Clone(begin), 4, []byte("\x0e\x04REQUEST_METHODPOST")), 5, make([]byte, 16<<20)),
		"begun 100,000 times": bytes.Repeat(begin, 100_000),
	} {
		if said := rest(t, "unix", k.socket, data); bytes.Contains(said, []byte("\x0a\x01\x00")) {
			t.Errorf("%s: %q", what, said)
		}
	}
	for _, length := range []string{"1000000000000000000", "9223372036854775807", "99999999999999999999", "-1", " 5 ", "5, 5", "0x5", "+5", "5\t"} {
		post := "POST /ocsp HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/ocsp-request\r\nContent-Length: " + length + "\r\n\r\n12345"
		said := rest(t, "tcp", k.address, []byte(post))
		if bytes.Contains(said, []byte("\x30\x03\x0a\x01\x00")) {
			t.Errorf("HTTP, length %q: %q", length, said)
		}
		vars := []string{"REQUEST_METHOD=POST", "REQUEST_URI=/ocsp", "CONTENT_TYPE=application/ocsp-request", "CONTENT_LENGTH=" + length}
		malformed := want{status: 1}
		if err := malformed.check(k.launch(t, []byte("12345"), vars...), false); err != nil {
			t.Errorf("CGI, length %q: %v", length, err)
		}
	}
	id := k.ca.id(k.good...)
	var ids, extensions []byte
	for range 100_000 {
		ids = append(ids, list(id)...)
		extensions = append(extensions, 0x30, 0x08, 6, 3, 0x2a, 3, 4, 4, 1, 0)
	}
	for what, body := range map[string][]byte{"100,000 CertIDs": ids, "100,000 extensions": extensions} {
		for over, r := range map[string]*reply{"HTTP": k.http(t, body[:ocsphttp.MaxBody+1]), "FastCGI": k.fastCGI(t, body), "CGI": k.cgi(t, body)} {
			if r.status != 413 {
				t.Errorf("%s, %s: %d", over, what, r.status)
			}
		}
	}
	const room = 32 << 20
	if after := peak(t, k.Process.Pid); after > before+room {
		t.Errorf("it took %d MiB, %d before", after>>20, before>>20)
	}
	w := k.said(wire.Good, id, nil)
	if err := w.check(k.http(t, request(list(id))), false); err != nil {
		t.Error(err)
	}
	if err := good.check(k.fastCGI(t, der), false); err != nil {
		t.Error(err)
	}
}
