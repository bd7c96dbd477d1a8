package responder_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/responder"
)

// What is in an answer, and what is not, by its bytes.
func TestShape(t *testing.T) {
	b := newBench(t, func(r *responder.Responder, _ *responder.Files) { r.Unassigned = responder.Revoked })
	good, resp := b.ask(t, b.request(t, b.Good, "-sha256", "-no_nonce"), ocsp.Success)
	revoked, _ := b.ask(t, b.request(t, b.Company.Revoked, "-no_nonce"), ocsp.Success)
	never, extended := b.ask(t, b.request(t, b.Unknown, "-no_nonce"), ocsp.Success)
	critical := []byte("\x01\x01\xff")
	for _, test := range []struct {
		row string
		ok  bool
	}{
		{"RSP-10 no version", bytes.HasPrefix(resp.TBS[2:], []byte("\xa2\x16\x04\x14")) || bytes.HasPrefix(resp.TBS[3:], []byte("\xa2\x16\x04\x14"))},
		{"RSP-15 one answer with the hash that was asked with", len(resp.Singles) == 1 && bytes.Contains(resp.Singles[0].CertID, []byte("\x60\x86\x48\x01\x65\x03\x04\x02\x01"))},
		{"RSP-20 extended-revoke is not critical", extended.ExtendedRevoke && bytes.Contains(never.DER, []byte("\x30\x0f\x06\x09\x2b\x06\x01\x05\x05\x07\x30\x01\x09\x04\x02\x05\x00"))},
		{"RSP-29 no crlReferences", !bytes.Contains(revoked.DER, []byte("\x2b\x06\x01\x05\x05\x07\x30\x01\x03"))},
		{"RSP-30 no reasonCode in singleExtensions", !bytes.Contains(revoked.DER, []byte("\x06\x03\x55\x1d\x15"))},
		{"RSP-31 nothing is critical", !bytes.Contains(resp.TBS, critical) && !bytes.Contains(extended.TBS, critical)},
		{"RSP-32 no responseExtensions", resp.Nonce == nil && !resp.ExtendedRevoke && !bytes.Contains(good.DER, []byte("\xa1\x02\x30\x00"))},
		{"SGN-11 one certificate", len(resp.Certificates) == 1},
	} {
		t.Run(test.row, func(t *testing.T) {
			if !test.ok {
				t.Errorf("good %x\nrevoked %x\nnever issued %x", good.DER, revoked.DER, never.DER)
			}
		})
	}
}

// Apache staples nothing over 10,239 bytes, nginx and HAProxy have 16,384 for
// header and body.
func TestSizes(t *testing.T) {
	for _, test := range []struct {
		row, ca, signer string // kinds of keys; no signer: the CA signs
		most            int
	}{
		{"RSP-37 P-256", "p256", "p256", 1000},
		{"RSP-37 RSA 2048", "rsa2048", "rsa2048", 1600},
		{"RSP-37 RSA 4096", "p256", "rsa4096", 2700},
		{"RSP-37 the CA signs", "rsa2048", "", 1600},
	} {
		t.Run(test.row, func(t *testing.T) {
			ca := pkitest.New(t, pkitest.Key(test.ca))
			signer := &pkitest.Signer{Leaf: pkitest.Leaf{Cert: ca.Cert, Key: ca.Key}}
			if test.signer != "" {
				signer = ca.OCSPSigner("ocsp", pkitest.Key(test.signer))
			}
			b := newBench(t, nil)
			issuer := open(t, filesOf(ca, signer), b.index(t, ca))
			b.Serve(issuer)
			b.now = ca.Certificate.NotBefore.AddDate(0, 0, 1)
			answer, _ := b.ask(t, pkitest.Request(t, ca, nil, "-serial", "0x1000"), ocsp.Success)
			if n := len(answer.DER); n > test.most {
				t.Errorf("%d bytes, at the most %d", n, test.most)
			}
			if w := issuer.Warnings(); len(w) > 0 {
				t.Errorf("warned: %q", w)
			}
		})
	}
	t.Run("SGN-18 what cannot be stapled is warned of", func(t *testing.T) {
		b := newBench(t, nil)
		files := filesOf(b.CA, b.Signer)
		for range 30 {
			files.Other = append(files.Other, b.CA.Cert)
		}
		w := open(t, files, nil).Warnings()
		if len(w) != 1 || !strings.Contains(w[0], "the test") || !strings.Contains(w[0], "Apache") {
			t.Errorf("warned: %q", w)
		}
	})
}

// openssl reads every answer that there is.
func TestOpenSSLReads(t *testing.T) {
	b := newBench(t, func(r *responder.Responder, _ *responder.Files) { r.Unassigned, r.Archive = responder.Revoked, day })
	requests := seeds(t, b.CA)
	dir := t.TempDir()
	for _, row := range []string{"RSP-09 openssl reads every answer", "RSP-35 openssl finds no byte too many"} {
		t.Run(row, func(t *testing.T) {
			for _, request := range requests {
				answer := b.Respond(t.Context(), request)
				path := filepath.Join(dir, "answer.der")
				if err := os.WriteFile(path, answer.DER, 0o600); err != nil {
					t.Fatal(err)
				}
				out, err := exec.Command("openssl", "ocsp", "-respin", path, "-noverify", "-resp_text").CombinedOutput()
				if err != nil && answer.Status == ocsp.Success || !bytes.Contains(out, []byte("OCSP Response")) && !bytes.Contains(out, []byte("Responder Error")) {
					t.Errorf("%v: %s\nof %x", err, out, answer.DER)
				}
			}
		})
	}
}
