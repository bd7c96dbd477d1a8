package fcgi_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"ocspcgi/lib/ocsphttp"
)

// TestParams sends parameters well and badly.
func TestParams(t *testing.T) {
	hello := []byte("hello")
	long := strings.Repeat("v", 100<<10)
	var bytewise wire
	for _, b := range nameValues("REQUEST_METHOD", "GET", "REQUEST_URI", "/a") {
		bytewise = bytewise.record(params, 1, []byte{b}, 0)
	}
	hold(t, []dialogue{
		{"FCG-13 1-byte PARAMS records", wire{}.begin(1, responder, 1).
			bytes(bytewise).record(params, 1, nil, 0), answer(1, "GET /a 0"), true},
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
			record(params, 1, append(nameValues("REQUEST_METHOD", "GET"), 0x80, 0), 0).record(params, 1, nil, 0), nil, false},
		{"FCG-14 params without a value length", wire{}.begin(1, responder, 1).record(params, 1, []byte{3}, 0).record(params, 1, nil, 0), nil, false},
		{"FCG-14 params name cut", wire{}.begin(1, responder, 1).record(params, 1, []byte("\x05\x00abcd"), 0).record(params, 1, nil, 0), nil, false},
		{"FCG-14 params value cut", wire{}.begin(1, responder, 1).record(params, 1, []byte("\x02\x05abcdef"), 0).record(params, 1, nil, 0), nil, false},
		{"FCG-14 params huge length claim", wire{}.begin(1, responder, 1).
			record(params, 1, append(nameValues("REQUEST_METHOD", "GET"), 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 'x'), 0).record(params, 1, nil, 0), nil, false},
		{"FCG-14 after a good request", wire{}.get(1, 1, "/a").begin(1, responder, 1).record(params, 1, []byte{3}, 0).record(params, 1, nil, 0),
			answer(1, "GET /a 0"), false},
		{"FCG-25 the last of a repeated name", wire{}.begin(1, responder, 1).
			params(1, "REQUEST_METHOD", "POST", "REQUEST_URI", "/a", "REQUEST_METHOD", "GET", "REQUEST_URI", "/b"), answer(1, "GET /b 0"), true},
		{"FCG-25 no params", wire{}.begin(1, responder, 1).params(1), answer(1, "  0"), true},
		{"FCG-25 empty names and values", wire{}.begin(1, responder, 1).params(1, "", "", "REQUEST_METHOD", "", "", "x"), answer(1, "  0"), true},
		{"HTTP_CONTENT_LENGTH is not CONTENT_LENGTH", wire{}.begin(1, responder, 1).params(1, append(posting(5), "HTTP_CONTENT_LENGTH", "2")...).stdin(1, hello),
			answer(1, "POST /ocsp 5"), true},
	})
}

// TestBodies sends bodies whole, cut, and of unknown length.
func TestBodies(t *testing.T) {
	hello := []byte("hello")
	big := bytes.Repeat([]byte("x"), 200<<10)
	hold(t, []dialogue{
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
	})
}
