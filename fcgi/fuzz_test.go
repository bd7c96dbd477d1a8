package fcgi_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ocspcgi/fcgi"
)

// seed is what a web server sends on one connection.
type seed struct {
	name     string
	data     []byte
	requests int // that are answered with 200
}

// seeds are the recordings, and what the servers that are not recorded have
// been seen to send.
func seeds(tb testing.TB) []seed {
	tb.Helper()
	files, err := filepath.Glob("testdata/*-*")
	if err != nil {
		tb.Fatal(err)
	}
	var all []seed
	for _, file := range files {
		if strings.HasPrefix(file, "testdata/fuzz") {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, seed{file, data, bytes.Count(data, []byte("REQUEST_METHOD"))})
	}
	hello := []byte("hello")
	haproxy := func(id uint16, method, length string) wire {
		return wire{}.begin(id, responder, 1).params(id, "REQUEST_METHOD", method, "REQUEST_URI", "/ocsp//MEMw",
			"SCRIPT_NAME", "/ocsp", "PATH_INFO", "//MEMw", "CONTENT_LENGTH", length, "DOCUMENT_ROOT", "/nonexistent")
	}
	return append(all,
		seed{"haproxy, two requests", haproxy(1, "GET", "0").stdin(1, nil).bytes(haproxy(3, "POST", "5").stdin(3, hello)), 2},
		seed{"haproxy, get-values", wire{}.record(getValues, 0, nameValues("FCGI_MAX_REQS", "", "FCGI_MPXS_CONNS", ""), 0).
			bytes(haproxy(1, "HEAD", "0").stdin(1, nil)), 1},
		seed{"haproxy, aborted", haproxy(1, "POST", "80").record(stdin, 1, hello, 0).abort(1), 0},
		seed{"haproxy, chunked and empty", haproxy(1, "POST", "0"), 1},
		seed{"lighttpd", wire{}.begin(1, responder, 0).record(params, 1, nameValues("CONTENT_LENGTH", "0", "QUERY_STRING", "",
			"REQUEST_URI", "/ocsp/MEMw", "REDIRECT_STATUS", "200", "REQUEST_METHOD", "GET"), 5).record(params, 1, nil, 0).stdin(1, nil), 1},
		seed{"caddy, chunked", wire{}.begin(1, responder, 0).params(1, "REQUEST_METHOD", "POST", "CONTENT_LENGTH", "-1", "HTTP_PROXY", "x").
			record(stdin, 1, hello, 3).record(stdin, 1, nil, 0), 1},
		seed{"mod_fcgid", wire{}.begin(1, responder, 0).params(1, "REQUEST_METHOD", "POST", "CONTENT_LENGTH", "9000").
			bytes(chunked(1, make([]byte, 9000), 8192)), 1},
	)
}

// TestSeeds keeps the fuzzing from starting with nothing.
func TestSeeds(t *testing.T) {
	all := seeds(t)
	if len(all) < 20 {
		t.Errorf("%d seeds, want 20", len(all))
	}
	l := newList()
	serveOn(t, &fcgi.Server{Handler: describe}, l)
	for _, s := range all {
		t.Run(s.name, func(t *testing.T) {
			out := l.play(s.data).out.Bytes()
			if n := bytes.Count(out, []byte("Status: 200 OK\r\n")); n != s.requests {
				t.Errorf("%d answers, want %d: %q", n, s.requests, out)
			}
			if bytes.Contains(out, []byte("short")) {
				t.Errorf("%q", out)
			}
			if err := wellFormed(readAll(t, bytes.NewReader(out))); err != nil {
				t.Error(err)
			}
		})
	}
}

// wellFormed expects whole answers, one after another.
func wellFormed(all []answered) error {
	for len(all) > 0 {
		first := all[0]
		switch {
		case first.id == 0 && (first.kind == getValuesResult || first.kind == unknownType), first.kind == end && first.id != 0:
			all = all[1:]
			continue
		case first.kind != stdout:
			return fmt.Errorf("record %+v", first)
		}
		n := slices.IndexFunc(all, func(r answered) bool { return r.kind != stdout })
		if n < 2 || all[n] != ended(first.id, complete) || all[n-1] != (answered{stdout, first.id, ""}) {
			return fmt.Errorf("answer %+v", all)
		}
		var content string
		for _, r := range all[:n-1] {
			content += r.content
		}
		if _, body, _ := strings.Cut(content, "\r\n\r\n"); content != page(body) {
			return fmt.Errorf("content %q", content)
		}
		all = all[n+1:]
	}
	return nil
}

// FuzzServe sends arbitrary bytes. Whole answers come back, the same however
// the bytes are cut, and a request before them is answered as if alone.
func FuzzServe(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s.data, uint16(len(s.data)/2))
	}
	l := newList()
	serveOn(f, &fcgi.Server{Handler: describe}, l)
	f.Fuzz(func(t *testing.T, data []byte, cut uint16) {
		out := readAll(t, &l.play(data).out)
		if err := wellFormed(out); err != nil {
			t.Fatal(err)
		}
		before := wire{}.get(9, 1, "/before")
		want := append(answer(9, "GET /before 0"), out...)
		if got := readAll(t, &l.play(before, data).out); !slices.Equal(got, want) {
			t.Fatalf("after a request: %+v\nwant %+v", got, want)
		}
		if int(cut) >= len(data) || aborts(data) {
			return // an ABORT_REQUEST counts until the answer is out
		}
		if got := readAll(t, &l.play(data[:cut], data[cut:]).out); !slices.Equal(got, out) {
			t.Fatalf("in two pieces: %+v\nin one: %+v", got, out)
		}
	})
}

// aborts tells whether there may be an ABORT_REQUEST in data.
func aborts(data []byte) bool {
	r := bytes.NewReader(data)
	for {
		rec, err := readRecord(r)
		if err != nil {
			// Reserved bytes, which the tests' reader wants to be 0, may be anything.
			return err != io.EOF && bytes.Contains(data, []byte{1, abort})
		}
		if rec.kind == abort {
			return true
		}
	}
}
