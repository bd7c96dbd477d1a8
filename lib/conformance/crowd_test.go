package conformance_test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"ocspcgi/lib/servertest"
)

// resident is the memory that a process has, in MiB.
func (s *served) resident(t testing.TB) int {
	t.Helper()
	return servertest.Resident(t, s.Process.Pid) >> 10
}

// dial connects, however many others do.
func dial(t testing.TB, network, address string) net.Conn {
	t.Helper()
	for {
		conn, err := net.Dial(network, address)
		if errors.Is(err, syscall.EAGAIN) {
			continue // the backlog is full
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
}

// A crowd that connects, begins a request and goes no further takes memory that
// is bounded, and keeps nobody else from being answered.
func TestCrowd(t *testing.T) {
	fields := new(strings.Builder) // of which 122 KB take 2 MiB
	for i := range 17_000 {
		fmt.Fprintf(fields, "%x:\r\n", 0x1000+i)
	}
	post := "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n"
	for _, c := range []struct {
		name, network, begun string
		many, most           int // MiB
	}{
		{"HTTP", "tcp", "POST / HTTP/1.1\r\nHost", 10_000, 300},
		{"HTTP, large", "tcp", post + fields.String() + "\r\n", 1_000, 400},
		{"HTTP, as large as many may be", "tcp", post + fields.String()[:1_988] + "\r\n", 10_000, 600},
		{"HTTP, larger behind another one", "tcp", "GET / HTTP/1.1\r\nHost: x\r\n\r\n" + post + fields.String()[:3_990] + "\r\n", 10_000, 1_200},
		{"FastCGI", "unix", "\x01\x01\x00\x01\x00\x08\x00\x00\x00", 10_000, 300},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newKit(t)
			der, _, good := k.question()
			first, address := k.http, k.address
			if c.network == "unix" {
				first, address = k.connect(t).ask, k.socket
			}
			if err := good.check(first(t, der), false); err != nil {
				t.Fatal(err)
			}
			before := k.resident(t)
			conns := make([]net.Conn, c.many)
			for i := range conns {
				conns[i] = dial(t, c.network, address)
				if _, err := conns[i].Write([]byte(c.begun)); err != nil && !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
					t.Fatal(err)
				}
			}
			if err := good.check(first(t, der), false); err != nil {
				t.Errorf("beside the crowd: %v", err)
			}
			after := k.resident(t)
			t.Attr("figures", fmt.Sprintf("%d connections over %s: %d MiB, %d before", c.many, c.name, after, before))
			if after > c.most && !servertest.Raced { // the race detector keeps books of its own
				t.Errorf("%d MiB are taken", after)
			}
			for _, conn := range conns {
				conn.Close()
			}
			// Until they are seen to be gone, one more is refused or closed.
			wait(t, "afterwards", func() error {
				status, err := k.try(t, der)
				if err == nil && status != "good" {
					err = errors.New(status)
				}
				return err
			})
		})
	}
}

// Connections that are kept and say nothing cost little.
func TestIdleConnections(t *testing.T) {
	const many, most = 1000, 20 << 10 // KiB
	for _, c := range []struct {
		name string
		open func(t testing.TB, k *kit, der []byte, good want)
	}{
		{"HTTP", func(t testing.TB, k *kit, der []byte, good want) {
			conn := dial(t, "tcp", k.address)
			if _, err := fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/ocsp-request\r\nContent-Length: %d\r\n\r\n%s", len(der), der); err != nil {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil || resp.StatusCode != http.StatusOK || resp.Close {
				t.Fatalf("%v, %+v", err, resp)
			}
		}},
		{"FastCGI", func(t testing.TB, k *kit, der []byte, good want) {
			if err := good.check(talking{dial(t, "unix", k.socket)}.ask(t, der), false); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newKit(t)
			der, _, good := k.question()
			for range many {
				if err := good.check(k.fastCGI(t, der), false); err != nil {
					t.Fatal(err)
				}
			}
			k.quiet(t)
			before := servertest.Resident(t, k.Process.Pid)
			for range many {
				c.open(t, k, der, good)
			}
			if _, sockets := k.files(t); sockets < many {
				t.Fatalf("%d connections are kept", sockets)
			}
			var cost int
			wait(t, "memory", func() error {
				cost = servertest.Resident(t, k.Process.Pid) - before
				if cost < most || servertest.Raced { // as above
					return nil
				}
				return fmt.Errorf("%d KiB for %d connections", cost, many)
			})
			t.Attr("figures", fmt.Sprintf("%d over %s: %.1f MiB", many, c.name, float64(cost)/1024))
		})
	}
}
