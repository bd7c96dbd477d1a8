package clients_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/servertest"
)

// These clients ask the responder themselves.

// goClient asks by GET, and has x/crypto/ocsp verify the answer.
func goClient(t testing.TB, s *scene, leaf *pkitest.Leaf) string {
	site := servertest.Site{Responder: s.Responder, URL: s.URL}
	return strings.TrimPrefix(site.Get(t, leaf), "200 ")
}

// opensslClient ends with status 0 whatever the answer is: the text tells.
func opensslClient(t testing.TB, s *scene, leaf *pkitest.Leaf) string {
	out := pkitest.Ask(t, s.URL, s.CA, leaf)
	if strings.Contains(out, "WARNING") {
		return "the nonce is missing: " + out
	}
	return find(out, `(?m)^[^ ]+: (good|revoked|unknown)$`)
}

// ocsptoolClient asks where the certificate says. It ends with status 0 whatever
// the answer is.
func ocsptoolClient(flags ...string) ask {
	return func(t testing.TB, s *scene, leaf *pkitest.Leaf) string {
		out, status := run(t, "ocsptool", append([]string{"--ask", "--load-cert", leaf.Cert, "--load-issuer", s.Cert}, flags...)...)
		said := func(word string) verdict {
			return verdict{0, `(?s)Certificate Status: ` + word + `\n.*Verifying OCSP Response: Success\.`, word}
		}
		return judge(out, status, said("good"), said("revoked"), said("unknown"))
	}
}

// pkiClient verifies a certificate online. To strongSwan, unknown is no status.
func pkiClient(t testing.TB, s *scene, leaf *pkitest.Leaf) string {
	out, status := run(t, "pki", "--verify", "--online", "--in", leaf.Cert, "--cacert", s.Cert)
	const signed = `(?s)ocsp response correctly signed by .*`
	return judge(out, status,
		verdict{0, signed + `certificate status is good\n`, "good"},
		verdict{1, signed + `certificate was revoked on .*, reason: key compromise\n`, "revoked"},
		verdict{0, signed + `contains no status on our certificate\n.*revocation checking failed`, "status not available"})
}

// nssClient asks by GET where the certificate says. It ends with status 0
// whatever the answer is.
func nssClient(t testing.TB, s *scene, leaf *pkitest.Leaf) string {
	db := "sql:" + t.TempDir()
	for _, args := range [][]string{
		{"-N", "--empty-password"},
		{"-A", "-n", "ca", "-t", "CT,C,C", "-a", "-i", s.Cert},
		{"-A", "-n", "leaf", "-t", ",,", "-a", "-i", leaf.Cert},
	} {
		if out, status := run(t, "certutil", append(args, "-d", db)...); status != 0 {
			t.Fatalf("certutil: %s", out)
		}
	}
	out, status := run(t, "ocspclnt", "-S", "leaf", "-d", db)
	return judge(out, status,
		verdict{0, `Check of certificate "leaf" succeeded`, "good"},
		verdict{0, `Peer's Certificate has been revoked`, "revoked"},
		verdict{0, `The OCSP server has no status for the certificate`, "unknown"})
}

// botanClient asks where the certificate says. It ends with status 0 whatever
// the answer is.
func botanClient(t testing.TB, s *scene, leaf *pkitest.Leaf) string {
	out, status := run(t, "botan", "ocsp_check", leaf.Cert, s.Cert)
	return judge(out, status,
		verdict{0, `OCSP check OK`, "good"},
		verdict{0, `OCSP check failed Certificate is revoked`, "revoked"},
		verdict{0, `OCSP check failed OCSP bad status`, "bad status"})
}

// stunnelClient connects to a server with this certificate.
func stunnelClient(option string) ask {
	return func(t testing.TB, s *scene, leaf *pkitest.Leaf) string {
		server := serveTLS(t, s, leaf)
		dir, address := servertest.Room(t), servertest.FreeAddress(t)
		config := filepath.Join(dir, "stunnel.conf")
		servertest.WriteFile(t, config, fmt.Sprintf(`foreground = yes
pid =
debug = info
[client]
client = yes
accept = %s
connect = %s
CAfile = %s
verifyChain = yes
%s
`, address, server, s.Cert, strings.ReplaceAll(option, "URL", s.URL)))
		stunnel := servertest.Start(t, dir, address, "stunnel", config)
		connects := 0
		if resp, err := http.Get("http://" + address + "/"); err != nil {
			connects = 1
		} else {
			resp.Body.Close()
		}
		return judge(stunnel.Output(t), connects,
			verdict{0, `OCSP: Status: good\n`, "connects"},
			verdict{1, `(?s)OCSP: Status: revoked\n.*OCSP: Certificate revoked: 1: keyCompromise\n.*Rejected by OCSP`, "refuses"},
			verdict{1, `(?s)OCSP: Status: unknown\n.*Rejected by OCSP`, "refuses"})
	}
}

// These clients connect to a site that staples the answer.

func curlClient(t testing.TB, s *scene, leaf *pkitest.Leaf) string {
	out, status := curl(t, s, serveStapled(t, s, leaf))
	return judge(out, status,
		verdict{0, ``, "connects"},
		verdict{91, `SSL certificate revocation reason: keyCompromise`, "refuses"},
		verdict{91, `SSL server certificate status verification FAILED`, "refuses"})
}

func curl(t testing.TB, s *scene, address string) (out string, status int) {
	t.Helper()
	return run(t, "curl", "-sS", "--cert-status", "--cacert", s.Cert, "-o", "/dev/null", "https://"+address+"/")
}

func gnutlsClient(t testing.TB, s *scene, leaf *pkitest.Leaf) string {
	out, status := gnutls(t, s, serveStapled(t, s, leaf))
	return judge(out, status,
		verdict{0, `(?s)The certificate is trusted\. .*Options: .*OCSP status request`, "connects"},
		verdict{1, `The certificate chain is revoked\.`, "refuses"})
}

// gnutlsOnline has gnutls-cli ask about the certificate by itself.
func gnutlsOnline(t testing.TB, s *scene, leaf *pkitest.Leaf) string {
	out, status := gnutls(t, s, serveTLS(t, s, leaf, "-cert_chain", s.Cert), "--ocsp")
	return judge(out, status,
		verdict{0, `OCSP server flags certificate not revoked as of`, "connects"},
		verdict{1, `Certificate was revoked at`, "refuses"})
}

func gnutls(t testing.TB, s *scene, address string, flags ...string) (out string, status int) {
	t.Helper()
	host, port, _ := strings.Cut(address, ":")
	return run(t, "gnutls-cli", append([]string{"--x509cafile", s.Cert, "-p", port, host}, flags...)...)
}
