// Command peers is the least that a FastCGI program in Go does.
//
//	peers bare SOCKET LENGTH     a loop over records, one write an answer
//	peers sign SOCKET LENGTH     the same, with a signature by P-256 before each
//	peers std SOCKET LENGTH      net/http/fcgi
//
// All answer each request with LENGTH bytes of STDOUT made before.
package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"net"
	"net/http"
	"net/http/fcgi"
	"os"
	"strconv"
)

const (
	endRequest = 3
	stdin      = 5
	stdout     = 6
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("want three arguments, have %d", len(args))
	}
	length, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	l, err := net.Listen("unix", args[1])
	if err != nil {
		return err
	}
	if err := os.Chmod(args[1], 0o666); err != nil {
		return err
	}
	before := func() error { return nil }
	switch args[0] {
	case "std":
		body := make([]byte, length)
		return fcgi.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(body) }))
	case "sign":
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return err
		}
		before = func() error {
			_, err := key.Sign(rand.Reader, make([]byte, crypto.SHA256.Size()), crypto.SHA256)
			return err
		}
	}
	return bare(l, answer(length), before)
}

// answer is STDOUT of that length, its end, and END_REQUEST.
func answer(length int) []byte {
	header := ""
	for range 2 { // the length of the header hangs on the number in it
		header = fmt.Sprintf("Content-Type: application/ocsp-response\r\nContent-Length: %d\r\n\r\n", length-len(header))
	}
	out := record(nil, stdout, append([]byte(header), make([]byte, length-len(header))...))
	return record(record(out, stdout, nil), endRequest, make([]byte, 8))
}

func record(out []byte, kind byte, content []byte) []byte {
	out = append(out, 1, kind, 0, 1, byte(len(content)>>8), byte(len(content)), 0, 0)
	return append(out, content...)
}

// bare looks for the empty STDIN, does what comes before an answer, and writes
// answer, which is for request 1.
func bare(l net.Listener, answer []byte, before func() error) error {
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go loop(c, answer, before)
	}
}

func loop(c net.Conn, answer []byte, before func() error) {
	defer c.Close()
	buf := make([]byte, 64<<10)
	r, w := 0, 0
	for {
		for w-r >= 8 {
			size := 8 + int(binary.BigEndian.Uint16(buf[r+4:])) + int(buf[r+6])
			if w-r < size {
				break
			}
			if buf[r+1] == stdin && size == 8 {
				if err := before(); err != nil {
					return
				}
				if _, err := c.Write(answer); err != nil {
					return
				}
			}
			r += size
		}
		w = copy(buf, buf[r:w])
		r = 0
		n, err := c.Read(buf[w:])
		if err != nil {
			return
		}
		w += n
	}
}
