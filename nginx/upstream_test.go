package nginx_test

import (
	"strings"
	"testing"

	"ocspcgi/lib/servertest"
)

func eachForm(t *testing.T, test func(t *testing.T, f form)) {
	for _, f := range forms {
		t.Run(f.snippet, func(t *testing.T) { test(t, f) })
	}
}

func TestConnectionsAreKept(t *testing.T) {
	r := servertest.NewResponder(t, program)
	r.Serve(t)
	eachForm(t, func(t *testing.T, f form) {
		for _, without := range []string{"", "keepalive 8;", "fastcgi_keep_conn on;"} {
			relayed, relay := r.Relayed(t, true)
			address := servertest.FreeAddress(t)
			serve(t, address, strings.Replace(relayed.Snippet(t, f.snippet, address), without, "", 1))
			web := &servertest.Site{Responder: r, URL: "http://" + address + f.path}
			if got, want := web.Connections(t, relay), without == ""; got != want {
				t.Errorf("kept: %v without %q", got, without)
			}
		}
	})
}

func TestRestart(t *testing.T) {
	eachForm(t, func(t *testing.T, f form) {
		r := servertest.NewResponder(t, program)
		responder := r.Serve(t)
		address := servertest.FreeAddress(t)
		serve(t, address, r.Snippet(t, f.snippet, address))
		web := &servertest.Site{Responder: r, URL: "http://" + address + f.path}
		web.Restart(t, responder, "502 server")
	})
}

// The responder outlives the server in front of it.
func TestKilledServer(t *testing.T) {
	eachForm(t, func(t *testing.T, f form) {
		r := servertest.NewResponder(t, program)
		r.Serve(t)
		address := servertest.FreeAddress(t)
		web := &servertest.Site{Responder: r, URL: "http://" + address + f.path}
		for round := range 3 {
			s := serve(t, address, r.Snippet(t, f.snippet, address))
			if got := web.Get(t, r.Good); got != "200 good" {
				t.Errorf("round %d: %s", round, got)
			}
			s.Kill(t)
		}
	})
}

func TestTimeout(t *testing.T) {
	r := servertest.NewResponder(t, program)
	eachForm(t, func(t *testing.T, f form) {
		relayed, _ := r.Relayed(t, false)
		address := servertest.FreeAddress(t)
		serve(t, address, strings.Replace(relayed.Snippet(t, f.snippet, address), " 10s;", " 1s;", 1))
		web := &servertest.Site{Responder: r, URL: "http://" + address + f.path}
		if got := web.Get(t, r.Good); got != "504 server" {
			t.Error(got)
		}
	})
}

// A server with regular expressions of its own does not lose requests to them.
func TestRegularExpressions(t *testing.T) {
	r := servertest.NewResponder(t, program)
	r.Serve(t)
	address := servertest.FreeAddress(t)
	text := r.Snippet(t, "path.conf", address)
	more := strings.Replace(text, "    location", "    location ~ /M { return 404; }\n    location", 1)
	if more == text {
		t.Fatal("there is no location in the snippet")
	}
	serve(t, address, more)
	web := &servertest.Site{Responder: r, URL: "http://" + address + "/ocsp"}
	if got := web.Get(t, r.Good); got != "200 good" {
		t.Error(got)
	}
}
