package check

import (
	"bufio"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ocspcgi/lib/index"
	"ocspcgi/lib/wire"
)

// Each client has rules of its own.
func TestClientRules(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	fresh := func() *seen {
		s := &survey{
			Checker: &Checker{Now: func() time.Time { return now }},
			failed:  map[string]string{}, asked: map[string]bool{plainGET: true, plainPOST: true, oldGET: true, oldPOST: true, noncePOST: true},
			post: &reply{length: "500", body: make([]byte, 500)}, about: &subject{}, echoed: true,
			answer: &wire.OCSPResponse{Response: wire.Response{Singles: []wire.Single{{ThisUpdate: now, NextUpdate: now.Add(12 * time.Hour)}}}},
		}
		return &seen{survey: s, single: &s.answer.Singles[0]}
	}
	for _, c := range []struct {
		name string
		do   func(*seen)
		who  string
	}{
		{"nothing", func(*seen) {}, ""},
		{"10 KB", func(s *seen) { s.post.body = make([]byte, 10240) }, "Apache SSLUseStapling"},
		{"17 KB", func(s *seen) { s.post.body = make([]byte, 17000) }, "nginx ssl_stapling, Apache SSLUseStapling"},
		{"after the certificate", func(s *seen) { s.about.expires = now.Add(time.Hour) }, "CertMagic (Caddy)"},
		{"4 minutes left", func(s *seen) { s.single.NextUpdate = now.Add(4 * time.Minute) }, "HAProxy ocsp-update"},
		{"no nextUpdate", func(s *seen) { s.single.NextUpdate = time.Time{} }, "Windows, LibreSSL ocspcheck, HAProxy ocsp-update, CertMagic (Caddy)"},
		{"11 days old", func(s *seen) { s.single.ThisUpdate = now.AddDate(0, 0, -11) }, "Firefox"},
		{"two certificates", func(s *seen) { s.answer.Singles = append(s.answer.Singles, wire.Single{}) }, "HAProxy ocsp-update"},
		{"no length", func(s *seen) { s.post.length = "" }, "wolfSSL"},
		{"no nonce", func(s *seen) { s.echoed = false }, "LibreSSL ocspcheck, Apache SSLOCSPEnable"},
		{"no GET", func(s *seen) { s.failed[plainGET], s.failed[oldGET] = "404", "404" }, "Chrome (by policy), Java, nginx ssl_stapling, HAProxy ocsp-update"},
		{"no POST", func(s *seen) { s.failed[plainPOST] = "404" }, "Firefox, wolfSSL, CertMagic (Caddy)"},
		{"slashes", func(s *seen) { s.fail(&probe{name: slashGET, query: query{method: "GET"}}, nil, "404") }, "Chrome (by policy), Java, HAProxy ocsp-update"},
	} {
		s := fresh()
		c.do(s)
		var who []string
		for _, client := range clientTable() {
			if client.refuses(s) != "" {
				who = append(who, client.name)
			}
		}
		if got := strings.Join(who, ", "); got != c.who {
			t.Errorf("%s: %q, want %q", c.name, got, c.who)
		}
	}
}

// What comes over the wire is taken as it is: too much, too little, and what a
// server says in between.
func TestAsk(t *testing.T) {
	for _, c := range []struct{ answer, want string }{
		{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", `200 "ab" 2 0`},
		{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc", `200 "ab" 2 1`},
		{"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", "error: the answer breaks off after 2 bytes"},
		{"HTTP/1.0 200 OK\r\n\r\nab", `200 "ab"  0`},
		{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n", `204 "" 0 0`},
		{"nonsense", "error: "},
		{"", "error: "},
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				fmt.Fprint(conn, c.answer)
			}
		}()
		to := &target{&url.URL{Scheme: "http", Host: l.Addr().String()}}
		got := ""
		if r, err := to.ask(&query{method: "GET", path: "/M"}); err != nil {
			got = "error: " + err.Error()
		} else {
			got = fmt.Sprintf("%d %q %s %d", r.status, r.body, r.length, r.behind)
		}
		if l.Close(); !strings.HasPrefix(got, c.want) {
			t.Errorf("%q: %s, want %s", c.answer, got, c.want)
		}
	}
	if r := (&reply{status: 200, header: http.Header{"Content-Type": {responseType}}, body: []byte{0x30, 3, 10, 1, 1}, behind: 1}); true {
		if _, text := r.ocsp(); !strings.Contains(text, "1 bytes and more follow") {
			t.Errorf("a byte behind: %q", text)
		}
	}
}

// An entry that takes another one back revokes nothing.
func TestRemoveFromCRL(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), SubjectKeyId: []byte{1}, NotBefore: now, NotAfter: now.AddDate(1, 0, 0), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCRLSign}
	der, err := x509.CreateCertificate(rand.Reader, ca, ca, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if ca, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "index.txt")
	if err := os.WriteFile(path, []byte("V\t990101000000Z\t\t05\tunknown\t/CN=a\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for reason, want := range map[int]level{removeFromCRL: good, 1: fault} {
		list, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: now, NextUpdate: now.AddDate(0, 1, 0),
			RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: big.NewInt(5), RevocationTime: now, ReasonCode: reason}}}, ca, crypto.Signer(key))
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := x509.ParseRevocationList(list)
		if err != nil {
			t.Fatal(err)
		}
		live := &index.Live{Path: path}
		live.Reload(true)
		c := &Checker{}
		if c.crl("a.crl", parsed, &issuer{ca: ca, index: live}); len(c.rows) != 1 || c.rows[0].Level != want {
			t.Errorf("reason %d: %+v", reason, c.rows)
		}
	}
}
