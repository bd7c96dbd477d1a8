package fcgi_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"ocspcgi/fcgi"
)

// dialogue is what is sent in one write, and the records that come back. Then
// the connection is open, or closed.
type dialogue struct {
	name string
	send wire
	want []answered
	open bool
}

func hold(t *testing.T, dialogues []dialogue) {
	t.Helper()
	for _, d := range dialogues {
		t.Run(d.name, func(t *testing.T) {
			p := probe(t, start(t, &fcgi.Server{Handler: describe, Log: func(err error) {
				if strings.Contains(err.Error(), "panic") {
					t.Error(err)
				}
			}}))
			p.send(d.send)
			p.want(d.want...)
			if d.open {
				p.wantOpen()
			} else {
				p.wantClosed()
			}
		})
		if len(d.send) < 2000 {
			t.Run(d.name+", split at every byte", func(t *testing.T) { holdSplit(t, d) })
		}
	}
}

func holdSplit(t *testing.T, d dialogue) {
	t.Helper()
	end := len(d.send)
	// An ABORT_REQUEST counts as long as the answer is not out.
	answerable, late := bytes.CutSuffix(d.send, wire{}.stdin(1, nil).abort(1))
	if late {
		end = len(answerable)
	}
	for cut := range end {
		got := talk(t, &fcgi.Server{Handler: describe}, d.send[:cut], d.send[cut:])
		if !slices.Equal(got, d.want) {
			t.Fatalf("cut at %d: %+v\nwant %+v", cut, got, d.want)
		}
	}
}

// TestConnections keeps, closes, and refuses what it cannot do.
func TestConnections(t *testing.T) {
	hello := []byte("hello")
	hold(t, []dialogue{
		{"FCG-19 every answer ends STDOUT and says that it is complete", wire{}.get(1, 0, "/a"), answer(1, "GET /a 0"), false},
		{"FCG-20 Status comes first", wire{}.get(1, 0, "/a"), answer(1, "GET /a 0"), false},
		{"FCG-06 basic no keep", wire{}.get(1, 0, "/a"), answer(1, "GET /a 0"), false},
		{"FCG-06 basic keep", wire{}.get(1, 1, "/a"), answer(1, "GET /a 0"), true},
		{"FCG-06 POST no keep", wire{}.post(1, 0, hello), answer(1, "POST /ocsp 5"), false},
		{"FCG-06 other flags do not keep", wire{}.get(1, 0xFE, "/a"), answer(1, "GET /a 0"), false},
		{"requests in one write", wire{}.get(1, 1, "/a").post(3, 1, hello).get(1, 1, "/b"),
			slices.Concat(answer(1, "GET /a 0"), answer(3, "POST /ocsp 5"), answer(1, "GET /b 0")), true},
		{"FCG-08 interleaved 2 ids keep",
			wire{}.begin(1, responder, 1).begin(2, responder, 1).
				record(params, 1, nameValues(posting(5)...), 0).record(params, 2, nameValues("REQUEST_METHOD", "GET"), 0).
				record(params, 2, nil, 0).record(params, 1, nil, 0).
				record(stdin, 2, nil, 0).record(stdin, 1, hello, 0).record(stdin, 1, nil, 0),
			slices.Concat([]answered{ended(2, cantMultiplex)}, answer(1, "POST /ocsp 5")), true},
		{"FCG-08 the second without keep does not close the first", wire{}.begin(1, responder, 1).begin(2, responder, 0).params(1, "REQUEST_METHOD", "GET"),
			slices.Concat([]answered{ended(2, cantMultiplex)}, answer(1, "GET  0")), true},
		{"FCG-09 role authorizer", wire{}.begin(1, authorizer, 0).params(1).stdin(1, nil), []answered{ended(1, unknownRole)}, false},
		{"FCG-09 role filter keep", wire{}.begin(1, filter, 1).params(1).stdin(1, hello).record(data, 1, hello, 0),
			[]answered{ended(1, unknownRole)}, true},
		{"FCG-09 role 0", wire{}.begin(1, 0, 1), []answered{ended(1, unknownRole)}, true},
		{"FCG-09 role 257", wire{}.record(begin, 1, []byte{1, 1, 1, 0, 0, 0, 0, 0}, 0), []answered{ended(1, unknownRole)}, true},
		{"FCG-11 unknown app type 99 id7", wire{}.record(99, 7, hello, 0), nil, true},
		{"FCG-11 unknown app type for the active id", wire{}.begin(7, responder, 1).record(99, 7, hello, 0).params(7, "REQUEST_METHOD", "GET"),
			answer(7, "GET  0"), true},
		{"FCG-11 records for an inactive id", wire{}.params(7, "A", "B").stdin(7, hello).abort(7).record(stdout, 7, hello, 0), nil, true},
		{"FCG-11 an inactive id beside an active one", wire{}.begin(1, responder, 1).params(2, "A", "B").stdin(2, hello).abort(2).params(1, "REQUEST_METHOD", "GET"),
			answer(1, "GET  0"), true},
	})
}

// TestManagement asks what is not about a request.
func TestManagement(t *testing.T) {
	hello := []byte("hello")
	limit := func(name string) string { return string(nameValues(name, "4096")) }
	hold(t, []dialogue{
		{"FCG-07 GET_VALUES", wire{}.record(getValues, 0, nameValues("FCGI_MAX_CONNS", "", "FCGI_MAX_REQS", "", "FCGI_MPXS_CONNS", ""), 0),
			[]answered{{getValuesResult, 0, limit("FCGI_MAX_CONNS") + limit("FCGI_MAX_REQS") + string(nameValues("FCGI_MPXS_CONNS", "0"))}}, true},
		{"FCG-07 GET_VALUES unknown name among known", wire{}.record(getValues, 0, nameValues("X", "", "FCGI_MPXS_CONNS", "", "FCGI_MPXS_CONNS", ""), 3),
			[]answered{{getValuesResult, 0, string(nameValues("FCGI_MPXS_CONNS", "0"))}}, true},
		{"FCG-07 GET_VALUES unknown name only", wire{}.record(getValues, 0, nameValues("X", ""), 0), []answered{{getValuesResult, 0, ""}}, true},
		{"FCG-07 GET_VALUES of nothing", wire{}.record(getValues, 0, nil, 0), []answered{{getValuesResult, 0, ""}}, true},
		{"FCG-07 GET_VALUES during a request",
			wire{}.begin(1, responder, 1).record(getValues, 0, nil, 0).params(1, posting(5)...).record(getValues, 0, nil, 0).stdin(1, hello),
			slices.Concat([]answered{{getValuesResult, 0, ""}, {getValuesResult, 0, ""}}, answer(1, "POST /ocsp 5")), true},
		{"FCG-07 GET_VALUES lying", wire{}.record(getValues, 0, []byte{200, 0}, 0), nil, false},
		{"FCG-10 unknown mgmt type 99 id0", wire{}.record(99, 0, hello, 0), []answered{{unknownType, 0, "\x63\x00\x00\x00\x00\x00\x00\x00"}}, true},
	})
}

// TestAborts takes requests back.
func TestAborts(t *testing.T) {
	hello := []byte("hello")
	hold(t, []dialogue{
		{"FCG-12 abort before stdin end keep", wire{}.begin(1, responder, 1).params(1, posting(5)...).record(stdin, 1, hello[:2], 0).abort(1),
			[]answered{ended(1, complete)}, true},
		{"FCG-12 abort in params no keep", wire{}.begin(1, responder, 0).record(params, 1, nameValues("A", "B"), 0).abort(1),
			[]answered{ended(1, complete)}, false},
		{"FCG-12 abort after stdin end keep", wire{}.post(1, 1, hello).abort(1), []answered{ended(1, complete)}, true},
		{"FCG-12 twice", wire{}.begin(1, responder, 1).abort(1).abort(1), []answered{ended(1, complete)}, true},
		{"FCG-12 the id is used again", wire{}.begin(1, responder, 1).params(1, posting(5)...).abort(1).get(1, 1, "/b"),
			slices.Concat([]answered{ended(1, complete)}, answer(1, "GET /b 0")), true},
		{"FCG-12 of the next request of that id", wire{}.get(1, 1, "/a").begin(1, responder, 1).params(1, posting(5)...).abort(1),
			slices.Concat(answer(1, "GET /a 0"), []answered{ended(1, complete)}), true},
	})
}

// TestFaults breaks the protocol.
func TestFaults(t *testing.T) {
	hello := []byte("hello")
	hold(t, []dialogue{
		{"FCG-17 stdin before params end", wire{}.begin(1, responder, 1).record(params, 1, nameValues(posting(5)...), 0).stdin(1, hello), nil, false},
		{"FCG-17 params after params end", wire{}.begin(1, responder, 1).params(1, posting(5)...).params(1, "A", "B"), nil, false},
		{"FCG-18 begin dup id keep", wire{}.begin(1, responder, 1).begin(1, responder, 1), nil, false},
		{"FCG-18 begin short body", wire{}.record(begin, 1, []byte{0, 1, 1, 0, 0, 0, 0}, 1), nil, false},
		{"FCG-18 begin long body", wire{}.record(begin, 1, []byte{0, 1, 1, 0, 0, 0, 0, 0, 0}, 0), nil, false},
		{"FCG-18 bad version 2", append(wire{2}, wire{}.get(1, 1, "/a")[1:]...), nil, false},
		{"FCG-18 bad version of a record that never comes", wire{0, 1, 0, 1, 0xFF, 0xFF, 0, 0}, nil, false},
		{"FCG-18 after a good request", append(wire{}.get(1, 1, "/a"), "GET / HTTP/1.0\r\n\r\n"...), answer(1, "GET /a 0"), false},
	})
}
