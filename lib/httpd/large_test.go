package httpd_test

import (
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

// large is a request without its end.
var large = begun + strings.Repeat("x", 8<<10)

// house is a Server whose clients are connected by pipes.
type house struct {
	*testing.T
	pipes
	log faults
}

// inside runs a test of a Server by a clock of its own.
func inside(t *testing.T, test func(h *house)) {
	synctest.Test(t, func(t *testing.T) {
		h := &house{T: t, pipes: make(pipes)}
		serveOn(t, &httpd.Server{Handler: describe, Log: h.log.add}, h)
		test(h)
	})
}

func (h *house) connect() net.Conn {
	client, server := net.Pipe()
	h.Cleanup(func() { client.Close() })
	h.pipes <- server
	return client
}

// begins returns so many who have begun a large request.
func (h *house) begins(n int) []net.Conn {
	h.Helper()
	all := make([]net.Conn, n)
	for i := range all {
		all[i] = h.connect()
		h.send(all[i], large)
	}
	return all
}

func (h *house) send(c net.Conn, text string) {
	h.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		h.Error(err)
	}
}

func (h *house) answers(c net.Conn, want string) {
	h.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
		h.Errorf("%q, %v", got, err)
	}
}

// filled is a request of that size, between two texts.
func filled(size int, head, tail string) string {
	return head + strings.Repeat("x", size-len(head)-len(tail)) + tail
}

var (
	posted = page("HTTP/1.1", "", "POST /a 2")
	gotten = page("HTTP/1.1", "", "GET /a 0")
)

// Of requests over 2 KiB 64 are read at the same time: others wait for a second.
func TestLargeRequests(t *testing.T) {
	inside(t, func(h *house) {
		first := h.begins(64)
		start := time.Now()
		waiting := h.connect()
		go h.send(waiting, large+ended)
		time.Sleep(time.Second / 2)
		h.send(first[0], ended) // and it has the place of the one that waits now
		h.answers(first[0], posted)
		h.answers(waiting, posted)
		h.send(first[0], large+ended) // kept, and large again
		h.answers(first[0], posted)
		if err := first[1].Close(); err != nil { // as good as answered
			t.Error(err)
		}
		h.begins(2)
		if took := time.Since(start); took != time.Second/2 {
			t.Errorf("waited for %v", took)
		}
	})
}

// One that has waited is closed without a word: what has come of it says nothing.
func TestLargeRequestsAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"a field":         large,
		"a field's name":  filled(2048, begun, "\r\nUser-") + "Agent: x" + ended,
		"an end of line":  filled(2048, begun, "\r") + "\n" + ended[2:],
		"a URI":           "GET /" + strings.Repeat("M", 5000) + " HTTP/1.1\r\nHost: x\r\n\r\n",
		"a body":          "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\n" + strings.Repeat("x", 10000),
		"a coding's end":  filled(2048, "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nX: ", "\r\n\r\n2\r\nab\r\n0\r\n") + "\r\n",
		"behind an other": "GET /a HTTP/1.1\r\nHost: x\r\n\r\n" + filled(3000, begun, ended),
	} {
		t.Run(name, func(t *testing.T) {
			inside(t, func(h *house) {
				h.begins(64)
				start := time.Now()
				late := h.connect()
				go io.WriteString(late, text)
				if name == "behind an other" {
					h.answers(late, gotten)
				}
				out, err := io.ReadAll(late)
				if took := time.Since(start); err != nil || len(out) > 0 || took != time.Second {
					t.Errorf("%q, %v after %v", out, err, took)
				}
				time.Sleep(time.Minute) // net/http may ask again
				if all := h.log.all(); len(all) != 1 || !strings.Contains(all[0].Error(), "64 requests of more than 2048 bytes") {
					t.Errorf("the log says %v", all)
				}
			})
		})
	}
}

// What is read beside a large one is no more of the next than a small one has.
func TestLargeRequestAfterAnother(t *testing.T) {
	inside(t, func(h *house) {
		h.begins(63)
		late := h.begins(1)[0]
		other := h.connect()
		go h.send(other, large) // has the place once it is free
		synctest.Wait()
		go io.WriteString(late, ended+filled(3500, begun, ended))
		h.answers(late, posted)
		if out, err := io.ReadAll(late); err != nil || len(out) > 0 {
			t.Errorf("%q, %v", out, err)
		}
	})
}

// Small ones wait for none of them, and take no place, where net/http looks for what
// comes next either.
func TestSmallRequests(t *testing.T) {
	const get = "GET /a HTTP/1.1\r\nHost: x\r\n"
	closing := get + "Connection: close\r\nTransfer-Encoding: chunked\r\nX: "
	for name, c := range map[string]struct{ text, want string }{
		"as large as may be": {filled(2048, get+"X: ", "\r\n\r\n"), gotten},
		"many at once":       {strings.Repeat(filled(330, get+"X: ", "\r\n\r\n"), 20), strings.Repeat(gotten, 20)},
		"a body unread":      {filled(2048, closing, "\r\n\r\n2\r\nab\r\n0\r\n\r\n"), page("HTTP/1.1", "Connection: close\r\n", "GET /a 0")},
	} {
		t.Run(name, func(t *testing.T) {
			inside(t, func(h *house) {
				first := h.begins(64)
				start := time.Now()
				client := h.connect()
				go h.send(client, c.text)
				h.answers(client, c.want)
				synctest.Wait()
				for _, c := range first {
					c.Close()
				}
				synctest.Wait()
				h.begins(64)
				if took := time.Since(start); took != 0 {
					t.Errorf("waited for %v", took)
				}
				time.Sleep(2 * time.Second)
				if all := h.log.all(); len(all) > 0 {
					t.Errorf("the log says %v", all)
				}
			})
		})
	}
}
