package bench_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/servertest"
)

// script is what people run today: openssl ocsp, fed and emptied through pipes.
const script = `#!/bin/sh
echo "Content-type: application/ocsp-response"
echo ""
cat | openssl ocsp -index "$OCSP_INDEX" -CA "$OCSP_CA" -rkey "$OCSP_RKEY" -rsigner "$OCSP_RSIGNER" -nmin 5 -reqin /dev/stdin -respout /dev/stdout 2>/dev/null | cat
`

// small is the number of rows that a CGI process is started for, large the one
// that it is to be hardly slower for.
const small, large = 1000, 1_000_000

// measureCGI starts a process for each request, one after the other.
func measureCGI(b *testing.B) (figures []figure) {
	dir := b.TempDir()
	empty, ours := emptyGo(b, dir), shipped(b, dir, "ocspcgi/cgi/cgibin")
	sh := filepath.Join(dir, "script")
	servertest.WriteFile(b, sh, script)
	for _, kind := range []struct {
		name, flag string
		most       float64
	}{{"P-256", "p256", 2.2}, {"RSA-2048", "rsa2048", 3.6}} {
		s := newStart(b, kind.flag, small)
		reached := compete(s.takes(b, ours), s.takes(b, empty), s.takes(b, s.openssl()...),
			s.works(b, ours), s.works(b, "/bin/sh", sh), s.cached(b).takes(b, ours))
		what := "CGI, " + kind.name + ", " + count(small) + " rows"
		figures = append(figures,
			within(what, "ms", reached[0], "an empty Go program", reached[1], kind.most),
			within(what, "ms", reached[0], "openssl ocsp alone", reached[2], 0),
			within(what+", CPU", "ms", reached[3], "the shell script", reached[4], 0.25),
			within(what+", -cache", "ms", reached[5], "an empty Go program", reached[1], 1.7))
	}
	few, many := newStart(b, "p256", small).cached(b), newStart(b, "p256", large)
	reached := compete(many.takes(b, ours), many.takes(b, many.openssl()...), many.cached(b).takes(b, ours), few.takes(b, ours))
	what := "CGI, P-256, " + count(large) + " rows"
	return append(figures,
		atMost(what, "ms", median(reached[0]), 40),
		within(what, "ms", reached[0], "openssl ocsp alone", reached[1], 0),
		within(what+", -cache", "ms", reached[2], count(small)+" rows", reached[3], 1.2))
}

// within is a figure of which less is better. Of most 0 nothing is asked.
func within(what, unit string, ours []float64, peer string, theirs []float64, most float64) figure {
	return figure{What: what, Unit: unit, Ours: median(ours), Peer: peer, Theirs: median(theirs), Ratio: ratio(ours, theirs), Most: most}
}

// emptyGo builds a program that does nothing, and shipped one as make does.
func emptyGo(b *testing.B, dir string) (path string) {
	b.Helper()
	source := filepath.Join(dir, "empty.go")
	servertest.WriteFile(b, source, "package main\n\nfunc main() {}\n")
	return shipped(b, dir, source)
}

// shipped makes a copy of what is linked, as installing does: what the linker
// itself has written starts more slowly.
func shipped(b *testing.B, dir, what string) (path string) {
	b.Helper()
	path = filepath.Join(dir, filepath.Base(what)+".start")
	build(b, "go", "build", "-trimpath", "-buildvcs=false", "-buildmode=exe", "-ldflags", "-s -w", "-o", path+"ed", what)
	build(b, "cp", path+"ed", path)
	return path
}

// start is what processes are started with.
type start struct {
	company *pkitest.Company
	request string // path of what is on stdin
	env     []string
}

func newStart(b *testing.B, key string, rows int) *start {
	b.Helper()
	c := pkitest.NewCompany(b)
	c.Signer = c.OCSPSigner("bench-"+key, pkitest.Key(key))
	grow(b, c.Index, rows, random)
	age(b, c.Index, time.Hour) // a file that may still be written is looked at twice
	s := &start{company: c, request: filepath.Join(b.TempDir(), "request")}
	servertest.WriteFile(b, s.request, string(pkitest.Request(b, c.CA, c.Good, "-no_nonce")))
	s.env = []string{
		"PATH=" + os.Getenv("PATH"), "GATEWAY_INTERFACE=CGI/1.1", "REQUEST_METHOD=POST", "CONTENT_TYPE=" + requestType,
		"OCSP_INDEX=" + c.Index, "OCSP_CA=" + c.Cert, "OCSP_RSIGNER=" + c.Signer.Cert, "OCSP_RKEY=" + c.Signer.Key,
	}
	return s
}

// cached is the same with -cache.
func (s *start) cached(b *testing.B) *start {
	cached := *s
	cached.env = append([]string{"OCSP_CACHE=" + b.TempDir()}, s.env...)
	return &cached
}

// openssl is the command that answers the same request.
func (s *start) openssl() []string {
	c := s.company
	return []string{"openssl", "ocsp", "-index", c.Index, "-CA", c.Cert, "-rsigner", c.Signer.Cert, "-rkey", c.Signer.Key,
		"-nmin", "5", "-reqin", "/dev/stdin", "-respout", "/dev/null"}
}

// takes is the time in ms from the start of a process to its end.
func (s *start) takes(b *testing.B, argv ...string) contender {
	return s.measured(b, func() time.Duration { return time.Duration(time.Now().UnixNano()) }, argv)
}

// works is the CPU in ms that a process and its children use.
func (s *start) works(b *testing.B, argv ...string) contender {
	return s.measured(b, func() time.Duration { return servertest.ChildTime(b) }, argv)
}

func (s *start) measured(b *testing.B, clock func() time.Duration, argv []string) contender {
	b.Helper()
	servertest.Spawn(b, s.request, s.env, argv...) // fills -cache
	return contender{argv[0], func(d time.Duration) float64 {
		n, began, before := 0, time.Now(), clock()
		for ; n == 0 || time.Since(began) < d; n++ {
			servertest.Spawn(b, s.request, s.env, argv...)
		}
		return (clock() - before).Seconds() * 1000 / float64(n)
	}}
}
