package fcgi_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"syscall"
	"testing"
	"time"

	"ocspcgi/fcgi"
	"ocspcgi/lib/ocsphttp"
)

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

// Who hangs up is let go of, and not only once the garbage collector finds that nobody
// holds the connection any more.
func TestHangUps(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
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
		eventually(t, "room for a third, once the second is gone", func() bool {
			_, err := open().Write(wire{}.begin(1, responder, 1)) // fails where it was closed
			return err == nil
		})
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
