package conformance_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"ocspcgi/lib/servertest"
)

// resident is the memory that a process has, in MiB.
func (s *served) resident(t testing.TB) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	var kib int
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		t.Fatal(err)
	}
	return kib >> 10
}

// A crowd that connects, begins a request and goes no further takes memory that
// is bounded, and keeps nobody else from being answered.
func TestCrowd(t *testing.T) {
	const many = 10_000
	k := newKit(t)
	der, _, good := k.question()
	for _, c := range []struct {
		name, network, begun string
		most                 int // MiB
		first                func(t testing.TB, body []byte) *reply
	}{
		{"HTTP", "tcp", "POST / HTTP/1.1\r\nHost", 300, k.http},
		{"FastCGI", "unix", "\x01\x01\x00\x01\x00\x08\x00\x00\x00", 300, k.connect(t).ask},
	} {
		t.Run(c.name, func(t *testing.T) {
			address := map[string]string{"tcp": k.address, "unix": k.socket}[c.network]
			if err := good.check(c.first(t, der), false); err != nil {
				t.Fatal(err)
			}
			before := k.resident(t)
			conns := make([]net.Conn, 0, many)
			for len(conns) < many {
				conn, err := net.Dial(c.network, address)
				if errors.Is(err, syscall.EAGAIN) {
					continue // the backlog is full
				}
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				conns = append(conns, conn)
				if _, err := conn.Write([]byte(c.begun)); err != nil && !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
					t.Fatal(err)
				}
			}
			if err := good.check(c.first(t, der), false); err != nil {
				t.Errorf("beside the crowd: %v", err)
			}
			after := k.resident(t)
			t.Logf("%d MiB, %d before", after, before)
			if after > c.most && !servertest.Raced { // the race detector keeps books of its own
				t.Errorf("%d MiB are taken", after)
			}
			for _, conn := range conns {
				conn.Close()
			}
			k.becomes(t, "afterwards", der, good)
		})
	}
}
