package bench_test

import (
	"bufio"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"net"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/servertest"
)

// measureSign asks with a nonce: each answer is signed.
func measureSign(b *testing.B) (figures []figure) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	r2048, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	for _, kind := range []struct {
		name, flag, alone string
		key               crypto.Signer
		least             float64
	}{
		{"P-256", "p256", "crypto/ecdsa on all cores", ec, 0.7},
		{"RSA-2048", "rsa2048", "crypto/rsa on all cores", r2048, 0.9},
	} {
		c := pkitest.NewCompany(b)
		c.Signer = c.OCSPSigner("bench-"+kind.flag, pkitest.Key(kind.flag))
		r := servertest.Around(b, program, c)
		der := pkitest.Request(b, c.CA, c.Good)
		what, us := "FastCGI with a nonce, "+kind.name, ours(b, r)
		peers := []contender{{kind.alone, func(d time.Duration) float64 { return signing(b, kind.key, d) }}}
		if kind.flag == "p256" { // of an RSA signature the rest is no part worth seeing
			length := len(answered(b, us.socket, posted(der)))
			peers = append(peers, askingOn(b, many, "bare loop in Go that signs", signer(b, length), posted(der)))
		}
		figures = append(figures, against(what, askingOn(b, many, "ocspcgi", us, posted(der)), peers, kind.least, 0)...)
		address := servertest.FreeAddress(b)
		r.Listen(b, address)
		figures = append(figures, against("HTTP with a nonce, "+kind.name, contender{"ocspcgi", wrk(b, connections, "http://"+address+"/", der)},
			[]contender{{"openssl ocsp -multi 2", func(d time.Duration) float64 { return openssl(b, c, der, d) }}}, 1)...)
	}
	return figures
}

// signing returns how many signatures a second a key makes on all cores, and
// nothing else.
func signing(b *testing.B, key crypto.Signer, d time.Duration) float64 {
	var group sync.WaitGroup
	var made atomic.Int64
	digest := make([]byte, crypto.SHA256.Size())
	began := time.Now()
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for time.Since(began) < d {
				if _, err := key.Sign(rand.Reader, digest, crypto.SHA256); err != nil {
					b.Error(err)
					return
				}
				made.Add(1)
			}
		})
	}
	group.Wait()
	return float64(made.Load()) / time.Since(began).Seconds()
}

// openssl returns how many answers a second openssl ocsp gives. It is started
// anew each time: once a client has hung up on it, its processes ask the closed
// connection for more until they are killed.
func openssl(b *testing.B, c *pkitest.Company, der []byte, d time.Duration) float64 {
	b.Helper()
	address := servertest.FreeAddress(b)
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command("openssl", "ocsp", "-index", c.Index, "-CA", c.Cert, "-rsigner", c.Signer.Cert, "-rkey", c.Signer.Key,
		"-ndays", "1", "-port", port, "-multi", "2")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil {
			b.Error(err)
		}
		cmd.Wait() // killed
	}()
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		b.Fatalf("openssl ocsp: %q, %v", line, err)
	}
	return wrk(b, connections, "http://"+address+"/", der)(d)
}
