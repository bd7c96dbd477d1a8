package fcgi_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"ocspcgi/fcgi"
	"ocspcgi/lib/ocsphttp"
)

// TestProtocol sends bytes in one write and expects these records; then the
// connection is open, or closed.
func TestProtocol(t *testing.T) {
	hello := []byte("hello")
	big := bytes.Repeat([]byte("x"), 200<<10)
	long := strings.Repeat("v", 100<<10)
	none := []answered(nil)
	limit := func(name string) string {
		return string(nameValues(name, "4096"))
	}
	bytewise := func(id uint16, content []byte) (w wire) {
		for _, b := range content {
			w = w.record(params, id, []byte{b}, 0)
		}
		return w.record(params, id, nil, 0)
	}
	for _, c := range []struct {
		name string
		send wire
		want []answered
		open bool
	}{
		{"FCG-06 FCG-19 FCG-20 basic no keep", wire{}.get(1, 0, "/a"), answer(1, "GET /a 0"), false},
		{"FCG-06 FCG-19 basic keep", wire{}.get(1, 1, "/a"), answer(1, "GET /a 0"), true},
		{"FCG-06 POST no keep", wire{}.post(1, 0, hello), answer(1, "POST /ocsp 5"), false},
		{"FCG-06 other flags do not keep", wire{}.get(1, 0xFE, "/a"), answer(1, "GET /a 0"), false},
		{"requests in one write", wire{}.get(1, 1, "/a").post(3, 1, hello).get(1, 1, "/b"),
			slices.Concat(answer(1, "GET /a 0"), answer(3, "POST /ocsp 5"), answer(1, "GET /b 0")), true},

		{"FCG-07 GET_VALUES", wire{}.record(getValues, 0, nameValues("FCGI_MAX_CONNS", "", "FCGI_MAX_REQS", "", "FCGI_MPXS_CONNS", ""), 0),
			[]answered{{getValuesResult, 0, limit("FCGI_MAX_CONNS") + limit("FCGI_MAX_REQS") + string(nameValues("FCGI_MPXS_CONNS", "0"))}}, true},
		{"FCG-07 GET_VALUES unknown name among known", wire{}.record(getValues, 0, nameValues("X", "", "FCGI_MPXS_CONNS", "", "FCGI_MPXS_CONNS", ""), 3),
			[]answered{{getValuesResult, 0, string(nameValues("FCGI_MPXS_CONNS", "0"))}}, true},
		{"FCG-07 GET_VALUES unknown name only", wire{}.record(getValues, 0, nameValues("X", ""), 0), []answered{{getValuesResult, 0, ""}}, true},
		{"FCG-07 GET_VALUES of nothing", wire{}.record(getValues, 0, nil, 0), []answered{{getValuesResult, 0, ""}}, true},
		{"FCG-07 GET_VALUES during a request",
			wire{}.begin(1, responder, 1).record(getValues, 0, nil, 0).params(1, posting(5)...).record(getValues, 0, nil, 0).stdin(1, hello),
			slices.Concat([]answered{{getValuesResult, 0, ""}, {getValuesResult, 0, ""}}, answer(1, "POST /ocsp 5")), true},
		{"FCG-07 GET_VALUES lying", wire{}.record(getValues, 0, []byte{200, 0}, 0), none, false},

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

		{"FCG-10 unknown mgmt type 99 id0", wire{}.record(99, 0, hello, 0), []answered{{unknownType, 0, "\x63\x00\x00\x00\x00\x00\x00\x00"}}, true},
		{"FCG-11 unknown app type 99 id7", wire{}.record(99, 7, hello, 0), none, true},
		{"FCG-11 unknown app type for the active id", wire{}.begin(7, responder, 1).record(99, 7, hello, 0).params(7, "REQUEST_METHOD", "GET"),
			answer(7, "GET  0"), true},
		{"FCG-11 records for an inactive id", wire{}.params(7, "A", "B").stdin(7, hello).abort(7).record(stdout, 7, hello, 0), none, true},
		{"FCG-11 an inactive id beside an active one", wire{}.begin(1, responder, 1).params(2, "A", "B").stdin(2, hello).abort(2).params(1, "REQUEST_METHOD", "GET"),
			answer(1, "GET  0"), true},

		{"FCG-12 abort before stdin end keep", wire{}.begin(1, responder, 1).params(1, posting(5)...).record(stdin, 1, hello[:2], 0).abort(1),
			[]answered{ended(1, complete)}, true},
		{"FCG-12 abort in params no keep", wire{}.begin(1, responder, 0).record(params, 1, nameValues("A", "B"), 0).abort(1),
			[]answered{ended(1, complete)}, false},
		{"FCG-12 abort after stdin end keep", wire{}.post(1, 1, hello).abort(1), []answered{ended(1, complete)}, true},
		{"FCG-12 twice", wire{}.begin(1, responder, 1).abort(1).abort(1), []answered{ended(1, complete)}, true},
		{"FCG-12 the id is used again", wire{}.begin(1, responder, 1).params(1, posting(5)...).abort(1).get(1, 1, "/b"),
			slices.Concat([]answered{ended(1, complete)}, answer(1, "GET /b 0")), true},

		{"FCG-13 1-byte PARAMS records", wire{}.begin(1, responder, 1).
			bytes(bytewise(1, nameValues("REQUEST_METHOD", "GET", "REQUEST_URI", "/a"))), answer(1, "GET /a 0"), true},
		{"FCG-13 params 100K", wire{}.begin(1, responder, 1).
			record(params, 1, nameValues("LONG", long)[:60000], 0).record(params, 1, nameValues("LONG", long)[60000:], 7).
			params(1, "REQUEST_METHOD", "GET", "REQUEST_URI", "/a"), answer(1, "GET /a 0"), true},
		{"FCG-13 four bytes for a short length", wire{}.begin(1, responder, 1).
			record(params, 1, []byte("\x80\x00\x00\x0e\x80\x00\x00\x03REQUEST_METHODGET"), 0).record(params, 1, nil, 0), answer(1, "GET  0"), true},
		{"FCG-13 params over 256 KiB", wire{}.begin(1, responder, 1).
			record(params, 1, make([]byte, 65535), 0).record(params, 1, make([]byte, 65535), 0).record(params, 1, make([]byte, 65535), 0).
			record(params, 1, make([]byte, 65535), 0).record(params, 1, make([]byte, 5), 0),
			[]answered{ended(1, overloaded)}, false},
		{"FCG-13 params of 256 KiB", wire{}.begin(1, responder, 1).
			record(params, 1, make([]byte, 65535), 0).record(params, 1, make([]byte, 65535), 0).record(params, 1, make([]byte, 65535), 0).
			record(params, 1, make([]byte, 65535), 0).record(params, 1, make([]byte, 4), 0).record(params, 1, nil, 0),
			answer(1, "  0"), true},

		{"FCG-14 params truncated length", wire{}.begin(1, responder, 1).
			record(params, 1, append(nameValues("REQUEST_METHOD", "GET"), 0x80, 0), 0).record(params, 1, nil, 0), none, false},
		{"FCG-14 params without a value length", wire{}.begin(1, responder, 1).record(params, 1, []byte{3}, 0).record(params, 1, nil, 0), none, false},
		{"FCG-14 params name cut", wire{}.begin(1, responder, 1).record(params, 1, []byte("\x05\x00abcd"), 0).record(params, 1, nil, 0), none, false},
		{"FCG-14 params value cut", wire{}.begin(1, responder, 1).record(params, 1, []byte("\x02\x05abcdef"), 0).record(params, 1, nil, 0), none, false},
		{"FCG-14 params huge length claim", wire{}.begin(1, responder, 1).
			record(params, 1, append(nameValues("REQUEST_METHOD", "GET"), 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 'x'), 0).record(params, 1, nil, 0), none, false},
		{"FCG-14 after a good request", wire{}.get(1, 1, "/a").begin(1, responder, 1).record(params, 1, []byte{3}, 0).record(params, 1, nil, 0),
			answer(1, "GET /a 0"), false},

		{"FCG-15 padding 255", wire{}.record(begin, 1, []byte{0, 1, 1, 0, 0, 0, 0, 0}, 255).
			record(params, 1, nameValues(posting(5)...), 255).record(params, 1, nil, 255).
			record(stdin, 1, hello[:3], 255).record(stdin, 1, hello[3:], 1).record(stdin, 1, nil, 255), answer(1, "POST /ocsp 5"), true},

		{"FCG-16 many records", wire{}.begin(1, responder, 1).params(1, posting(5)...).
			record(stdin, 1, hello[:1], 0).record(stdin, 1, hello[1:2], 0).record(stdin, 1, hello[2:], 0).record(stdin, 1, nil, 0), answer(1, "POST /ocsp 5"), true},
		{"FCG-16 without the empty STDIN", wire{}.begin(1, responder, 1).params(1, posting(5)...).record(stdin, 1, hello, 0), answer(1, "POST /ocsp 5"), true},
		{"FCG-16 GET without STDIN", wire{}.begin(1, responder, 1).params(1, "REQUEST_METHOD", "GET"), answer(1, "GET  0"), true},
		{"FCG-16 HEAD with CONTENT_LENGTH 0", wire{}.begin(1, responder, 1).params(1, "REQUEST_METHOD", "HEAD", "CONTENT_LENGTH", "0"), answer(1, "HEAD  0"), true},
		{"FCG-16 GET with a body", wire{}.begin(1, responder, 1).params(1, "REQUEST_METHOD", "GET", "CONTENT_LENGTH", "5").stdin(1, hello), answer(1, "GET  0"), true},
		{"FCG-16 PUT is answered before its body", wire{}.begin(1, responder, 1).params(1, "REQUEST_METHOD", "PUT", "CONTENT_LENGTH", "5"), answer(1, "PUT  0"), true},
		{"FCG-16 empty POST", wire{}.begin(1, responder, 1).params(1, posting(0)...), answer(1, "POST /ocsp 0"), true},
		{"FCG-16 more than CONTENT_LENGTH", wire{}.begin(1, responder, 1).params(1, posting(3)...).stdin(1, hello), answer(1, "POST /ocsp 3"), true},
		{"FCG-16 200 KB keep", wire{}.post(1, 1, big), answer(1, fmt.Sprintf("POST /ocsp %d", ocsphttp.MaxBody+1)), true},
		{"FCG-16 64 KiB", wire{}.post(1, 1, big[:ocsphttp.MaxBody]), answer(1, fmt.Sprintf("POST /ocsp %d", ocsphttp.MaxBody)), true},
		{"FCG-16 200 KB in small records", wire{}.begin(1, responder, 1).params(1, posting("")...).bytes(chunked(1, big, 8192)),
			answer(1, fmt.Sprintf("POST /ocsp %d", ocsphttp.MaxBody+1)), true},

		{"FCG-17 stdin before params end", wire{}.begin(1, responder, 1).record(params, 1, nameValues(posting(5)...), 0).stdin(1, hello), none, false},
		{"FCG-17 params after params end", wire{}.begin(1, responder, 1).params(1, posting(5)...).params(1, "A", "B"), none, false},
		{"FCG-18 begin dup id keep", wire{}.begin(1, responder, 1).begin(1, responder, 1), none, false},
		{"FCG-18 begin short body", wire{}.record(begin, 1, []byte{0, 1, 1, 0, 0, 0, 0}, 1), none, false},
		{"FCG-18 begin long body", wire{}.record(begin, 1, []byte{0, 1, 1, 0, 0, 0, 0, 0, 0}, 0), none, false},
		{"FCG-18 bad version 2", append(wire{2}, wire{}.get(1, 1, "/a")[1:]...), none, false},
		{"FCG-18 bad version of a record that never comes", wire{0, 1, 0, 1, 0xFF, 0xFF, 0, 0}, none, false},
		{"FCG-18 after a good request", append(wire{}.get(1, 1, "/a"), "GET / HTTP/1.0\r\n\r\n"...), answer(1, "GET /a 0"), false},

		{"FCG-25 the last of a repeated name", wire{}.begin(1, responder, 1).
			params(1, "REQUEST_METHOD", "POST", "REQUEST_URI", "/a", "REQUEST_METHOD", "GET", "REQUEST_URI", "/b"), answer(1, "GET /b 0"), true},
		{"FCG-25 no params", wire{}.begin(1, responder, 1).params(1), answer(1, "  0"), true},
		{"FCG-25 empty names and values", wire{}.begin(1, responder, 1).params(1, "", "", "REQUEST_METHOD", "", "", "x"), answer(1, "  0"), true},

		{"HTTP_CONTENT_LENGTH is not CONTENT_LENGTH", wire{}.begin(1, responder, 1).params(1, append(posting(5), "HTTP_CONTENT_LENGTH", "2")...).stdin(1, hello),
			answer(1, "POST /ocsp 5"), true},
		{"CGI-06 CONTENT_LENGTH absent", wire{}.begin(1, responder, 1).params(1, posting("")[:6]...).stdin(1, hello), answer(1, "POST /ocsp 5"), true},
		{"CGI-06 CONTENT_LENGTH empty", wire{}.begin(1, responder, 1).params(1, posting("")...).stdin(1, hello), answer(1, "POST /ocsp 5"), true},
		{"CGI-06 CONTENT_LENGTH -1", wire{}.begin(1, responder, 1).params(1, posting(-1)...).stdin(1, hello), answer(1, "POST /ocsp 5"), true},
		{"CGI-06 CONTENT_LENGTH abc", wire{}.begin(1, responder, 1).params(1, posting("abc")...), answer(1, "POST /ocsp 0 short"), true},
		{"CGI-06 CONTENT_LENGTH -", wire{}.begin(1, responder, 1).params(1, posting("-")...), answer(1, "POST /ocsp 0 short"), true},
		{"CGI-06 CONTENT_LENGTH 5x", wire{}.begin(1, responder, 1).params(1, posting("5x")...).stdin(1, hello), answer(1, "POST /ocsp 0 short"), true},
		{"CGI-06 CONTENT_LENGTH of 20 nines", wire{}.begin(1, responder, 1).params(1, posting(strings.Repeat("9", 20))...), answer(1, "POST /ocsp 0 short"), true},
		{"CGI-06 CONTENT_LENGTH of 18 nines", wire{}.begin(1, responder, 1).params(1, posting(strings.Repeat("9", 18))...).stdin(1, hello), answer(1, "POST /ocsp 5 short"), true},
		{"CGI-07 a body shorter than CONTENT_LENGTH", wire{}.begin(1, responder, 1).params(1, posting(100)...).stdin(1, hello), answer(1, "POST /ocsp 5 short"), true},
		{"CGI-07 no body at all", wire{}.begin(1, responder, 1).params(1, posting(100)...).stdin(1, nil), answer(1, "POST /ocsp 0 short"), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := probe(t, start(t, &fcgi.Server{Handler: describe, Log: func(err error) {
				if strings.Contains(err.Error(), "panic") {
					t.Error(err)
				}
			}}))
			p.send(c.send)
			p.want(c.want...)
			if c.open {
				p.wantOpen()
			} else {
				p.wantClosed()
			}
		})
		t.Run(c.name+", split at every byte", func(t *testing.T) {
			if len(c.send) > 2000 {
				t.Skip("too long")
			}
			// An ABORT_REQUEST is honoured as long as the answer is not out.
			late := bytes.HasSuffix(c.send, wire{}.post(1, 1, hello).abort(1))
			for cut := range c.send {
				if late && cut >= len(c.send)-8-8-5 {
					break
				}
				got := talk(t, &fcgi.Server{Handler: describe}, c.send[:cut], c.send[cut:])
				if !slices.Equal(got, c.want) {
					t.Fatalf("cut at %d: %+v\nwant %+v", cut, got, c.want)
				}
			}
		})
	}
}
