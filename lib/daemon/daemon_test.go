package daemon_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ocspcgi/lib/daemon"
	"ocspcgi/lib/ocsphttp"
)

func echo(_ context.Context, req *ocsphttp.Request, resp *ocsphttp.Response) {
	resp.Status, resp.Header, resp.Body = 200, append(resp.Header[:0], "Content-Type: x/y\r\n"...), req.Body
}

// running is a Daemon that runs, on the first free ports and a socket.
type running struct {
	http, tcp, unix string
	ended           chan error
}

func run(t *testing.T, ctx context.Context, d *daemon.Daemon) *running {
	t.Helper()
	dir, err := os.MkdirTemp("", "ocspcgi")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	r := &running{unix: filepath.Join(dir, "s"), ended: make(chan error, 1)}
	d.Handler, d.Mode = echo, 0o660
	d.Listen = []string{"http:127.0.0.1:0", "tcp:127.0.0.1:0", "unix:" + r.unix}
	there := make(chan struct{})
	d.Listening = func(l net.Listener, http bool) {
		switch {
		case http:
			r.http = "http://" + l.Addr().String() + "/"
		case l.Addr().Network() == "tcp":
			r.tcp = l.Addr().String()
		default:
			close(there)
		}
	}
	go func() { r.ended <- d.Run(ctx) }()
	select {
	case <-there:
	case err := <-r.ended:
		t.Fatalf("ended at once: %v", err)
	}
	return r
}

func (r *running) post(t *testing.T, body string) string {
	t.Helper()
	resp, err := http.Post(r.http, "x/y", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}

// fastCGI posts body on a new connection, and returns all that comes back.
func fastCGI(t *testing.T, network, address, body string) []byte {
	t.Helper()
	conn, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	params := "\x0e\x04REQUEST_METHODPOST"
	var out []byte
	for _, r := range []struct {
		kind    byte
		content string
	}{{1, "\x00\x01\x00\x00\x00\x00\x00\x00"}, {4, params}, {4, ""}, {5, body}, {5, ""}} {
		out = append(append(out, 1, r.kind, 0, 1, 0, byte(len(r.content)), 0, 0), r.content...)
	}
	if _, err := conn.Write(out); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestAnswersOnEverySocket(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	r := run(t, ctx, &daemon.Daemon{})
	if got := r.post(t, "hello"); got != "hello" {
		t.Errorf("over HTTP: %q", got)
	}
	for network, address := range map[string]string{"tcp": r.tcp, "unix": r.unix} {
		if got := fastCGI(t, network, address, "hello"); !bytes.Contains(got, []byte("\r\n\r\nhello")) {
			t.Errorf("FastCGI over %s: %q", network, got)
		}
	}
	stop()
	if err := <-r.ended; err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(r.unix); err == nil {
		t.Error("the unix socket is left behind")
	}
}

func TestStopsAfterSoManyRequests(t *testing.T) {
	r := run(t, context.Background(), &daemon.Daemon{Requests: 2})
	r.post(t, "one")
	if got := r.post(t, "two"); got != "two" {
		t.Errorf("the last request is answered with %q", got)
	}
	if err := <-r.ended; err != nil {
		t.Error(err)
	}
}

// halfPosted returns a connection on which half of a request is being read.
func (r *running) halfPosted(t *testing.T) (conn net.Conn, answer *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(r.http, "http://"), "/"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	answer = bufio.NewReader(conn)
	if line, err := answer.ReadString('\n'); err != nil || line != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("%q, %v", line, err)
	}
	return conn, answer
}

// No socket takes connections while another one waits for a request that it has.
func TestStopsEverywhereAtOnce(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	r := run(t, ctx, &daemon.Daemon{})
	conn, answer := r.halfPosted(t)
	stop()
	for deadline := time.Now().Add(20 * time.Second); ; runtime.Gosched() {
		c, err := net.Dial("unix", r.unix)
		if err != nil {
			break
		}
		c.Close()
		if time.Now().After(deadline) {
			t.Fatal("the unix socket takes connections on and on")
		}
	}
	if _, err := io.WriteString(conn, "hello"); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(answer); err != nil || !bytes.HasSuffix(rest, []byte("hello")) {
		t.Errorf("the request that had begun is answered with %q, %v", rest, err)
	}
	if err := <-r.ended; err != nil {
		t.Error(err)
	}
}

// Whoever holds a connection open does not make a failure of the end.
func TestStopsThoughSomebodyStays(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	var told atomic.Int64
	r := run(t, ctx, &daemon.Daemon{Log: func(error) { told.Add(1) }})
	r.halfPosted(t)
	stop()
	if err := <-r.ended; err != nil {
		t.Error(err)
	}
	if told.Load() != 1 {
		t.Errorf("the log was told %d times", told.Load())
	}
}

func TestSocketThatCannotBeOpened(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, address := range []string{"http:" + l.Addr().String(), "tcp:" + l.Addr().String(), "unix:/no/such/folder/s"} {
		d := daemon.Daemon{Handler: echo, Listen: []string{"tcp:127.0.0.1:0", address}}
		if err := d.Run(context.Background()); err == nil || !strings.Contains(err.Error(), strings.SplitN(address, ":", 2)[1]) {
			t.Errorf("%s: the error is %v", address, err)
		}
	}
}

// What came and went leaves no goroutine and no descriptor behind.
func TestLeavesNothing(t *testing.T) {
	files := func() int {
		open, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(open)
	}
	ctx, stop := context.WithCancel(context.Background())
	r := run(t, ctx, &daemon.Daemon{})
	use := func(n int) {
		for range n {
			fastCGI(t, "unix", r.unix, "x")
			conn, err := net.Dial("unix", r.unix)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Write([]byte("\x01\x01\x00\x01garbage, and half of that")); err != nil {
				t.Fatal(err)
			}
			conn.Close()
		}
	}
	use(10)
	goroutines, descriptors := runtime.NumGoroutine(), files()
	use(1000)
	deadline := time.Now().Add(10 * time.Second)
	for runtime.NumGoroutine() > goroutines || files() > descriptors {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines and %d descriptors, there were %d and %d", runtime.NumGoroutine(), files(), goroutines, descriptors)
		}
		runtime.Gosched()
	}
	stop()
	if err := <-r.ended; err != nil {
		t.Error(err)
	}
}

// What a busy minute has taken is given back once nobody asks.
func TestRests(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	r := run(t, ctx, &daemon.Daemon{})
	r.post(t, "hello")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	deadline := time.Now().Add(20 * time.Second)
	for runtime.ReadMemStats(&after); after.NumForcedGC == before.NumForcedGC; runtime.ReadMemStats(&after) {
		if time.Now().After(deadline) {
			t.Fatal("nothing was given back")
		}
		runtime.Gosched()
	}
	stop()
	if err := <-r.ended; err != nil {
		t.Error(err)
	}
}
