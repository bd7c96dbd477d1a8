package wire_test

import (
	"bytes"
	"crypto"
	"flag"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"ocspcgi/lib/wire"
)

// With -update the requests and responses of the real openssl are written to
// testdata, where the fuzz tests find their seeds.
var update = flag.Bool("update", false, "record what openssl writes")

// record keeps der in testdata/folder when asked to.
func record(t *testing.T, folder, name string, der []byte) {
	t.Helper()
	if !*update {
		return
	}
	dir := filepath.Join("testdata", folder)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".der"), der, 0o644); err != nil {
		t.Fatal(err)
	}
}

// Requests that openssl makes are read, and without nonce and signature they
// are written again to the byte.
func TestOpenSSLRequests(t *testing.T) {
	dir := t.TempDir()
	ca := newPair(t, 1, "CA", nil)
	caFile, _ := ca.files(t, dir, "ca")
	clientFile, clientKey := newPair(t, 0, "client", ca).files(t, dir, "client")
	tests := []struct {
		name    string
		args    []string
		serials []int64
		nonce   int // octets, header included
		signed  bool
	}{
		{"plain", []string{"-serial", "0x2A01", "-no_nonce"}, []int64{0x2a01}, 0, false},
		{"nonce", []string{"-serial", "0x2A01"}, []int64{0x2a01}, 18, false},
		{"two", []string{"-serial", "0x2A01", "-serial", "0x2A05", "-no_nonce"}, []int64{0x2a01, 0x2a05}, 0, false},
		{"three-nonce", []string{"-serial", "7", "-serial", "0x80", "-serial", "7"}, []int64{7, 0x80, 7}, 18, false},
		{"zero", []string{"-serial", "0", "-no_nonce"}, []int64{0}, 0, false},
		{"negative", []string{"-serial", "-10753", "-no_nonce"}, []int64{-10753}, 0, false},
		{"signed", []string{"-serial", "0x2A01", "-signer", clientFile, "-signkey", clientKey}, []int64{0x2a01}, 18, true},
	}
	for _, test := range tests {
		t.Run("REQ-09 "+test.name, func(t *testing.T) {
			file := filepath.Join(dir, test.name)
			openssl(t, append([]string{"-issuer", caFile, "-reqout", file}, test.args...)...)
			der := readFile(t, file)
			record(t, "requests", test.name, der)
			r, err := wire.ParseRequest(der)
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Nonce) != test.nonce || r.Signed != test.signed {
				t.Errorf("nonce %x, signed %v", r.Nonce, r.Signed)
			}
			sameSerials(t, ca.issuer(t), r, test.serials)
			if again, err := r.Marshal(nil); !test.signed && (err != nil || !bytes.Equal(again, der)) {
				t.Errorf("written again: %x, %v, want %x", again, err, der)
			}
		})
	}
}

// sameSerials checks that r asks the issuer for these serials.
func sameSerials(t *testing.T, issuer *wire.Issuer, r *wire.Request, serials []int64) {
	t.Helper()
	if len(r.CertIDs) != len(serials) {
		t.Fatalf("%d CertIDs, want %d", len(r.CertIDs), len(serials))
	}
	for i, serial := range serials {
		want, err := issuer.CertID(crypto.SHA1, big.NewInt(serial))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(r.CertIDs[i].Raw, want.Raw) {
			t.Errorf("CertID %d is %x, want %x", i, r.CertIDs[i].Raw, want.Raw)
		}
	}
}

// Responses that openssl makes are read.
func TestOpenSSLResponses(t *testing.T) {
	dir := t.TempDir()
	ca := newPair(t, 0, "CA", nil)
	caFile, caKey := ca.files(t, dir, "ca")
	index, request := filepath.Join(dir, "index.txt"), filepath.Join(dir, "request")
	writeFile(t, index, []byte("V\t391231235959Z\t\t2A01\tunknown\t/CN=a\n"+
		"R\t391231235959Z\t260102030405Z,keyCompromise\t2A05\tunknown\t/CN=b\n"))
	openssl(t, "-issuer", caFile, "-serial", "0x2A01", "-serial", "0x2A05", "-serial", "0x2A99", "-reqout", request)
	for name, args := range map[string][]string{
		"byname":   {},
		"bykey":    {"-resp_key_id", "-nmin", "5"},
		"no-certs": {"-resp_no_certs", "-ndays", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(dir, name)
			openssl(t, append([]string{"-index", index, "-CA", caFile, "-rsigner", caFile, "-rkey", caKey,
				"-reqin", request, "-respout", file}, args...)...)
			der := readFile(t, file)
			record(t, "responses", name, der)
			r, err := wire.ParseResponse(der)
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Singles) != 3 || r.Singles[0].Status != wire.Good || r.Singles[2].Status != wire.Unknown || len(r.Nonce) != 18 {
				t.Fatalf("%+v", r)
			}
			if s := r.Singles[1]; s.Status != wire.Revoked || s.Reason != 1 || s.RevokedAt.Format("20060102150405Z0700") != "20260102030405Z" {
				t.Errorf("%+v", s)
			}
			if byKey := name == "bykey"; byKey != (r.KeyHash == ca.issuer(t).KeyHash()) || byKey == bytes.Equal(r.ByName, ca.certificate.RawSubject) {
				t.Errorf("responder %x, %x", r.KeyHash, r.ByName)
			}
			if (len(r.Certificates) == 1) == (name == "no-certs") || r.Singles[0].NextUpdate.IsZero() != (name == "byname") {
				t.Errorf("%d certificates, %v", len(r.Certificates), r.Singles[0].NextUpdate)
			}
		})
	}
}

// hashes are the digests of a CertID, in openssl's words.
var hashes = map[string]crypto.Hash{
	"sha1": crypto.SHA1, "sha224": crypto.SHA224, "sha256": crypto.SHA256, "sha384": crypto.SHA384,
	"sha512": crypto.SHA512, "sha512-256": crypto.SHA512_256,
	"sha3-256": crypto.SHA3_256, "sha3-384": crypto.SHA3_384, "sha3-512": crypto.SHA3_512,
}

// An Issuer hashes as openssl does, whatever its key is.
func TestIssuerHashes(t *testing.T) {
	for kind := range keys {
		dir := t.TempDir()
		ca, other := newPair(t, kind, "CA", nil), newPair(t, kind, "CA", nil)
		caFile, _ := ca.files(t, dir, "ca")
		issuer, rollover := ca.issuer(t), other.issuer(t)
		for name, hash := range hashes {
			t.Run("REQ-23 "+keys[kind].name+" "+name, func(t *testing.T) {
				file := filepath.Join(dir, name)
				openssl(t, "-"+name, "-issuer", caFile, "-serial", "0x2A01", "-no_nonce", "-reqout", file)
				der := readFile(t, file)
				if kind == 0 {
					record(t, "requests", name, der)
				}
				r, err := wire.ParseRequest(der)
				if err != nil {
					t.Fatal(err)
				}
				want, err := issuer.CertID(hash, big.NewInt(0x2a01))
				if err != nil || !bytes.Equal(want.Raw, r.CertIDs[0].Raw) {
					t.Errorf("CertID is %x, %v, want %x", want.Raw, err, r.CertIDs[0].Raw)
				}
				if !issuer.Matches(&r.CertIDs[0]) {
					t.Error("does not match")
				}
				if rollover.Matches(&r.CertIDs[0]) {
					t.Error("REQ-24 matches the CA of the same name with another key")
				}
			})
		}
	}
}
