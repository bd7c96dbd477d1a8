package conformance_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/servertest"
	"ocspcgi/lib/wire"
)

// later is the answer of who could not tell.
var later = want{status: ocsp.TryLater}

// logs waits until the log has said something.
func (s *served) logs(t testing.TB, what string) {
	t.Helper()
	wait(t, fmt.Sprintf("the log does not say %q", what), func() error {
		if text := servertest.ReadFile(t, s.log); !strings.Contains(text, what) {
			return fmt.Errorf("%s", text)
		}
		return nil
	})
}

// wait asks again and again until nothing is wrong any more.
func wait(t testing.TB, what string, wrong func() error) {
	t.Helper()
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if err = wrong(); err == nil {
			return
		}
	}
	t.Fatalf("%s: %v", what, err)
}

// becomes asks over FastCGI until the answer is as wanted.
func (k *kit) becomes(t testing.TB, what string, der []byte, w want) {
	t.Helper()
	wait(t, what, func() error { return w.check(k.fastCGI(t, der), false) })
}

// revokeInPlace revokes the good certificate by writing over the file, as scp
// does: nothing but the file itself tells.
func (k *kit) revokeInPlace(t testing.TB) {
	t.Helper()
	text, err := os.ReadFile(k.Index)
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(`(?m)^V(\t[0-9]+Z\t)(\t` + k.Good.Serial + `\t)`)
	if !row.Match(text) {
		t.Fatalf("no row of %s in %s", k.Good.Serial, text)
	}
	if err := os.WriteFile(k.Index, row.ReplaceAll(text, []byte("R${1}260101000000Z${2}")), 0); err != nil {
		t.Fatal(err)
	}
}

// talking is a connection over FastCGI that is kept.
type talking struct{ net.Conn }

func (s *served) connect(t testing.TB) talking {
	t.Helper()
	conn, err := net.Dial("unix", s.socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return talking{conn}
}

// ask posts on the connection.
func (c talking) ask(t testing.TB, body []byte) *reply {
	t.Helper()
	var params []byte
	for _, variable := range variables(len(body)) {
		name, value, _ := strings.Cut(variable, "=")
		params = append(append(params, byte(len(name)), byte(len(value))), name+value...)
	}
	c.SetDeadline(time.Now().Add(patience))
	out := record(nil, 1, []byte{0, 1, 1, 0, 0, 0, 0, 0}) // responder, kept
	if _, err := c.Write(stream(stream(out, 4, params), 5, body)); err != nil {
		t.Fatal(err)
	}
	return parse(t, untilEnd(t, c))
}

// untilEnd joins the STDOUT records up to END_REQUEST.
func untilEnd(t testing.TB, c net.Conn) (out []byte) {
	t.Helper()
	for {
		h := make([]byte, 8)
		readFull(t, c, h)
		content := make([]byte, int(h[4])<<8+int(h[5])+int(h[6]))
		readFull(t, c, content)
		switch h[1] {
		case 3:
			return out
		case 6:
			out = append(out, content[:int(h[4])<<8+int(h[5])]...)
		}
	}
}

// statusOf is what an answer says of its one certificate, for tests in which
// several answers are right; each is one DER response, to the byte.
func statusOf(t testing.TB, body []byte) string {
	t.Helper()
	answer, err := wire.ParseResponse(body)
	switch {
	case err != nil:
		t.Fatalf("not an OCSPResponse: %v: %s", err, hex.EncodeToString(first(body)))
	case answer.Status != ocsp.Success:
		if !bytes.Equal(body, []byte{0x30, 3, 0x0a, 1, byte(answer.Status)}) {
			t.Fatalf("more than a status: %x", first(body))
		}
		return answer.Status.String()
	}
	return answer.Singles[0].Status.String()
}

// reachable tells why nobody takes connections at a socket, if so.
func reachable(socket string) error {
	c, err := net.Dial("unix", socket)
	if err != nil {
		return err
	}
	return c.Close()
}

// everybodysRoom is a directory that all accounts may write to.
func everybodysRoom(t testing.TB) string {
	t.Helper()
	dir := servertest.Room(t)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}
