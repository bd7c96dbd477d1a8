package conformance_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/servertest"
	"ocspcgi/lib/wire"
)

// site serves TLS with a certificate, stapling what the program answers for it,
// and returns its address.
func (k *kit) site(t *testing.T, leaf *pkitest.Leaf, flags ...string) (address string) {
	t.Helper()
	dir := servertest.Room(t)
	staple := filepath.Join(dir, "staple.der")
	answer := k.http(t, request(list(k.ca.id(content(leaf)...)))).body
	if err := os.WriteFile(staple, answer, 0o644); err != nil {
		t.Fatal(err)
	}
	servertest.Own(t, leaf.Key)
	address = servertest.FreeAddress(t)
	servertest.Start(t, dir, address, "openssl", append([]string{"s_server", "-accept", address, "-www",
		"-cert", leaf.Cert, "-key", leaf.Key, "-status_file", staple}, flags...)...)
	return address
}

// said returns what a client wrote, and whether it was content.
func said(t *testing.T, name string, args ...string) (out string, content bool) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader("")
	text, err := cmd.CombinedOutput()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatal(err)
	}
	return string(text), err == nil
}

func (k *kit) curl(t *testing.T, address string) (string, bool) {
	t.Helper()
	return said(t, "curl", "-sS", "--cacert", k.Cert, "--cert-status", "https://"+address+"/")
}

func TestStapling(t *testing.T) {
	k := newKit(t)
	k.reachable(t)
	good := k.site(t, k.Good, "-cert_chain", k.Cert)
	host, port, _ := strings.Cut(good, ":")
	for _, client := range [][]string{
		{"curl", "-sS", "--cacert", k.Cert, "--cert-status", "https://" + good + "/"},
		{"gnutls-cli", "--x509cafile", k.Cert, "--ocsp", "-p", port, host},
		{"openssl", "s_client", "-connect", good, "-CAfile", k.Cert, "-status", "-verify_return_error"},
	} {
		t.Run("STP-01 "+client[0], func(t *testing.T) {
			if out, content := said(t, client[0], client[1:]...); !content || client[0] == "openssl" && !strings.Contains(out, "Cert Status: good") {
				t.Error(out)
			}
		})
	}
	t.Run("STP-02 the one asked for is the first", func(t *testing.T) {
		a, b := k.ca.id(k.good...), k.ca.id(k.revoked...)
		for _, id := range [][]byte{a, b} {
			answer, err := wire.ParseResponse(k.http(t, request(list(id))).body)
			if err != nil || len(answer.Singles) != 1 || string(answer.Singles[0].CertID) != string(id) {
				t.Errorf("%v: %+v", err, answer)
			}
		}
	})
	t.Run("STP-03 a stapled unknown is refused", func(t *testing.T) {
		if out, content := k.curl(t, k.site(t, k.Unknown, "-cert_chain", k.Cert)); content || !strings.Contains(out, "(91)") {
			t.Error(out)
		}
	})
	t.Run("STP-04 curl without the issuer in the chain", func(t *testing.T) {
		if out, content := k.curl(t, k.site(t, k.Good)); content || !strings.Contains(out, "OCSP") {
			t.Error(out)
		}
	})
	t.Run("STP-05 nginx staples nothing to the first client", k.nginxStaples)
	t.Run("STP-06 the CA above answers for the one below", func(t *testing.T) {
		sub := k.Intermediate("sub")
		leaf, signer := sub.Issue("leaf"), sub.OCSPSigner("ocsp")
		lower := k.settings(k.Signer) + fmt.Sprintf("[[issuer]]\nCA = %q\nindex = %q\nrsigner = %q\nrkey = %q\n", sub.Cert, sub.Index, signer.Cert, signer.Key)
		two := start(t, lower)
		serial := sub.Certificate.SerialNumber.Bytes()
		above := k.said(wire.Good, k.ca.id(serial...), nil)
		if err := above.check(two.http(t, request(list(k.ca.id(serial...)))), false); err != nil {
			t.Error(err)
		}
		id := authorityOf(sub.Certificate).id(content(leaf)...)
		below := want{said: []wire.CertStatus{wire.Good}, ids: [][]byte{id}, by: signer.Certificate, ca: sub.Certificate}
		if err := below.check(two.http(t, request(list(id))), false); err != nil {
			t.Error(err)
		}
	})
}

// nginxStaples starts nginx as a site that asks by itself.
func (k *kit) nginxStaples(t *testing.T) {
	dir, address := servertest.Room(t), servertest.FreeAddress(t)
	chain := filepath.Join(dir, "chain.pem")
	for _, cert := range []string{k.Good.Cert, k.Cert} {
		servertest.WriteFile(t, chain, servertest.ReadFile(t, chain)+servertest.ReadFile(t, cert))
	}
	servertest.WriteFile(t, filepath.Join(dir, "key.pem"), servertest.ReadFile(t, k.Good.Key))
	config := filepath.Join(dir, "nginx.conf")
	servertest.WriteFile(t, config, fmt.Sprintf(`pid %[1]s/pid; error_log stderr; daemon off;
events {}
http {
	access_log off; client_body_temp_path %[1]s/1; proxy_temp_path %[1]s/2; fastcgi_temp_path %[1]s/3; uwsgi_temp_path %[1]s/4; scgi_temp_path %[1]s/5;
	server {
		listen %[2]s ssl; ssl_certificate %[1]s/chain.pem; ssl_certificate_key %[1]s/key.pem; ssl_trusted_certificate %[1]s/chain.pem;
		ssl_stapling on; ssl_stapling_verify on; ssl_stapling_responder http://%[3]s/ocsp;
	}
}
`, dir, address, k.address))
	servertest.Start(t, dir, address, "nginx", "-c", config, "-p", dir)
	handshake := func() string {
		out, _ := said(t, "openssl", "s_client", "-connect", address, "-CAfile", k.Cert, "-status")
		return out
	}
	if out := handshake(); !strings.Contains(out, "OCSP response: no response sent") {
		t.Error("something is stapled for the first client")
	}
	out := ""
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if out = handshake(); strings.Contains(out, "Cert Status: good") {
			return
		}
	}
	t.Error(out)
}
