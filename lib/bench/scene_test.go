package bench_test

import (
	"bufio"
	"bytes"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math/big"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/servertest"
)

// peer is a FastCGI program that is measured beside ours.
type peer struct {
	socket  string
	process *servertest.Process
}

// ours starts the program on a socket, with settings of its own.
func ours(b *testing.B, r *servertest.Responder, args ...string) peer {
	b.Helper()
	p := peer{socket: filepath.Join(servertest.Room(b), "s")}
	args = append([]string{"-config", r.Config, "-listen", "unix:" + p.socket, "-listen_mode", "0666", "-cache_bytes", "512M"}, args...)
	if !slices.Contains(args, "-log_level") {
		args = append(args, "-log_level", "warn")
	}
	p.process = servertest.Start(b, r.Dir, "unix:"+p.socket, r.Program, args...)
	return p
}

// bare is the loop in Go, signer is that loop with a signature for each answer, std
// is net/http/fcgi; all answer with so many bytes.
func bare(b *testing.B, length int) peer   { return goPeer(b, "bare", length) }
func signer(b *testing.B, length int) peer { return goPeer(b, "sign", length) }
func std(b *testing.B, length int) peer    { return goPeer(b, "std", length) }

func goPeer(b *testing.B, kind string, length int) peer {
	b.Helper()
	dir := servertest.Room(b)
	path := filepath.Join(dir, "peers")
	build(b, "go", "build", "-ldflags", "-s -w", "-o", path, "./testdata/peers")
	p := peer{socket: filepath.Join(dir, "s")}
	p.process = servertest.Start(b, dir, "unix:"+p.socket, path, kind, p.socket, strconv.Itoa(length))
	return p
}

// libfcgi is an empty handler of the C library.
func libfcgi(b *testing.B, threads, length int) peer {
	b.Helper()
	dir := servertest.Room(b)
	path := filepath.Join(dir, "libfcgi")
	build(b, "gcc", "-O2", "-Wall", "-o", path, "testdata/libfcgi.c", "-lfcgi", "-lpthread")
	p := peer{socket: filepath.Join(dir, "s")}
	p.process = servertest.Start(b, dir, "unix:"+p.socket, path, p.socket, strconv.Itoa(threads), strconv.Itoa(length))
	return p
}

func build(b *testing.B, name string, args ...string) {
	b.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%s: %v\n%s", cmd, err, out)
	}
}

// request asks for a certificate of ca by its serial number.
func request(b testing.TB, ca *pkitest.CA, serial []byte) []byte {
	b.Helper()
	leaf := &x509.Certificate{SerialNumber: new(big.Int).SetBytes(serial)}
	der, err := ocsp.CreateRequest(leaf, ca.Certificate, nil)
	if err != nil {
		b.Fatal(err)
	}
	return der
}

// grow adds rows to an index, a tenth of them revoked.
func grow(b testing.TB, path string, rows int, serial func(int) []byte) {
	b.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	var line []byte
	for i := range rows {
		line = append(line[:0], "V\t460101000000Z\t\t"...)
		if i%10 == 9 {
			line = append(line[:0], "R\t460101000000Z\t251119120000Z,superseded\t"...)
		}
		line = append(line, capitals(serial(i))...)
		line = append(line, "\tunknown\t/C=XX/O=Example Company/CN=host-"...)
		line = strconv.AppendInt(line, int64(i), 10)
		line = append(line, ".example.com\n"...)
		if _, err := w.Write(line); err != nil {
			b.Fatal(err)
		}
	}
	if err := errors.Join(w.Flush(), f.Close()); err != nil {
		b.Fatal(err)
	}
}

// sequential serial numbers count up, as those of openssl ca without -rand_serial.
func sequential(i int) []byte { return binary.BigEndian.AppendUint32(nil, 1<<28+uint32(i)) }

// random serial numbers have 128 bits, the same ones each time.
func random(i int) []byte {
	r := rand.NewPCG(uint64(i), 7)
	serial := binary.BigEndian.AppendUint64(nil, r.Uint64()&^(1<<63)|1<<62)
	return binary.BigEndian.AppendUint64(serial, r.Uint64())
}

func capitals(serial []byte) []byte { return bytes.ToUpper([]byte(hex.EncodeToString(serial))) }
