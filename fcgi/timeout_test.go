package fcgi_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"ocspcgi/fcgi"
	"ocspcgi/lib/ocsphttp"
)

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
	for _, c := range []struct {
		name  string
		waits []time.Duration // before each answer is taken
		taken int             // answers
	}{
		{"in time", []time.Duration{59 * time.Second}, 1},
		{"too late", []time.Duration{61 * time.Second}, 0},
		{"a second one within a quarter", []time.Duration{15 * time.Second, 44 * time.Second}, 2},
		{"a second one a quarter too late", []time.Duration{15 * time.Second, 46 * time.Second}, 1},
		{"a second one after a quarter", []time.Duration{16 * time.Second, 59 * time.Second}, 2},
	} {
		t.Run("answers taken when nothing is set, "+c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newList()
				serveOn(t, &fcgi.Server{Handler: describe}, l)
				client, server := net.Pipe() // what is written waits for who reads
				defer client.Close()
				l.conns <- server
				p := &prober{t, client, bufio.NewReader(client)}
				for i, wait := range c.waits {
					p.send(wire{}.get(1, 1, "/"))
					time.Sleep(wait)
					if i < c.taken {
						p.want(answer(1, "GET / 0")...)
					} else {
						p.wantClosed()
					}
				}
			})
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
