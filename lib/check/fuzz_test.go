package check

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// FuzzParseV1: what is read as a CRL of version 1 is none that crypto/x509 reads,
// and no entry is without a number.
func FuzzParseV1(f *testing.F) {
	indexes := []string{""}
	for _, reason := range []string{"", ",superseded", ",unspecified", ",holdInstruction,holdInstructionReject", ",CAkeyTime,20260101000000Z", ",removeFromCRL"} {
		for _, serial := range []string{"02", "7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"} {
			indexes = append(indexes, "R\t300101000000Z\t260101000000Z"+reason+"\t"+serial+"\tunknown\t/CN=b\n")
		}
	}
	for _, index := range append(indexes, indexes[1]+indexes[2]) {
		der := crlOf(f, index)
		f.Add(der)
		f.Add(der[:len(der)/2])
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		list, err := parseV1(der)
		if err != nil {
			return
		}
		if _, err := x509.ParseRevocationList(der); err == nil {
			t.Errorf("%x is of version 2", der)
		}
		for _, e := range list.RevokedCertificateEntries {
			if e.SerialNumber == nil {
				t.Errorf("%x has an entry without a number", der)
			}
		}
	})
}

// crlOf has openssl ca make a CRL.
func crlOf(t testing.TB, index string) []byte {
	t.Helper()
	dir := t.TempDir()
	const config = "[ca]\ndefault_ca = c\n[c]\ndatabase = index.txt\ncertificate = ca.pem\nprivate_key = ca.key\ndefault_md = sha256\n"
	for name, text := range map[string]string{"ca.cnf": config, "index.txt": index} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=CA"},
		{"ca", "-config", "ca.cnf", "-gencrl", "-crldays", "30", "-out", "crl.pem"},
	} {
		cmd := exec.Command("openssl", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "crl.pem"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	return block.Bytes
}

// Both kinds of CRL that openssl makes are read, and their signatures checked.
func TestVersions(t *testing.T) {
	for _, c := range []struct {
		index   string
		version int
		entries int
	}{
		{"", 1, 0},
		{"R\t300101000000Z\t260101000000Z\t02\tunknown\t/CN=b\n", 1, 1},
		{"R\t300101000000Z\t260101000000Z,superseded\t02\tunknown\t/CN=b\n", 2, 1},
	} {
		der := crlOf(t, c.index)
		_, err := x509.ParseRevocationList(der)
		if (err == nil) != (c.version == 2) {
			t.Errorf("openssl has made another version than %d: %v", c.version, err)
		}
		path := filepath.Join(t.TempDir(), "crl.der")
		if err := os.WriteFile(path, der, 0o600); err != nil {
			t.Fatal(err)
		}
		list, err := readCRL(path)
		if err != nil || len(list.RevokedCertificateEntries) != c.entries {
			t.Errorf("%+v, %v", list, err)
		}
	}
}
