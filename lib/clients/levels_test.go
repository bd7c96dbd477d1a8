package clients_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/servertest"
)

// TestTwoLevels has one responder answer for a root and for the CA below it:
// clients that check a whole chain ask each about its own certificates, which
// have the same serial numbers.
func TestTwoLevels(t *testing.T) {
	address := servertest.FreeAddress(t)
	s := &scene{URL: "http://" + address}
	root := pkitest.New(t)
	sub := root.Intermediate("sub", s.at())
	leaf := sub.Issue("leaf", s.at())
	s.Responder = servertest.Around(t, program, &pkitest.Company{CA: sub, Signer: sub.OCSPSigner("ocsp-sub")})
	signer := root.OCSPSigner("ocsp-root")
	for _, key := range []string{leaf.Key, signer.Key} {
		servertest.Own(t, key)
	}
	servertest.WriteFile(t, s.Config, servertest.ReadFile(t, s.Config)+fmt.Sprintf("[[issuer]]\nCA = %q\nindex = %q\nrsigner = %q\nrkey = %q\n",
		root.Cert, root.Index, signer.Cert, signer.Key))
	s.Listen(t, address)

	t.Run("STP-06 CLI-03 GnuTLS is given an answer for each", func(t *testing.T) {
		dir, site := servertest.Room(t), servertest.FreeAddress(t)
		host, port, _ := strings.Cut(site, ":")
		args := []string{"--http", "-p", port, "--x509certfile", s.chain(t, leaf), "--x509keyfile", leaf.Key}
		for name, pair := range map[string][2]string{"leaf": {sub.Cert, leaf.Cert}, "sub": {root.Cert, sub.Cert}} {
			staple := filepath.Join(dir, name+".der")
			pkitest.OpenSSL(t, "ocsp", "-issuer", pair[0], "-cert", pair[1], "-url", s.URL, "-CAfile", root.Cert, "-no_nonce", "-respout", staple)
			args = append(args, "--ocsp-response", staple)
		}
		servertest.Start(t, dir, site, "gnutls-serv", args...)
		saved := filepath.Join(dir, "saved.pem")
		out, status := run(t, "gnutls-cli", "--x509cafile", root.Cert, "--save-ocsp-multi", saved, "-p", port, host)
		if n := strings.Count(servertest.ReadFile(t, saved), "BEGIN OCSP RESPONSE"); status != 0 || n != 2 {
			t.Errorf("exit status %d, %d answers\n%s", status, n, out)
		}
	})
	verify := func() (out string, status int) {
		return run(t, "pki", "--verify", "--online", "--in", leaf.Cert, "--ca", sub.Cert, "--cacert", root.Cert)
	}
	t.Run("STP-06 CLI-11 strongSwan asks for each", func(t *testing.T) {
		out, status := verify()
		if status != 0 || strings.Count(out, "certificate status is good") != 2 {
			t.Errorf("exit status %d\n%s", status, out)
		}
		root.Revoke(&pkitest.Leaf{Cert: sub.Cert}, "CACompromise")
		eventually(t, "the CA below is revoked", func() bool {
			out, status = verify()
			return status != 0
		})
		if !strings.Contains(out, "reason: ca compromise") {
			t.Error(out)
		}
	})
}
