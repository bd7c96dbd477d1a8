package ocsphttp_test

import (
	"context"
	"reflect"
	"strings"
	"testing"

	"ocspcgi/lib/ocsphttp"
)

func TestSetVariable(t *testing.T) {
	var req, empty ocsphttp.Request
	for _, name := range ocsphttp.Variables() {
		before := req
		req.SetVariable([]byte(name), []byte(name))
		if reflect.DeepEqual(req, before) {
			t.Errorf("%s has no place", name)
		}
	}
	for _, name := range []string{"HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH", "HTTP_PROXY", "QUERY_STRING", "OCSP_INDEX", ""} {
		other := empty
		other.SetVariable([]byte(name), []byte("x"))
		if !reflect.DeepEqual(other, empty) {
			t.Errorf("CGI-03: %s has a place", name)
		}
	}
}

func TestBodyLength(t *testing.T) {
	for _, test := range []struct {
		value string
		n     int64
		ok    bool
	}{
		{"", ocsphttp.UntilEnd, true}, {"-1", ocsphttp.UntilEnd, true}, {"0", 0, true}, {"69", 69, true},
		{"9223372036854775807", 1<<63 - 1, true}, {"9223372036854775808", 0, false},
		{"abc", 0, false}, {"+1", 0, false}, {" 1", 0, false}, {"1 ", 0, false}, {"--1", 0, false}, {"-", 0, false}, {"0x10", 0, false},
	} {
		if n, ok := ocsphttp.BodyLength([]byte(test.value)); n != test.n || ok != test.ok {
			t.Errorf("CGI-06 %q: %d %v, want %d %v", test.value, n, ok, test.n, test.ok)
		}
	}
}

func TestCallAnswersAPanic(t *testing.T) {
	handler := func(context.Context, *ocsphttp.Request, *ocsphttp.Response) { panic("broken") }
	for method, body := range map[string]string{"GET": "0\x03\n\x01\x02", "POST": "0\x03\n\x01\x02", "HEAD": ""} {
		resp := ocsphttp.Response{Status: 500, Header: []byte("X: y\r\n"), Body: []byte("half")}
		err := ocsphttp.Call(context.Background(), handler, &ocsphttp.Request{Method: []byte(method)}, &resp)
		if err == nil || !strings.Contains(err.Error(), "broken") {
			t.Errorf("the error of a panic: %v", err)
		}
		if got := string(resp.AppendCGI(nil)); !strings.HasPrefix(got, "Status: 200 OK\r\nContent-Type: application/ocsp-response\r\n") ||
			!strings.Contains(got, "Content-Length: 5\r\n") || !strings.HasSuffix(got, "\r\n\r\n"+body) || strings.Contains(got, "X: y") {
			t.Errorf("%s: %q", method, got)
		}
	}
}
