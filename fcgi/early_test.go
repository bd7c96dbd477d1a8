package fcgi_test

import (
	"net"
	"slices"
	"testing"

	"ocspcgi/fcgi"
)

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
