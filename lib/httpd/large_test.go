package httpd_test

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ocspcgi/lib/httpd"
)

const (
	begun = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nX: "
	ended = "\r\n\r\nab"
)

// Of requests over 2 KiB 64 are read at the same time: others wait for a second, and
// small ones for none of them.
func TestLargeRequests(t *testing.T) {
	large := begun + strings.Repeat("x", 8<<10)
	synctest.Test(t, func(t *testing.T) {
		l := make(pipes)
		var log faults
		serveOn(t, &httpd.Server{Handler: describe, Log: log.add}, l)
		connect := func() net.Conn {
			client, server := net.Pipe()
			t.Cleanup(func() { client.Close() })
			l <- server
			return client
		}
		send := func(c net.Conn, text string) {
			t.Helper()
			if _, err := io.WriteString(c, text); err != nil {
				t.Error(err)
			}
		}
		isAnswered := func(c net.Conn) {
			t.Helper()
			want := page("HTTP/1.1", "", "POST /a 2")
			got := make([]byte, len(want))
			if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
				t.Errorf("%q, %v", got, err)
			}
		}
		var first [64]net.Conn
		for i := range first {
			first[i] = connect()
			send(first[i], large)
		}

		for name, text := range map[string]string{
			"a header": large,
			"a body":   "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\n" + strings.Repeat("x", 10000),
		} {
			told, start := len(log.all()), time.Now()
			late := connect()
			if _, err := io.WriteString(late, text); !errors.Is(err, io.ErrClosedPipe) || time.Since(start) != time.Second {
				t.Errorf("one too many, %s: %v after %v", name, err, time.Since(start))
			}
			if out, err := io.ReadAll(late); err != nil || len(out) > 0 {
				t.Errorf("one too many, %s: %q, %v", name, out, err)
			}
			if all := log.all()[told:]; len(all) != 1 || !strings.Contains(all[0].Error(), "64 requests of more than 2048 bytes") {
				t.Errorf("%s: the log says %v", name, all)
			}
		}

		start := time.Now()
		waiting := connect()
		go send(waiting, large+ended)
		synctest.Wait()
		for range 2 {
			c := connect()
			send(c, begun+strings.Repeat("x", 1<<10)+ended)
			isAnswered(c)
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("small ones have waited for %v", took)
		}
		time.Sleep(time.Second / 2)
		send(first[0], ended) // and it has the place of the one that waits now
		isAnswered(first[0])
		isAnswered(waiting)
		send(first[0], large+ended) // kept, and large again
		isAnswered(first[0])
		if err := first[1].Close(); err != nil { // as good as answered
			t.Error(err)
		}
		synctest.Wait()
		again := connect()
		send(again, large)
		if took := time.Since(start); took != time.Second/2 {
			t.Errorf("waited for %v", took)
		}
	})
}
