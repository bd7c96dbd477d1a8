package apache_test

import (
	"strings"
	"testing"

	"ocspcgi/lib/servertest"
)

// eachProxy runs a test with each snippet that passes requests on.
func eachProxy(t *testing.T, test func(t *testing.T, f form)) {
	for _, f := range forms {
		if f.fastcgi {
			t.Run(f.snippet, func(t *testing.T) { test(t, f) })
		}
	}
}

func TestConnectionsAreKept(t *testing.T) {
	r := servertest.NewResponder(t, program)
	r.Serve(t)
	eachProxy(t, func(t *testing.T, f form) {
		for _, kept := range []bool{true, false} {
			relayed, relay := r.Relayed(t, true)
			address := servertest.FreeAddress(t)
			snippet := f.text(t, relayed, address)
			if !kept {
				snippet = strings.Replace(snippet, " enablereuse=on", "", 1)
			}
			serve(t, f, address, snippet)
			web := &servertest.Site{Responder: r, URL: "http://" + address + f.path}
			if got := web.Connections(t, relay); got != kept {
				t.Errorf("kept: %v, want %v with\n%s", got, kept, snippet)
			}
		}
	})
}

func TestRestart(t *testing.T) {
	eachProxy(t, func(t *testing.T, f form) {
		r := servertest.NewResponder(t, program)
		responder := r.Serve(t)
		web, _ := site(t, r, f)
		web.Restart(t, responder, "503 server")
	})
}

func TestTimeoutOfProxy(t *testing.T) {
	t.Parallel() // it waits most of the time
	r := servertest.NewResponder(t, program)
	eachProxy(t, func(t *testing.T, f form) {
		relayed, _ := r.Relayed(t, false)
		address := servertest.FreeAddress(t)
		serve(t, f, address, strings.Replace(f.text(t, relayed, address), " timeout=10", " timeout=1", 1))
		web := &servertest.Site{Responder: r, URL: "http://" + address + f.path}
		if got := web.Get(t, r.Good); got != "504 server" {
			t.Error(got)
		}
	})
}
