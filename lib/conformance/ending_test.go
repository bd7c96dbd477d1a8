package conformance_test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"syscall"
	"testing"
	"time"

	"ocspcgi/lib/wire"
)

// Who is told to end looks at the index for as long as it answers what has begun.
func TestRevokedWhileEnding(t *testing.T) {
	k := newKit(t)
	der, _, good := k.question()
	revoked := good
	revoked.said = []wire.CertStatus{wire.Revoked}
	last := len(der) - 1
	dial := func(network, address string) net.Conn {
		conn, err := net.Dial(network, address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		conn.SetDeadline(time.Now().Add(patience))
		return conn
	}
	send := func(conn net.Conn, data []byte) {
		t.Helper()
		if _, err := conn.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	http, fastCGI := dial("tcp", k.address), dial("unix", k.socket)
	send(http, fmt.Appendf(nil, "POST /ocsp HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\n%sContent-Length: %d\r\n\r\n%s", ctype, len(der), der[:last]))
	getValues := record(nil, 9, nil)
	getValues[3] = 0 // the id of what is about no request
	send(fastCGI, record(begin(getValues, variables(len(der))), 5, der[:last]))
	in := bufio.NewReader(http)
	readFull(t, in, make([]byte, len("HTTP/1.1 100 Continue\r\n\r\n"))) // both are being read
	readFull(t, fastCGI, make([]byte, 8))
	if err := k.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	wait(t, "new connections are taken", func() error {
		if reachable(k.socket) == nil {
			return errors.New("they are")
		}
		return nil
	})
	k.revokeInPlace(t)
	time.Sleep(1100 * time.Millisecond) // from one second later nobody may say good
	send(http, der[last:])
	if err := revoked.check(answerOf(t, "POST", in), false); err != nil {
		t.Errorf("HTTP: %v", err)
	}
	send(fastCGI, stream(nil, 5, der[last:]))
	if err := revoked.check(parse(t, stdout(t, fastCGI)), false); err != nil {
		t.Errorf("FastCGI: %v", err)
	}
}
