package main_test

import (
	"crypto/x509"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ocspcgi/lib/pkitest"
)

const (
	rootDir = "testdata/ca"
	subDir  = "testdata/ca/intermediate"
)

// The files of testdata are made by a script and changed by nobody: these tests
// say that what it made agrees with itself, and is what README.md says.

func TestIndexAndCertificatesAgree(t *testing.T) {
	for dir, caFile := range map[string]string{
		rootDir: "certs/ca.cert.pem",
		subDir:  "certs/intermediate.cert.pem",
	} {
		ca := pkitest.ReadCertificate(t, filepath.Join(dir, caFile))
		rows := indexRows(t, dir)
		if rows[0][3] != "1000" {
			t.Errorf("%s begins with serial %s, want 1000 in both", dir, rows[0][3])
		}
		for _, row := range rows {
			c := pkitest.ReadCertificate(t, filepath.Join(dir, "newcerts", row[3]+".pem"))
			if err := c.CheckSignatureFrom(ca); err != nil {
				t.Errorf("%s %s: %v", dir, row[3], err)
			}
			if got := fmt.Sprintf("%X", c.SerialNumber); got != row[3] {
				t.Errorf("%s %s: its certificate has serial %s", dir, row[3], got)
			}
			if got := c.NotAfter.Format("060102150405Z"); got != row[1] && "20"+got != row[1] {
				t.Errorf("%s %s: expires %s, its certificate %s", dir, row[3], row[1], got)
			}
			if !strings.HasSuffix(row[5], "/CN="+c.Subject.CommonName) {
				t.Errorf("%s %s: is %s, its certificate %s", dir, row[3], row[5], c.Subject)
			}
		}
		made, err := filepath.Glob(filepath.Join(dir, "newcerts", "*.pem"))
		if err != nil || len(made) != len(rows) {
			t.Errorf("%s: %d rows, %d certificates, %v", dir, len(rows), len(made), err)
		}
	}
}

// Each row of the tables in README.md names a certificate and what became of it.
func TestIndexIsAsDescribed(t *testing.T) {
	readme := text(t, "testdata/README.md")
	for _, row := range slices.Concat(indexRows(t, rootDir), indexRows(t, subDir)) {
		name := row[5][strings.LastIndex(row[5], "=")+1:]
		_, described, found := strings.Cut(readme, "| "+row[3]+" | "+name+" | ")
		described, _, _ = strings.Cut(described, "\n")
		want := map[string]string{"V": "", "R": "revoked", "E": "row `E`"}[row[0]]
		if _, reason, ok := strings.Cut(row[2], ","); ok {
			reason, _, _ = strings.Cut(reason, ",")
			want += ": " + reason
		}
		if !found || !strings.Contains(described, want) || row[0] == "V" && strings.Contains(described, "revoked") {
			t.Errorf("row %q: README.md says %q", row, described)
		}
	}
}

func TestKeysFitTheirCertificates(t *testing.T) {
	keys, err := filepath.Glob(rootDir + "/private/*.key.pem")
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob(subDir + "/private/*.key.pem")
	if err != nil {
		t.Fatal(err)
	}
	keys = append(keys, more...)
	if len(keys) < 8 {
		t.Fatalf("only %d keys: %q", len(keys), keys)
	}
	for _, key := range keys {
		cert := strings.NewReplacer("/private/", "/certs/", ".key.", ".cert.").Replace(key)
		public := pkitest.OpenSSL(t, "pkey", "-in", key, "-passin", "pass:sesame", "-pubout")
		if public != pkitest.OpenSSL(t, "x509", "-in", cert, "-noout", "-pubkey") {
			t.Errorf("%s is not the key of %s", key, cert)
		}
	}
	encrypted := subDir + "/private/ocsp.example.com.key.pem"
	if !strings.Contains(text(t, encrypted), "ENCRYPTED") {
		t.Errorf("%s is not encrypted", encrypted)
	}
	if !strings.Contains(text(t, "testdata/README.md"), "`sesame`") {
		t.Error("README.md does not tell the pass phrase")
	}
}

func TestChainLastsForYears(t *testing.T) {
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(pkitest.ReadCertificate(t, rootDir+"/certs/ca.cert.pem"))
	if !between.AppendCertsFromPEM([]byte(text(t, subDir+"/certs/ca-chain.cert.pem"))) {
		t.Fatal("no certificates in the chain")
	}
	for _, name := range []string{"test", "staple", "ocsp", "ocsp-p256", "ocsp-ed25519"} {
		c := pkitest.ReadCertificate(t, subDir+"/certs/"+name+".example.com.cert.pem")
		for year := 2026; year <= 2045; year++ {
			_, err := c.Verify(x509.VerifyOptions{
				Roots: roots, Intermediates: between,
				KeyUsages:   []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
				CurrentTime: time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC),
			})
			if err != nil {
				t.Errorf("%s in %d: %v", name, year, err)
			}
		}
	}
}

func TestRecordedRequests(t *testing.T) {
	for name, want := range map[string][]string{
		"nonce":       {"Hash Algorithm: sha1", "Serial Number: 1003", "OCSP Nonce"},
		"no-nonce":    {"Hash Algorithm: sha1", "Serial Number: 1003"},
		"revoked":     {"Serial Number: 1006"},
		"unknown":     {"Serial Number: 2001"},
		"root":        {"Serial Number: 1000"},
		"sha256":      {"Hash Algorithm: sha256", "Serial Number: 1003"},
		"sha384":      {"Hash Algorithm: sha384", "Serial Number: 1003"},
		"sha512":      {"Hash Algorithm: sha512", "Serial Number: 1003"},
		"several":     {"Serial Number: 1003", "Serial Number: 1006", "Serial Number: 2001"},
		"two-issuers": {"Serial Number: 1002", "Serial Number: 1002"},
		"signed":      {"Serial Number: 1003", "OCSP Nonce", "Signature Algorithm: ecdsa-with-SHA256"},
	} {
		t.Run(name, func(t *testing.T) {
			said := pkitest.OpenSSL(t, "ocsp", "-reqin", "testdata/requests/"+name+".der", "-req_text")
			rest := said
			for _, w := range want {
				_, after, ok := strings.Cut(rest, w)
				if !ok {
					t.Errorf("no %q in\n%s", w, said)
				}
				rest = after
			}
			if strings.Contains(rest, "Serial Number: 1") && name != "signed" {
				t.Errorf("more than %q in\n%s", want, said)
			}
			if hasNonce := strings.Contains(said, "OCSP Nonce"); hasNonce != slices.Contains(want, "OCSP Nonce") {
				t.Errorf("nonce is there: %v\n%s", hasNonce, said)
			}
		})
	}
}

func TestCommittedCAIsSmall(t *testing.T) {
	var size int64
	for _, dir := range []string{"testdata/ca", "testdata/requests"} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			info, err := d.Info()
			size += info.Size()
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if size > 200_000 {
		t.Errorf("%d bytes, want no more than 200,000", size)
	}
}

func indexRows(t *testing.T, dir string) (rows [][]string) {
	t.Helper()
	for line := range strings.Lines(text(t, filepath.Join(dir, "index.txt"))) {
		row := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(row) != 6 {
			t.Fatalf("%s/index.txt: %q", dir, line)
		}
		rows = append(rows, row)
	}
	return rows
}

func text(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
