package main

import (
	"bytes"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/pkitest"
)

// put writes a file in the place of another.
type put func(t *testing.T, from, to string)

func byRename(t *testing.T, from, to string) {
	t.Helper()
	inPlace(t, from, to+".new")
	if err := os.Rename(to+".new", to); err != nil {
		t.Fatal(err)
	}
}

func bySymlink(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Symlink(from, to+".new"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(to+".new", to); err != nil {
		t.Fatal(err)
	}
}

func inPlace(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// swaps are ways to put a new pair in the place of an old one, in an order in
// which no file is written through a symbolic link.
var swaps = []struct {
	put      put
	keyFirst bool
}{
	{byRename, false}, {inPlace, false}, {inPlace, true}, {bySymlink, true}, {bySymlink, false}, {byRename, true}, {inPlace, false},
}

// The signer is swapped again and again while the program is asked all the
// time: each answer is good, and verifies with the certificate that it carries.
func TestRotation(t *testing.T) {
	rounds := 200
	if testing.Short() {
		rounds = 2 * len(swaps)
	}
	c := pkitest.NewCompany(t)
	signers := []*pkitest.Signer{c.Signer, c.OCSPSigner("next")}
	cert, key := filepath.Join(t.TempDir(), "ocsp.pem"), filepath.Join(t.TempDir(), "ocsp.key")
	inPlace(t, c.Signer.Cert, cert)
	inPlace(t, c.Signer.Key, key)
	p := start(t, "-index", c.Index, "-CA", c.Cert, "-rsigner", cert, "-rkey", key, "-log_level", "error")
	request := pkitest.Request(t, c.CA, c.Good)

	done := make(chan struct{})
	var load sync.WaitGroup
	for _, body := range [][]byte{request, pkitest.Request(t, c.CA, c.Good, "-no_nonce")} {
		conn := p.dial(t)
		load.Go(func() {
			for asked := 0; ; asked++ {
				select {
				case <-done:
					t.Logf("asked %d times", asked)
					return
				default:
				}
				if signedBy(t, c, conn.post(t, body)) == nil {
					return
				}
			}
		})
	}
	conn := p.dial(t)
	for i := range rounds {
		swap, next := swaps[i%len(swaps)], signers[(i+1)%2]
		files := [][2]string{{next.Cert, cert}, {next.Key, key}}
		if swap.keyFirst {
			files[0], files[1] = files[1], files[0]
		}
		swap.put(t, files[0][0], files[0][1])
		if i%3 == 0 {
			time.Sleep(60 * time.Millisecond) // long enough for half a pair to be read
		}
		swap.put(t, files[1][0], files[1][1])
		for swapped := time.Now(); !bytes.Equal(signedBy(t, c, conn.post(t, request)), next.Certificate.Raw); {
			if time.Since(swapped) > 5*time.Second {
				t.Fatalf("swap %d: the new signer does not sign", i)
			}
		}
	}
	close(done)
	load.Wait()
}

// signedBy returns the certificate that the answer carries and that signed it.
func signedBy(t *testing.T, c *pkitest.Company, der []byte) []byte {
	t.Helper()
	resp, err := ocsp.ParseResponse(der, c.Certificate)
	switch {
	case err != nil:
		t.Errorf("an answer that does not verify: %v\n%x", err, der)
	case resp.Status != ocsp.Good || resp.Certificate == nil:
		t.Errorf("status %d, certificate %v", resp.Status, resp.Certificate)
	default:
		return resp.Certificate.Raw
	}
	return nil
}

// A credential of qpki is rotated and activated: the program signs with the
// active version, also after it has changed.
func TestActiveVersion(t *testing.T) {
	c := pkitest.NewCompany(t)
	signers := []*pkitest.Signer{c.Signer, c.OCSPSigner("next")}
	ca := filepath.Join(t.TempDir(), "ca")
	credential := filepath.Join(ca, "credentials", "ocsp-responder")
	for i, s := range signers {
		version := filepath.Join(credential, "versions", []string{"v1", "v2"}[i])
		for _, dir := range []string{"certs", "keys"} {
			if err := os.MkdirAll(filepath.Join(version, dir), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		inPlace(t, s.Cert, filepath.Join(version, "certs", "credential.ecdsa-p256.pem"))
		inPlace(t, s.Key, filepath.Join(version, "keys", "credential.ecdsa-p256.key"))
	}
	activate := func(version string) {
		t.Helper()
		text := []byte(`{"active": "` + version + `"}`)
		if err := os.WriteFile(filepath.Join(credential, "credential.meta.json"), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(ca, 0o700); err != nil {
		t.Fatal(err)
	}
	inPlace(t, c.Index, filepath.Join(ca, "index.txt"))
	inPlace(t, c.Cert, filepath.Join(ca, "ca.crt"))
	activate("v1")
	p := start(t, "-ca-dir", ca, "-log_level", "error")
	conn, request := p.dial(t), pkitest.Request(t, c.CA, c.Good)
	for i, version := range []string{"v1", "v2", "v1"} {
		activate(version)
		for activated := time.Now(); !bytes.Equal(signedBy(t, c, conn.post(t, request)), signers[i%2].Certificate.Raw); {
			if time.Since(activated) > 5*time.Second {
				t.Fatalf("version %s is active and does not sign", version)
			}
		}
	}
}
