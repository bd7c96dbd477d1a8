package fcgi_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"ocspcgi/fcgi"
	"ocspcgi/lib/ocsphttp"
)

// What is asked arrives: long variables, bodies longer than a record, nothing.
func TestAsk(t *testing.T) {
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	s := &fcgi.Server{Handler: func(_ context.Context, r *ocsphttp.Request, resp *ocsphttp.Response) {
		resp.Status, resp.Header, resp.Body = 200, resp.Header[:0], fmt.Appendf(nil, "%s %d %d", r.Method, len(r.URI), len(r.Body))
	}}
	go s.Serve(l)
	defer s.Shutdown(context.Background())
	for _, size := range []int{0, 1, 127, 128, 60000} {
		conn, err := net.Dial("unix", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		out, err := fcgi.Ask(conn, [][2]string{{"REQUEST_METHOD", "POST"}, {"REQUEST_URI", strings.Repeat("/", size/8)}, {"CONTENT_LENGTH", fmt.Sprint(size)}}, make([]byte, size), 1<<20)
		if want := fmt.Sprintf("\r\n\r\nPOST %d %d", size/8, size); err != nil || !strings.HasSuffix(string(out), want) {
			t.Errorf("%d octets: %q, %v, want %q", size, out, err, want)
		}
	}
}

// said is a connection on which that was said, whatever is asked.
type said struct{ *bytes.Reader }

func (said) Write(b []byte) (int, error) { return len(b), nil }

func TestAskRefuses(t *testing.T) {
	done := []byte{1, 3, 0, 1, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	overloaded := append(bytes.Clone(done[:12]), 2, 0, 0, 0)
	out := append([]byte{1, 6, 0, 1, 0, 2, 3, 0}, "ab\x00\x00\x00"...)
	for _, test := range []struct {
		row, want string
		answer    []byte
	}{
		{"an answer", "", append(bytes.Clone(out), done...)},
		{"STDERR is passed over", "", append(append([]byte{1, 7, 0, 1, 0, 1, 0, 0, 'x'}, out...), done...)},
		{"nothing", "ended before the answer did", nil},
		{"cut off in a header", "ended before the answer did", out[:5]},
		{"cut off in a record", "ended before the answer did", out[:9]},
		{"no END_REQUEST", "ended before the answer did", out},
		{"refused", "END_REQUEST 00 00 00 00 02", append(bytes.Clone(out), overloaded...)},
		{"HTTP", "no FastCGI 1: a record begins with 72", []byte("HTTP/1.1 400 Bad Request\r\n\r\n")},
		{"too long", "longer than 3 bytes", append(append(bytes.Clone(out), out...), done...)},
	} {
		got, err := fcgi.Ask(said{bytes.NewReader(test.answer)}, nil, nil, 3)
		if test.want == "" && (err != nil || string(got) != "ab") || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %q, %v, want %q", test.row, got, err, test.want)
		}
	}
}

// Whatever an application says ends in its answer, as long as that may be, or in
// an error.
func FuzzAsk(f *testing.F) {
	for _, seed := range seeds(f) {
		f.Add(seed.data)
	}
	f.Add([]byte("\x01\x06\x00\x01\x00\x02\x00\x00ab\x01\x03\x00\x01\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, answer []byte) {
		got, err := fcgi.Ask(said{bytes.NewReader(answer)}, nil, nil, 1000)
		if err == nil && (len(got) > 1000 || !bytes.Contains(answer, got[:min(1, len(got))])) || err != nil && got != nil && !strings.Contains(err.Error(), "END_REQUEST") {
			t.Errorf("%q, %v", got, err)
		}
	})
}
