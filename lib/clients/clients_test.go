package clients_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"ocspcgi/lib/pkitest"
)

// ask has a client find out about a certificate, and returns what it makes of
// the answer.
type ask func(t testing.TB, s *scene, leaf *pkitest.Leaf) string

// client is a program that has the status of certificates from the responder.
type client struct {
	row     string // of the standards, about it
	name    string
	version []string // how it says its version: a pattern, the program, its arguments
	ask     ask

	good, revoked, unknown string // what it makes of a certificate
}

var (
	openssl = []string{`OpenSSL (\S+)`, "openssl", "version"}
	gnutls3 = []string{`ocsptool (\S+)`, "ocsptool", "--version"}
	nginx   = []string{`nginx/(\S+)`, "nginx", "-v"}
	apache  = []string{`Apache/(\S+)`, "apache2", "-v"}
	xcrypto = []string{`crypto v(\S+)`, "cat", "../../go.mod"}
	stunnel = []string{`stunnel ([\d.]+)`, "stunnel", "-version"}
)

var clients = []client{
	{"CLI-01", "openssl ocsp", openssl, opensslClient, "good", "revoked", "unknown"},
	{"CLI-02", "GnuTLS ocsptool --ask", gnutls3, ocsptoolClient(), "good", "revoked", "unknown"},
	{"CLI-02", "GnuTLS ocsptool --ask --nonce", gnutls3, ocsptoolClient("--nonce"), "good", "revoked", "unknown"},
	{"CLI-03", "gnutls-cli, stapled", gnutls3, gnutlsClient, "connects", "refuses", "connects"},
	{"CLI-03", "gnutls-cli --ocsp", gnutls3, gnutlsOnline, "connects", "refuses", "connects"},
	{"CLI-04", "NSS ocspclnt", []string{`:([\d.]+)`, "dpkg-query", "-W", "libnss3-tools"}, nssClient, "good", "revoked", "unknown"},
	{"CLI-07", "Go x/crypto/ocsp, GET", xcrypto, goClient, "good", "revoked", "unknown"},
	{"CLI-09", "Botan ocsp_check", []string{`(\S+)`, "botan", "version"}, botanClient, "good", "revoked", "bad status"},
	{"CLI-11", "strongSwan pki --verify --online", []string{`strongSwan (\S+)`, "pki", "--help"}, pkiClient, "good", "revoked", "status not available"},
	{"CLI-12", "nginx ssl_stapling", nginx, nginxStaples, "staples good", "staples nothing", "staples nothing"},
	{"CLI-13", "nginx ssl_ocsp", nginx, nginxChecks, "lets in", "HTTP 400", "HTTP 400"},
	{"CLI-14", "Apache SSLUseStapling", apache, apacheStaples(""), "staples good", "staples revoked", "staples unknown"},
	{"CLI-15", "Apache SSLOCSPEnable", apache, apacheChecks, "lets in", "alert certificate_revoked", "alert handshake_failure"},
	{"CLI-16", "HAProxy, site.pem.ocsp", []string{`version ([\d.]+)`, "haproxy", "-v"}, haproxyStaples, "staples good", "staples revoked", "staples nothing"},
	{"CLI-17", "stunnel OCSPaia", stunnel, stunnelClient("OCSPaia = yes"), "connects", "refuses", "refuses"},
	{"CLI-17", "stunnel OCSP", stunnel, stunnelClient("OCSP = URL"), "connects", "refuses", "refuses"},
	{"CLI-18", "curl --cert-status, stapled", []string{`curl (\S+)`, "curl", "--version"}, curlClient, "connects", "refuses", "refuses"},
}

// TestClients has each client ask for a certificate of each status, whoever
// signs and whatever web server is between, and prints what came of it.
func TestClients(t *testing.T) {
	seen := make([][3][]string, len(clients))
	for _, set := range settings {
		t.Run(set.name, func(t *testing.T) {
			s := set.open(t)
			for i, c := range clients {
				t.Run(c.row+" "+c.name, func(t *testing.T) {
					for j, leaf := range []*pkitest.Leaf{s.Good, s.Revoked, s.Unknown} {
						got, want := c.ask(t, s, leaf), [...]string{c.good, c.revoked, c.unknown}[j]
						if got != want {
							t.Errorf("a certificate that is %s: %s, want %s", leaf.Certificate.Subject.CommonName, got, want)
							got = "**differs**"
						}
						if !slices.Contains(seen[i][j], got) {
							seen[i][j] = append(seen[i][j], got)
						}
					}
				})
			}
		})
	}
	t.Log("\n" + table(t, seen))
}

// table shows in Markdown what each client made of good, revoked and unknown.
func table(t testing.TB, seen [][3][]string) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("| client | version | good | revoked | unknown |\n| --- | --- | --- | --- | --- |\n")
	for i, c := range clients {
		if seen[i][0] == nil {
			continue // which nobody wanted to see
		}
		fmt.Fprintf(&b, "| %s | %s |", c.name, c.says(t))
		for _, words := range seen[i] {
			fmt.Fprintf(&b, " %s |", strings.Join(words, ", "))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// says is the version that a client says it is.
func (c client) says(t testing.TB) string {
	t.Helper()
	out, _ := run(t, c.version[1], c.version[2:]...)
	version := find(out, c.version[0])
	if version == "" {
		t.Errorf("%s does not say its version:\n%s", c.version[1], out)
	}
	return version
}
