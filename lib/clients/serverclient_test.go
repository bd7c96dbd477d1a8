package clients_test

import (
	"fmt"
	"strings"
	"testing"

	"ocspcgi/lib/pkitest"
)

// These servers staple what they have from the responder.

// nginxStaples is stapled by nginx. The handshake that begins the fetch is not.
func nginxStaples(t testing.TB, s *scene, leaf *pkitest.Leaf) string {
	w := nginxSite(t, s, leaf, nginxStapling(s))
	eventually(t, "nginx staples, or says why not", func() bool {
		return s.handshake(t, w.address) != nil || strings.Contains(w.errorLog(t), "certificate status")
	})
	return s.stapled(t, w.address)
}

func nginxStapling(s *scene) string {
	return fmt.Sprintf(`ssl_stapling on;
        ssl_stapling_verify on;
        ssl_trusted_certificate %s;`, s.Cert)
}

// apacheStaples is stapled by Apache, which fetches it during the handshake.
func apacheStaples(directive string) ask {
	return func(t testing.TB, s *scene, leaf *pkitest.Leaf) string {
		return s.stapled(t, apacheSite(t, s, leaf, "SSLUseStapling on\n"+directive).address)
	}
}

func haproxyStaples(t testing.TB, s *scene, leaf *pkitest.Leaf) string {
	w := haproxySite(t, s, leaf)
	got := s.stapled(t, w.address)
	if got == "staples nothing" && !strings.Contains(w.Output(t), "OCSP single response: certificate status is unknown. Content will be ignored.") {
		return w.Output(t)
	}
	return got
}

// These servers ask about the certificate of their client.

func nginxChecks(t testing.TB, s *scene, leaf *pkitest.Leaf) string {
	w := nginxSite(t, s, s.Good, fmt.Sprintf(`ssl_verify_client on;
        ssl_client_certificate %s;
        ssl_ocsp leaf;`, s.Cert))
	return visit(t, s, w, leaf)
}

func apacheChecks(t testing.TB, s *scene, leaf *pkitest.Leaf) string {
	w := apacheSite(t, s, s.Good, fmt.Sprintf(`SSLVerifyClient require
    SSLCACertificateFile %s
    SSLOCSPEnable leaf`, s.Cert))
	return visit(t, s, w, leaf)
}

// visit fetches a page with a client certificate.
func visit(t testing.TB, s *scene, w *web, leaf *pkitest.Leaf) string {
	t.Helper()
	out, status := run(t, "curl", "-sS", "--cacert", s.Cert, "--cert", leaf.Cert, "--key", leaf.Key,
		"-o", "/dev/null", "-w", "HTTP %{http_code}\n", "https://"+w.address+"/hello")
	return judge(out+w.errorLog(t), status,
		verdict{0, `HTTP 200\n`, "lets in"},
		verdict{0, `(?s)HTTP 400\n.*client SSL certificate verify error: certificate revoked `, "HTTP 400"},
		verdict{0, `(?s)HTTP 400\n.*client SSL certificate verify error: certificate status unknown `, "HTTP 400"},
		verdict{56, `(?s)alert certificate revoked.*certificate status: revoked`, "alert certificate_revoked"},
		verdict{56, `(?s)alert handshake failure.*certificate status: unknown`, "alert handshake_failure"})
}
