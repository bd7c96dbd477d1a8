package fcgi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ocspcgi/fcgi"
	"ocspcgi/lib/ocsphttp"
)

// faults is a log.
type faults struct {
	mu   sync.Mutex
	list []error
}

func (f *faults) add(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = append(f.list, err)
}

// want expects one fault with each of these texts, and no other.
func (f *faults) want(t *testing.T, texts ...string) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.list) != len(texts) {
		t.Fatalf("log %v, want %q", f.list, texts)
	}
	for i, text := range texts {
		if !strings.Contains(f.list[i].Error(), text) {
			t.Errorf("log %v, want %q", f.list[i], text)
		}
	}
}

// await waits for as many faults, then expects these.
func (f *faults) await(t *testing.T, texts ...string) {
	t.Helper()
	eventually(t, "log", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return len(f.list) >= len(texts)
	})
	f.want(t, texts...)
}

// eventually waits for ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

func TestFields(t *testing.T) {
	var got string
	s := &fcgi.Server{Handler: func(ctx context.Context, r *ocsphttp.Request, resp *ocsphttp.Response) {
		got = fmt.Sprintf("%s|%s|%s|%s|%s|%s|%s|%s|%s|%s", r.Transport, r.Method, r.URI, r.ScriptName, r.PathInfo,
			r.ContentType, r.IfNoneMatch, r.IfModifiedSince, r.RemoteAddr, r.Body)
		describe(ctx, r, resp)
	}}
	talk(t, s, wire{}.begin(1, responder, 0).params(1, "REQUEST_METHOD", "POST", "REQUEST_URI", "/u", "SCRIPT_NAME", "/s",
		"PATH_INFO", "/p", "CONTENT_TYPE", "t", "CONTENT_LENGTH", "1", "HTTP_CONTENT_TYPE", "x", "HTTP_IF_NONE_MATCH", "n",
		"HTTP_IF_MODIFIED_SINCE", "m", "REMOTE_ADDR", "::1", "OCSP_INDEX", "/etc/passwd").stdin(1, []byte("b")))
	if want := "fcgi|POST|/u|/s|/p|t|n|m|::1|b"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestMoved makes a body push its parameters to the front of the buffer.
func TestMoved(t *testing.T) {
	first := wire{}.post(1, 1, make([]byte, 2000))
	second := wire{}.post(1, 0, make([]byte, 2500))
	got := talk(t, &fcgi.Server{Handler: describe}, append(first, second[:300]...), second[300:])
	if want := append(answer(1, "POST /ocsp 2000"), answer(1, "POST /ocsp 2500")...); !slices.Equal(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
}

func TestOneWrite(t *testing.T) {
	l := newList()
	serveOn(t, &fcgi.Server{Handler: describe}, l)
	for name, send := range map[string]wire{
		"GET":            wire{}.get(1, 0, "/"),
		"POST":           wire{}.post(1, 1, []byte("hello")),
		"three requests": wire{}.get(1, 1, "/").post(1, 1, []byte("hello")).get(1, 0, "/"),
	} {
		if s := l.play(send); s.writes != 1 {
			t.Errorf("%s: %d writes", name, s.writes)
		}
	}
	many := slices.Repeat(wire{}.get(1, 1, "/"), 40)
	if s := l.play(many); s.writes != 1 {
		t.Errorf("40 requests: %d writes", s.writes)
	}
}

func TestLongAnswers(t *testing.T) {
	var body []byte
	s := &fcgi.Server{Handler: func(_ context.Context, _ *ocsphttp.Request, resp *ocsphttp.Response) {
		resp.Status, resp.Header, resp.Body = 200, resp.Header[:0], body
	}}
	path := start(t, s)
	const header = "Status: 200 OK\r\n\r\n"
	for _, size := range []int{0, 65535, 65536, 2 * 65535, 2*65535 + 1, 1 << 20} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			body = bytes.Repeat([]byte("0123456789abcdefg"), size/17+1)[:max(0, size-len(header))]
			p := probe(t, path)
			p.send(wire{}.get(1, 0, "/"))
			var got string
			for {
				rec, err := readRecord(p.r)
				if err != nil || rec.kind != stdout {
					t.Fatal(rec, err)
				}
				if rec.content == "" {
					break
				}
				got += rec.content
			}
			if got != header+string(body) {
				t.Errorf("%d bytes, want %d", len(got), len(header)+len(body))
			}
			p.want(ended(1, complete))
			p.wantClosed()
		})
	}
}

func TestPanics(t *testing.T) {
	var log faults
	l := newList()
	serveOn(t, &fcgi.Server{Log: log.add, Handler: func(ctx context.Context, req *ocsphttp.Request, resp *ocsphttp.Response) {
		describe(ctx, req, resp)
		if string(req.URI) == "/panic" {
			panic("secret")
		}
	}}, l)
	const header = "Status: 200 OK\r\nContent-Type: application/ocsp-response\r\n" +
		"Cache-Control: no-store\r\nContent-Length: 5\r\n\r\n"
	t.Run("handler", func(t *testing.T) {
		head := wire{}.begin(3, responder, 1).params(3, "REQUEST_METHOD", "HEAD", "REQUEST_URI", "/panic")
		got := readAll(t, &l.play(wire{}.get(1, 1, "/panic").bytes(head).get(5, 1, "/")).out)
		want := slices.Concat([]answered{
			{stdout, 1, header + "\x30\x03\x0a\x01\x02"}, {stdout, 1, ""}, ended(1, complete),
			{stdout, 3, header}, {stdout, 3, ""}, ended(3, complete)}, answer(5, "GET / 0"))
		if !slices.Equal(got, want) {
			t.Errorf("%+v\nwant %+v", got, want)
		}
	})
	t.Run("connection", func(t *testing.T) {
		bad := panicking{&script{closed: make(chan struct{})}}
		l.conns <- bad
		<-bad.closed
		if got := readAll(t, &l.play(wire{}.get(5, 1, "/")).out); !slices.Equal(got, answer(5, "GET / 0")) {
			t.Errorf("%+v", got)
		}
	})
	log.want(t, "secret", "secret", "broken connection")
}

// panicking is a connection that cannot be read.
type panicking struct{ *script }

func (panicking) Read([]byte) (int, error) { panic("broken connection") }

// TestEarlyAnswer sends more than is read before the answer: the rest must
// not reset the connection, neither on a unix socket nor on TCP.
func TestEarlyAnswer(t *testing.T) {
	big := make([]byte, 1<<20)
	for _, network := range []string{"unix", "tcp"} {
		for name, c := range map[string]struct {
			send wire
			want []answered
		}{
			"POST":      {wire{}.post(1, 0, big), answer(1, "POST /ocsp 65537")},
			"GET":       {wire{}.begin(1, responder, 0).params(1, "REQUEST_METHOD", "GET").stdin(1, big), answer(1, "GET  0")},
			"filter":    {wire{}.begin(1, filter, 0).params(1, posting(len(big))...).stdin(1, big), []answered{ended(1, unknownRole)}},
			"overload":  {wire{}.begin(1, responder, 0).bytes(chunkedAs(params, 1, big)), []answered{ended(1, overloaded)}},
			"no length": {wire{}.begin(1, responder, 0).params(1, posting("")...).stdin(1, big), answer(1, "POST /ocsp 65537")},
		} {
			t.Run("FCG-16 "+network+" "+name, func(t *testing.T) {
				l, err := net.Listen(network, map[string]string{"tcp": "127.0.0.1:0", "unix": "@" + t.Name()}[network])
				if err != nil {
					t.Fatal(err)
				}
				var log faults
				serveOn(t, &fcgi.Server{Handler: describe, Log: log.add}, l)
				p := dial(t, l.Addr())
				p.send(c.send)
				p.want(c.want...)
				p.wantClosed()
				log.want(t)
			})
		}
	}
}

func chunkedAs(kind byte, id uint16, content []byte) (w wire) {
	for chunk := range slices.Chunk(content, 50000) {
		w = w.record(kind, id, chunk, 0)
	}
	return w
}

func TestAbortAfterAnswer(t *testing.T) {
	t.Run("FCG-12 abort after the answer", func(t *testing.T) {
		p := probe(t, start(t, &fcgi.Server{Handler: describe}))
		p.send(wire{}.post(1, 1, []byte("hello")))
		p.want(answer(1, "POST /ocsp 5")...)
		p.send(wire{}.abort(1))
		p.wantOpen()
	})
	t.Run("FCG-16 STDIN after the answer", func(t *testing.T) {
		p := probe(t, start(t, &fcgi.Server{Handler: describe}))
		p.send(wire{}.begin(1, responder, 1).params(1, posting(5)...).record(stdin, 1, []byte("hello"), 0))
		p.want(answer(1, "POST /ocsp 5")...)
		p.send(wire{}.stdin(1, []byte("more")))
		p.wantOpen()
	})
}

func TestPeers(t *testing.T) {
	for _, c := range []struct {
		list string
		in   bool
	}{{"", true}, {"10.0.0.1", false}, {"10.0.0.1, 127.0.0.1", true}, {"::ffff:127.0.0.1", true}} {
		t.Run("FCG-05 "+c.list, func(t *testing.T) {
			peers, err := fcgi.ParsePeers(c.list)
			if err != nil {
				t.Fatal(err)
			}
			l, err := fcgi.Listen("tcp:127.0.0.1:0", 0, "")
			if err != nil {
				t.Fatal(err)
			}
			var log faults
			serveOn(t, &fcgi.Server{Handler: describe, Peers: peers, Log: log.add}, l)
			p := dial(t, l.Addr())
			if c.in {
				p.wantOpen()
				log.want(t)
				return
			}
			p.wantClosed()
			log.await(t, "127.0.0.1")
		})
	}
	t.Run("FCG-05 unix sockets have no address", func(t *testing.T) {
		probe(t, start(t, &fcgi.Server{Handler: describe, Peers: []netip.Addr{netip.MustParseAddr("10.0.0.1")}})).wantOpen()
	})
	for _, bad := range []string{",", "localhost", "10.0.0.1,", "10.0.0.0/8", " "} {
		if peers, err := fcgi.ParsePeers(bad); err == nil {
			t.Errorf("ParsePeers(%q) = %v", bad, peers)
		}
	}
}

// openFiles counts the descriptors of this process.
func openFiles(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

func TestHangUps(t *testing.T) {
	t.Run("FCG-21 10,000", func(t *testing.T) {
		var log faults
		path := start(t, &fcgi.Server{Handler: describe, Log: log.add, MaxConns: 10_000})
		probe(t, path).wantOpen()
		files, goroutines := openFiles(t), runtime.NumGoroutine()
		half := wire{}.get(1, 1, "/a")
		half = half[:len(half)/2]
		for i := range 10_000 {
			c, err := net.Dial("unix", path)
			for errors.Is(err, syscall.EAGAIN) { // the backlog is full
				runtime.Gosched()
				c, err = net.Dial("unix", path)
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Write(half[:i%len(half)]); err != nil {
				t.Fatal(err)
			}
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
		}
		eventually(t, "descriptors as before", func() bool { return openFiles(t) <= files })
		eventually(t, "goroutines as before", func() bool { return runtime.NumGoroutine() <= goroutines })
		log.want(t)
	})
	t.Run("FCG-21 before the answer", func(t *testing.T) {
		var log faults
		entered, leave := make(chan struct{}), make(chan struct{})
		path := start(t, &fcgi.Server{Log: log.add, Handler: func(ctx context.Context, req *ocsphttp.Request, resp *ocsphttp.Response) {
			if string(req.URI) == "/slow" {
				close(entered)
				<-leave
			}
			describe(ctx, req, resp)
		}})
		probe(t, path).wantOpen()
		files := openFiles(t)
		p := probe(t, path)
		p.send(wire{}.get(1, 1, "/slow"))
		<-entered
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		close(leave)
		eventually(t, "descriptors as before", func() bool { return openFiles(t) <= files })
		log.want(t)
	})
}

func TestTimeouts(t *testing.T) {
	const soon = 30 * time.Millisecond
	t.Run("FCG-22 nothing is sent", func(t *testing.T) {
		var log faults
		probe(t, start(t, &fcgi.Server{Handler: describe, Log: log.add, ReadTimeout: soon})).wantClosed()
		log.want(t)
	})
	t.Run("FCG-22 half a request", func(t *testing.T) {
		var log faults
		p := probe(t, start(t, &fcgi.Server{Handler: describe, Log: log.add, ReadTimeout: soon}))
		p.send(wire{}.begin(1, responder, 1))
		p.wantClosed()
		log.await(t, "not complete in 30ms")
	})
	t.Run("FCG-22 management records are no requests", func(t *testing.T) {
		p := probe(t, start(t, &fcgi.Server{Handler: describe, ReadTimeout: soon}))
		p.send(wire{}.record(getValues, 0, nil, 0))
		p.want(answered{getValuesResult, 0, ""})
		p.wantClosed()
	})
	t.Run("FCG-22 a kept connection", func(t *testing.T) {
		var log faults
		p := probe(t, start(t, &fcgi.Server{Handler: describe, Log: log.add, IdleTimeout: soon}))
		p.wantOpen()
		p.wantClosed()
		log.want(t)
	})
	get := wire{}.get(1, 1, "/")
	for _, c := range []struct {
		name   string
		step   time.Duration // between reads
		pieces [][]byte
		want   []time.Duration // deadlines, after the first read
	}{
		{"at once", 0, [][]byte{get, get}, []time.Duration{60 * time.Second, 120 * time.Second}},
		{"within a quarter", 30 * time.Second, [][]byte{get, get}, []time.Duration{60 * time.Second, 150 * time.Second}},
		{"after a quarter", 31 * time.Second, [][]byte{get, get}, []time.Duration{60 * time.Second, 151 * time.Second, 182 * time.Second}},
		{"drop by drop", 10 * time.Second, [][]byte{get[:1], get[1:9], get[9:20], get[20:]}, []time.Duration{60 * time.Second, 160 * time.Second}},
		{"a request after another", 10 * time.Second, [][]byte{get, get[:9], get[9:]},
			[]time.Duration{60 * time.Second, 130 * time.Second, 80 * time.Second, 150 * time.Second}},
		{"a half request with another", 10 * time.Second, [][]byte{get[:9], append(get[9:], get[:9]...), get[9:]},
			[]time.Duration{60 * time.Second, 80 * time.Second, 150 * time.Second}},
	} {
		t.Run("FCG-22 deadlines when nothing is set, "+c.name, func(t *testing.T) {
			begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			clock := begin.Add(-c.step)
			l := newList()
			serveOn(t, &fcgi.Server{Handler: describe, Now: func() time.Time { clock = clock.Add(c.step); return clock }}, l)
			var got []time.Duration
			for _, deadline := range l.play(c.pieces...).deadlines {
				got = append(got, deadline.Sub(begin))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
	t.Run("a second request has time of its own", func(t *testing.T) {
		var log faults
		s := &fcgi.Server{Handler: describe, Log: log.add, ReadTimeout: soon, IdleTimeout: time.Hour}
		p := probe(t, start(t, s))
		p.wantOpen()
		p.send(wire{}.begin(1, responder, 1))
		p.wantClosed()
		log.await(t, "not complete")
	})
	t.Run("an answer that is not taken", func(t *testing.T) {
		var log faults
		body := make([]byte, 10<<20)
		p := probe(t, start(t, &fcgi.Server{Log: log.add, WriteTimeout: soon, Handler: func(_ context.Context, _ *ocsphttp.Request, resp *ocsphttp.Response) {
			resp.Status, resp.Body = 200, body
		}}))
		p.send(wire{}.get(1, 1, "/"))
		log.await(t, "timeout")
		if n, err := io.Copy(io.Discard, p); err != nil || n == 0 || n > int64(len(body)) {
			t.Errorf("%d bytes, %v", n, err)
		}
	})
}

func TestLimits(t *testing.T) {
	t.Run("FCG-23 limit 2, open 3", func(t *testing.T) {
		var log faults
		path := start(t, &fcgi.Server{Handler: describe, MaxConns: 2, Log: log.add})
		first, second := probe(t, path), probe(t, path)
		first.wantOpen()
		second.wantOpen()
		third := probe(t, path)
		third.send(wire{}.record(getValues, 0, nameValues("FCGI_MAX_CONNS", ""), 0).get(1, 1, "/"))
		third.want(answered{getValuesResult, 0, string(nameValues("FCGI_MAX_CONNS", "2"))}, ended(1, overloaded))
		third.wantClosed()
		first.wantOpen()
		second.wantOpen()
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "room again", func() bool {
			p := probe(t, path)
			p.send(wire{}.get(1, 1, "/"))
			rec, err := readRecord(p.r)
			return err == nil && rec.kind == stdout
		})
		log.want(t)
	})
	t.Run("FCG-23 limit 1", func(t *testing.T) {
		begin := time.Now()
		l := newList()
		serveOn(t, &fcgi.Server{Handler: describe, MaxConns: 1, Now: func() time.Time { return begin }}, l)
		open := func() net.Conn {
			ours, theirs := net.Pipe()
			t.Cleanup(func() { ours.Close() })
			l.conns <- theirs
			return ours
		}
		open()
		second := l.play()
		if want := []time.Time{begin.Add(2 * time.Second)}; !slices.Equal(second.deadlines, want) {
			t.Errorf("one too many has until %v, want %v", second.deadlines, want)
		}
		open()
		if fourth := l.play(wire{}.get(1, 1, "/")); len(fourth.pieces) != 1 || fourth.writes > 0 {
			t.Errorf("twice too many is answered: %q", fourth.out.String())
		}
	})
}

func TestIdleMemory(t *testing.T) {
	const conns = 1000
	path := start(t, &fcgi.Server{Handler: describe})
	probe(t, path).wantOpen()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	request := wire{}.post(1, 1, make([]byte, 60<<10)) // makes the buffer large
	for range conns {
		c, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write(request); err != nil {
			t.Fatal(err)
		}
		for rec := (answered{}); rec.kind != end; {
			if rec, err = readRecord(c); err != nil {
				t.Fatal(err)
			}
		}
	}
	eventually(t, "1,000 idle connections in 20 MB", func() bool {
		runtime.GC()
		runtime.ReadMemStats(&after)
		return after.HeapInuse+after.StackInuse < before.HeapInuse+before.StackInuse+20<<20
	})
	t.Logf("%d KB each, the client's end with it", (after.HeapInuse+after.StackInuse-before.HeapInuse-before.StackInuse)>>10/conns)
}
