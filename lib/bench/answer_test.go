package bench_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"testing"
	"time"

	"ocspcgi/fcgi"
	"ocspcgi/lib/journal"
	"ocspcgi/lib/ocsphttp"
	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/reload"
	"ocspcgi/lib/responder"
)

// BenchmarkAnswer is all that the program does for an answer that it has kept,
// from the FastCGI records to those of the answer, but for the kernel's part.
func BenchmarkAnswer(b *testing.B) {
	const most = 100_000
	c := pkitest.NewCompany(b)
	grow(b, c.Index, most, random)
	var requests [][]byte
	for i := range most {
		requests = append(requests, posted(request(b, c.CA, random(i))))
	}
	for _, level := range []string{"warn", "info"} {
		h := handler(b, c, level)
		answer(b, h, requests, most) // each is kept
		for _, n := range []int{1, most} {
			b.Run(level+"/"+strconv.Itoa(n), func(b *testing.B) {
				b.ReportAllocs()
				answer(b, h, requests[:n], b.N)
			})
		}
	}
}

// BenchmarkSigned is what the program does for an answer that it signs with
// P-256, but for the kernel's part; then the signature alone.
func BenchmarkSigned(b *testing.B) {
	c := pkitest.NewCompany(b)
	h := handler(b, c, "warn")
	nonce := posted(pkitest.Request(b, c.CA, c.Good))
	b.Run("answer", func(b *testing.B) {
		b.ReportAllocs()
		answer(b, h, [][]byte{nonce}, b.N)
	})
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("signature", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := key.Sign(rand.Reader, make([]byte, 32), crypto.SHA256); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// answer has so many requests answered.
func answer(b testing.TB, h ocsphttp.HandlerFunc, requests [][]byte, n int) {
	b.Helper()
	s := fcgi.Server{Handler: h, IdleTimeout: time.Hour}
	memory := &memory{requests: requests, left: n, ended: make(chan struct{})}
	if err := s.Serve(memory); !errors.Is(err, io.EOF) {
		b.Fatal(err)
	}
}

// handler answers as the program does.
func handler(b testing.TB, c *pkitest.Company, level string) ocsphttp.HandlerFunc {
	b.Helper()
	h, _ := handlerOf(b, c, level)
	return h
}

func handlerOf(b testing.TB, c *pkitest.Company, level string) (ocsphttp.HandlerFunc, *responder.Responder) {
	b.Helper()
	log, err := journal.Open(journal.Options{Path: os.DevNull, Level: level, Remote: true})
	if err != nil {
		b.Fatal(err)
	}
	r := &responder.Responder{Backdate: 5 * time.Minute, CacheBytes: 512 << 20, Fields: ocsphttp.Fields}
	keeper := &reload.Keeper{Responder: r, Sources: []reload.Source{{Index: c.Index, Files: responder.Files{
		CA: c.Cert, Lifetime: 12 * time.Hour, Signers: []responder.SignerFiles{{Certificate: c.Signer.Cert, Key: c.Signer.Key}},
	}}}}
	if err := keeper.Open(); err != nil {
		b.Fatal(err)
	}
	h := ocsphttp.Handler{Respond: r.Respond, Log: log.Request}
	return h.Serve, r
}

// memory is a listener with one connection, whose other side is never waited for.
type memory struct {
	net.Conn
	requests [][]byte
	next     int
	left     int
	taken    bool
	ended    chan struct{}
}

func (m *memory) Accept() (net.Conn, error) {
	if m.taken {
		<-m.ended
		return nil, io.EOF
	}
	m.taken = true
	return m, nil
}

func (m *memory) Read(p []byte) (int, error) {
	if m.left == 0 {
		close(m.ended)
		return 0, io.EOF
	}
	m.left--
	n := copy(p, m.requests[m.next])
	if m.next++; m.next == len(m.requests) {
		m.next = 0
	}
	return n, nil
}

func (m *memory) Write(p []byte) (int, error)        { return len(p), nil }
func (m *memory) Close() error                       { return nil }
func (m *memory) Addr() net.Addr                     { return &net.UnixAddr{Net: "unix"} }
func (m *memory) RemoteAddr() net.Addr               { return m.Addr() }
func (m *memory) SetReadDeadline(t time.Time) error  { return nil }
func (m *memory) SetWriteDeadline(t time.Time) error { return nil }
