package bench_test

import (
	"bufio"
	"encoding/binary"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// load asks over FastCGI as a web server does: on kept connections, the next
// request when the one before is answered.
type load struct {
	conns    []net.Conn
	requests [][]byte // each the records of one request
	next     []int    // of each connection
}

// patience is how long a stretch of requests may take.
const patience = time.Minute

// connect opens connections to a socket. Together they ask for all of requests.
func connect(b *testing.B, socket string, connections int, requests ...[]byte) *load {
	b.Helper()
	l := &load{requests: requests}
	for i := range connections {
		c, err := net.Dial("unix", socket)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { c.Close() })
		l.conns, l.next = append(l.conns, c), append(l.next, i*len(requests)/connections)
	}
	return l
}

// run asks for so long and returns the answers a second.
func (l *load) run(b *testing.B, d time.Duration) float64 {
	b.Helper()
	began, total := time.Now(), atomic.Int64{}
	l.each(b, func(i int, r *bufio.Reader) bool {
		for range 16 {
			if err := l.ask(i, r); err != nil {
				b.Error(err)
				return false
			}
		}
		total.Add(16)
		return time.Since(began) < d
	})
	return float64(total.Load()) / time.Since(began).Seconds()
}

// all asks for each of requests, so that ours has kept the answers.
func (l *load) all(b *testing.B) {
	b.Helper()
	l.share(b, (len(l.requests)+len(l.conns)-1)/len(l.conns))
}

// share asks so often on each connection.
func (l *load) share(b *testing.B, share int) {
	b.Helper()
	asked := make([]int, len(l.conns))
	l.each(b, func(i int, r *bufio.Reader) bool {
		if err := l.ask(i, r); err != nil {
			b.Error(err)
			return false
		}
		asked[i]++
		return asked[i] < share
	})
}

// each has every connection do something until it returns false.
func (l *load) each(b *testing.B, do func(i int, r *bufio.Reader) bool) {
	b.Helper()
	var group sync.WaitGroup
	for i, c := range l.conns {
		if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
			b.Fatal(err)
		}
		group.Go(func() {
			for r := bufio.NewReaderSize(c, 16<<10); do(i, r); {
			}
		})
	}
	group.Wait()
	if b.Failed() {
		b.FailNow()
	}
}

// send sends the next request of connection i.
func (l *load) send(i int) error {
	request := l.requests[l.next[i]]
	if l.next[i]++; l.next[i] == len(l.requests) {
		l.next[i] = 0
	}
	_, err := l.conns[i].Write(request)
	return err
}

// ask sends the next request of connection i, and reads its answer.
func (l *load) ask(i int, r *bufio.Reader) error {
	if err := l.send(i); err != nil {
		return err
	}
	for {
		header, err := r.Peek(8)
		if err != nil {
			return err
		}
		kind := header[1]
		if _, err := r.Discard(8 + int(binary.BigEndian.Uint16(header[4:])) + int(header[6])); err != nil || kind == endRequest {
			return err
		}
	}
}

const (
	beginRequest = 1
	endRequest   = 3
	params       = 4
	stdin        = 5
	stdout       = 6
)

// posted is what nginx sends for a POST of body.
func posted(body []byte) []byte {
	length := strconv.Itoa(len(body))
	var pairs []byte
	for _, pair := range [][2]string{
		{"QUERY_STRING", ""}, {"REQUEST_METHOD", "POST"}, {"CONTENT_TYPE", requestType}, {"CONTENT_LENGTH", length},
		{"SCRIPT_NAME", "/ocsp"}, {"REQUEST_URI", "/ocsp"}, {"DOCUMENT_URI", "/ocsp"}, {"DOCUMENT_ROOT", "/var/www/html"},
		{"SERVER_PROTOCOL", "HTTP/1.1"}, {"REQUEST_SCHEME", "http"}, {"GATEWAY_INTERFACE", "CGI/1.1"}, {"SERVER_SOFTWARE", "nginx/1.22.1"},
		{"REMOTE_ADDR", "192.0.2.1"}, {"REMOTE_PORT", "41234"}, {"REMOTE_USER", ""}, {"SERVER_ADDR", "192.0.2.2"}, {"SERVER_PORT", "80"},
		{"SERVER_NAME", "ocsp.example.net"}, {"REDIRECT_STATUS", "200"}, {"HTTP_HOST", "ocsp.example.net"},
		{"HTTP_ACCEPT", "*/*"}, {"HTTP_CONTENT_TYPE", requestType}, {"HTTP_CONTENT_LENGTH", length},
	} {
		pairs = append(append(pairs, byte(len(pair[0])), byte(len(pair[1]))), pair[0]+pair[1]...)
	}
	out := appendRecord(nil, beginRequest, []byte{0, 1, 1, 0, 0, 0, 0, 0})
	out = appendRecord(appendRecord(out, params, pairs), params, nil)
	return appendRecord(appendRecord(out, stdin, body), stdin, nil)
}

const requestType = "application/ocsp-request"

func appendRecord(out []byte, kind byte, content []byte) []byte {
	out = append(out, 1, kind, 0, 1, byte(len(content)>>8), byte(len(content)), 0, 0)
	return append(out, content...)
}

// answered returns STDOUT of the answer to one request.
func answered(b *testing.B, socket string, request []byte) (out []byte) {
	b.Helper()
	l := connect(b, socket, 1, request)
	if _, err := l.conns[0].Write(request); err != nil {
		b.Fatal(err)
	}
	for r := bufio.NewReader(l.conns[0]); ; {
		header, err := r.Peek(8)
		if err != nil {
			b.Fatal(err)
		}
		kind, size := header[1], int(binary.BigEndian.Uint16(header[4:]))
		whole, err := r.Peek(8 + size + int(header[6]))
		if err != nil {
			b.Fatal(err)
		}
		if kind == stdout {
			out = append(out, whole[8:8+size]...)
		}
		if kind == endRequest {
			return out
		}
		if _, err := r.Discard(len(whole)); err != nil {
			b.Fatal(err)
		}
	}
}
