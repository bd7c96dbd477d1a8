package clients_test

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/servertest"
)

// fetch writes the answer for a certificate to a file, as it is done daily for
// servers that staple a file.
func (s *scene) fetch(t testing.TB, leaf *pkitest.Leaf, path string) {
	t.Helper()
	pkitest.OpenSSL(t, "ocsp", "-issuer", s.Cert, "-cert", leaf.Cert, "-url", s.URL, "-CAfile", s.Cert, "-no_nonce", "-respout", path)
}

// serveTLS starts openssl s_server with a certificate and flags more, and
// returns its address.
func serveTLS(t testing.TB, s *scene, leaf *pkitest.Leaf, flags ...string) string {
	t.Helper()
	address := servertest.FreeAddress(t)
	servertest.Start(t, servertest.Room(t), address, "openssl",
		append([]string{"s_server", "-accept", address, "-cert", leaf.Cert, "-key", leaf.Key, "-www"}, flags...)...)
	return address
}

// serveStapled starts openssl s_server as a site that staples the answer for its
// certificate, with the CA's in its chain.
func serveStapled(t testing.TB, s *scene, leaf *pkitest.Leaf) string {
	t.Helper()
	staple := filepath.Join(servertest.Room(t), "staple.der")
	s.fetch(t, leaf, staple)
	return serveTLS(t, s, leaf, "-status_file", staple, "-cert_chain", s.Cert)
}

// connect connects to a site and returns what it staples, nil for nothing.
func (s *scene) connect(address string) (*ocsp.Response, error) {
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate)
	dialer := tls.Dialer{NetDialer: &net.Dialer{Timeout: time.Minute}, Config: &tls.Config{RootCAs: roots, ServerName: "localhost"}}
	conn, err := dialer.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	state := conn.(*tls.Conn).ConnectionState()
	if len(state.OCSPResponse) == 0 {
		return nil, nil
	}
	return ocsp.ParseResponseForCert(state.OCSPResponse, state.PeerCertificates[0], s.Certificate)
}

// handshake is connect for a site that has to be there.
func (s *scene) handshake(t testing.TB, address string) *ocsp.Response {
	t.Helper()
	staple, err := s.connect(address)
	if err != nil {
		t.Fatal(err)
	}
	return staple
}

// stapled is the status that a site staples, as openssl s_client has it.
func (s *scene) stapled(t testing.TB, address string) string {
	t.Helper()
	out, status := run(t, "openssl", "s_client", "-connect", address, "-servername", "localhost", "-status", "-CAfile", s.Cert, "-verify_return_error")
	said := func(word string) verdict {
		return verdict{0, `(?s)OCSP Response Status: successful .*Cert Status: ` + word + `\n`, "staples " + word}
	}
	return judge(out, status, said("good"), said("revoked"), said("unknown"),
		verdict{0, `OCSP Response Status: unauthorized `, "staples unauthorized"},
		verdict{0, `OCSP response: no response sent`, "staples nothing"})
}
