package main

import (
	"net"
	"net/http"
	stdfcgi "net/http/fcgi"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"ocspcgi/lib/pkitest"
)

// emptyProgram names a socket in the environment of the test binary to make it
// a FastCGI program of the standard library with an empty handler.
const emptyProgram = "OCSPCGI_TEST_EMPTY_FASTCGI"

func serveEmpty() {
	l, err := net.Listen("unix", os.Getenv(emptyProgram))
	if err != nil {
		panic(err)
	}
	empty := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	if err := stdfcgi.Serve(l, empty); err != nil {
		panic(err)
	}
}

// BenchmarkFastCGI asks the real program for one certificate again and again,
// without a nonce, straight over its unix socket on eight kept connections; and
// in the same run, in the same way, a program of net/http/fcgi with an empty
// handler. Compare the requests/s.
func BenchmarkFastCGI(b *testing.B) {
	b.Run("ocspcgi", func(b *testing.B) {
		c := pkitest.NewCompany(b)
		p := start(b, append(c.Flags(c.Signer), "-log_level", "warn")...)
		p.ask(b, pkitest.Request(b, c.CA, c.Good, "-no_nonce"))
	})
	b.Run("ocspcgi-logging", func(b *testing.B) {
		c := pkitest.NewCompany(b)
		p := start(b, append(c.Flags(c.Signer), "-log", filepath.Join(b.TempDir(), "log"))...)
		p.ask(b, pkitest.Request(b, c.CA, c.Good, "-no_nonce"))
	})
	b.Run("ocspcgi-admin", func(b *testing.B) {
		c := pkitest.NewCompany(b)
		p := start(b, append(c.Flags(c.Signer), "-log_level", "warn", "-admin", "unix:"+filepath.Join(b.TempDir(), "s"))...)
		p.ask(b, pkitest.Request(b, c.CA, c.Good, "-no_nonce"))
	})
	b.Run("ocspcgi-nonce", func(b *testing.B) {
		c := pkitest.NewCompany(b)
		p := start(b, append(c.Flags(c.Signer), "-log_level", "warn")...)
		p.ask(b, pkitest.Request(b, c.CA, c.Good))
	})
	b.Run("net-http-fcgi-empty", func(b *testing.B) {
		p := &process{socket: filepath.Join(b.TempDir(), "s"), foreign: true}
		p.Cmd = exec.Command(os.Args[0])
		p.Env = append(os.Environ(), emptyProgram+"="+p.socket)
		p.run(b)
		p.ask(b, make([]byte, 77))
	})
}

// ask shares b.N requests between connections.
func (p *process) ask(b *testing.B, request []byte) {
	const connections = 8
	var conns [connections]*connection
	for i := range conns {
		conns[i] = p.dial(b)
	}
	b.ResetTimer()
	var done sync.WaitGroup
	records := postRecords(request)
	for i, conn := range conns {
		done.Go(func() {
			for range b.N/connections + min(1, max(0, b.N%connections-i)) {
				if _, err := conn.Write(records); err != nil {
					b.Error(err)
					return
				}
				if err := conn.skipAnswer(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	done.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}
