package servertest

import (
	"slices"
	"strings"
	"testing"
)

// asked is how many requests find out whether connections are kept.
const asked = 20

// Connections asks a few times, and tells whether the web server has made fewer
// connections to the responder than that.
func (s *Site) Connections(t testing.TB, relay *Relay) (kept bool) {
	t.Helper()
	for range asked {
		if got := s.Get(t, s.Good); got != "200 good" {
			t.Fatal(got)
		}
	}
	made := relay.Connections.Load()
	t.Logf("%d connections for %d requests", made, asked)
	return made < asked/2
}

// Restart stops the responder, and starts it again: down is what clients get
// in between, one or another. From then on they are answered at once, the first with a POST,
// which no web server sends twice.
func (s *Site) Restart(t testing.TB, responder *Process, down ...string) {
	t.Helper()
	post := Probe{Method: "POST", Body: s.request(t, s.Good), Header: map[string]string{"Content-Type": requestType}}
	ask := func() string { return s.outcome(s.Reply(t, post), s.Good) }
	if got := ask(); got != "200 good" {
		t.Fatal(got)
	}
	responder.Stop(t)
	for range 3 {
		if got := ask(); !slices.Contains(down, got) {
			t.Errorf("%s while the responder is down, want %s", got, strings.Join(down, " or "))
		}
	}
	again := s.Serve(t)
	if got := ask(); got != "200 good" {
		t.Errorf("%s after the responder has come back", got)
	}
	again.Stop(t)
	s.Serve(t)
	if got := ask(); got != "200 good" {
		t.Errorf("%s after a quick restart", got)
	}
}
