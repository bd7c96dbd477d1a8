package bench_test

import (
	"path/filepath"
	"testing"
	"time"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/servertest"
)

const (
	connections = 8
	many        = 64 // connections where many ask at once
	workingSet  = 100_000
)

// asking asks a peer for requests, on each connection at once: libfcgi closes one
// that says nothing for two seconds.
func asking(b *testing.B, name string, p peer, requests ...[]byte) contender {
	b.Helper()
	return askingOn(b, connections, name, p, requests...)
}

func askingOn(b *testing.B, connections int, name string, p peer, requests ...[]byte) contender {
	b.Helper()
	l := connect(b, p.socket, connections, requests...)
	l.share(b, 1)
	return contender{name, func(d time.Duration) float64 { return l.run(b, d) }}
}

// setOf are requests for the first certificates of an index.
func setOf(b testing.TB, ca *pkitest.CA, n int, serial func(int) []byte) [][]byte {
	b.Helper()
	requests := make([][]byte, n)
	for i := range requests {
		requests[i] = posted(request(b, ca, serial(i)))
	}
	return requests
}

// measureKept asks for what is kept, over and over, straight over the socket.
func measureKept(b *testing.B) (figures []figure) {
	c := pkitest.NewCompany(b)
	grow(b, c.Index, workingSet, random)
	r := servertest.Around(b, program, c)
	requests := setOf(b, c.CA, workingSet, random)
	us := ours(b, r)
	logging := ours(b, r, "-log_level", "info", "-log", filepath.Join(r.Dir, "log"))
	length := len(answered(b, us.socket, requests[0]))
	loop, c99, std := bare(b, length), libfcgi(b, 4*many, length), std(b, length)
	for _, p := range []peer{us, logging} {
		connect(b, p.socket, connections, requests...).all(b)
	}
	for _, n := range []int{1, workingSet} {
		set := requests[:n]
		what := "FastCGI, kept answers to 100,000 certificates"
		if n == 1 {
			what = "FastCGI, the kept answer to one certificate"
		}
		peers := []contender{asking(b, "bare loop in Go", loop, set...), asking(b, "libfcgi, empty handler", c99, set...)}
		if n == 1 { // it is too slow to make a difference
			peers = append(peers, asking(b, "net/http/fcgi", std, set...))
		}
		figures = append(figures, against(what, asking(b, "ocspcgi", us, set...), peers, 0.85, 1, 0)...)
		figures = append(figures, against(what+", 64 connections", askingOn(b, many, "ocspcgi", us, set...), []contender{
			askingOn(b, many, "bare loop in Go", loop, set...), askingOn(b, many, "libfcgi, empty handler", c99, set...),
		}, 0.85, 1)...)
		figures = append(figures, against(what+", each in the log", asking(b, "logging", logging, set...), []contender{
			asking(b, "libfcgi, empty handler", c99, set...),
		}, 0)...)
	}
	return figures
}
