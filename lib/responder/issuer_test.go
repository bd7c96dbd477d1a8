package responder_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/responder"
	"ocspcgi/lib/wire"
)

func TestForeignIssuers(t *testing.T) {
	b := newBench(t, nil)
	other := pkitest.NewCompany(t)
	b.ask(t, pkitest.Request(t, other.CA, other.Good), ocsp.Unauthorized) // RSP-07
	both := pkitest.Request(t, b.CA, nil, "-cert", b.Good.Cert, "-issuer", other.Cert, "-cert", other.Good.Cert)
	b.ask(t, both, ocsp.Unauthorized) // REQ-10
	b.ask(t, []byte("x"), ocsp.Malformed)
	b.ask(t, nil, ocsp.Malformed)
}

// One name with two keys, the same serial numbers in both (REQ-24).
func TestTwoIssuers(t *testing.T) {
	t.Run("REQ-24 each key has its own index and signer", func(t *testing.T) {
		b := newBench(t, nil)
		other := pkitest.New(t)
		otherGood, otherSigner := other.Issue("good"), other.OCSPSigner("ocsp")
		other.Revoke(otherGood)
		if !bytes.Equal(other.Certificate.RawSubject, b.CA.Certificate.RawSubject) || otherGood.Serial != b.Good.Serial {
			t.Fatal("the two CAs can be told apart by name or serial number")
		}
		b.Serve(append(b.Issuers(), open(t, filesOf(other, otherSigner), b.index(t, other)))...)
		_, first := b.ask(t, b.request(t, b.Good), ocsp.Success)
		_, second := b.ask(t, pkitest.Request(t, other, otherGood), ocsp.Success)
		if first.Singles[0].Status != wire.Good || second.Singles[0].Status != wire.Revoked {
			t.Errorf("%v and %v, want good and revoked", first.Singles[0].Status, second.Singles[0].Status)
		}
		if bytes.Equal(first.KeyHash[:], second.KeyHash[:]) {
			t.Error("one signer for two CAs")
		}
		both := pkitest.Request(t, b.CA, nil, "-cert", b.Good.Cert, "-issuer", other.Cert, "-cert", otherGood.Cert)
		b.ask(t, both, ocsp.Unauthorized)
	})
}

func TestWhoSigns(t *testing.T) {
	t.Run("SGN-21 the newest that is valid", func(t *testing.T) {
		b := newBench(t, nil)
		later := b.OCSPSigner("later", pkitest.Valid(b.now.Add(24*time.Hour), b.now.Add(1000*24*time.Hour)))
		b.Serve(open(t, filesOf(b.CA, later, b.Signer), b.index(t, b.CA)))
		_, now := b.ask(t, b.request(t, b.Good), ocsp.Success)
		b.now = b.now.Add(25 * time.Hour)
		_, then := b.ask(t, b.request(t, b.Good), ocsp.Success)
		if !bytes.Equal(now.Certificates[0], b.Signer.Certificate.Raw) || !bytes.Equal(then.Certificates[0], later.Certificate.Raw) {
			t.Error("signed by the other one")
		}
	})
	t.Run("SGN-20 the first algorithm wished for", func(t *testing.T) {
		b := newBench(t, nil)
		rsa := b.OCSPSigner("rsa", pkitest.Key("rsa"))
		b.Serve(open(t, filesOf(b.CA, b.Signer, rsa), b.index(t, b.CA)))
		const (
			rsa256   = "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00"
			ecdsa256 = "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"
			rsaSHA1  = "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05\x05\x00"
		)
		plain, err := wire.ParseRequest(b.request(t, b.Good, "-no_nonce"))
		if err != nil {
			t.Fatal(err)
		}
		_, usual := b.ask(t, b.request(t, b.Good), ocsp.Success)
		for _, test := range []struct {
			name   string
			wishes []string
			want   []byte
		}{
			{"K:prefsig-rsa256-ecdsa256", []string{rsa256, ecdsa256}, rsa.Certificate.Raw},
			{"K:prefsig-ecdsa256-rsa256", []string{ecdsa256, rsa256}, b.Signer.Certificate.Raw},
			{"the first is not ours", []string{rsaSHA1, rsa256}, rsa.Certificate.Raw},
			{"K:prefsig-only-sha1rsa", []string{rsaSHA1}, usual.Certificates[0]},
		} {
			request := *plain
			request.Preferred = nil
			for _, wish := range test.wishes {
				request.Preferred = append(request.Preferred, []byte(wish))
			}
			der, err := request.Marshal(nil)
			if err != nil {
				t.Fatal(err)
			}
			_, resp := b.ask(t, der, ocsp.Success)
			if !bytes.Equal(resp.Certificates[0], test.want) {
				t.Errorf("%s: signed by the other one", test.name)
			}
		}
	})
	t.Run("SGN-08 certificates", func(t *testing.T) {
		b := newBench(t, func(_ *responder.Responder, files *responder.Files) { files.Other = []string{files.CA} })
		_, resp := b.ask(t, b.request(t, b.Good), ocsp.Success)
		if len(resp.Certificates) != 2 || !bytes.Equal(resp.Certificates[0], b.Signer.Certificate.Raw) || !bytes.Equal(resp.Certificates[1], b.CA.Certificate.Raw) {
			t.Errorf("%d certificates, or in another order", len(resp.Certificates))
		}
	})
	t.Run("SGN-09 the CA itself", func(t *testing.T) {
		b := newBench(t, func(_ *responder.Responder, files *responder.Files) {
			files.Signers[0].Certificate, files.Signers[0].Key = files.CA, strings.Replace(files.CA, "certs/ca.cert", "private/ca.key", 1)
		})
		_, resp := b.ask(t, b.request(t, b.Good), ocsp.Success)
		if len(resp.Certificates) != 1 || !bytes.Equal(resp.Certificates[0], b.CA.Certificate.Raw) {
			t.Error("the CA's certificate is not there")
		}
	})
	t.Run("SGN-10 none", func(t *testing.T) {
		b := newBench(t, func(_ *responder.Responder, files *responder.Files) { files.NoCerts = true })
		if _, resp := b.ask(t, b.request(t, b.Good), ocsp.Success); resp.Certificates != nil {
			t.Error("certificates")
		}
	})
	t.Run("RSP-12 byName", func(t *testing.T) {
		b := newBench(t, func(_ *responder.Responder, files *responder.Files) { files.ByName = true })
		if _, resp := b.ask(t, b.request(t, b.Good), ocsp.Success); !bytes.Equal(resp.ByName, b.Signer.Certificate.RawSubject) {
			t.Errorf("responderID %x", resp.ByName)
		}
	})
}

func TestOpenRefuses(t *testing.T) {
	b := newBench(t, nil)
	other := pkitest.NewCompany(t)
	for _, test := range []struct {
		name   string
		change func(*responder.Files)
		says   []string
	}{
		{"no CA file", func(f *responder.Files) { f.CA += ".gone" }, []string{"the test: -CA", ".gone"}},
		{"no CA file, and no signer's either", func(f *responder.Files) {
			f.CA += ".gone"
			f.Signers[0].Certificate += ".away"
		}, []string{"the test", "-CA", ".gone", ".away"}},
		{"SGN-01 another CA of the same name", func(f *responder.Files) { f.CA = other.Cert }, []string{"the test", other.Cert}},
		{"SGN-02 no EKU", func(f *responder.Files) {
			s := b.OCSPSigner("noeku", pkitest.NoEKU())
			f.Signers = []responder.SignerFiles{{Certificate: s.Cert, Key: s.Key}}
		}, []string{"the test", "noeku.cert.pem", "OCSPSigning"}},
		{"SGN-07 the wrong key, and a file that is not there", func(f *responder.Files) {
			f.Signers[0].Key = b.Good.Key
			f.Other = []string{"/nowhere/other.pem"}
		}, []string{"the test", "ocsp.cert.pem", "good.key.pem", "/nowhere/other.pem"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			files := filesOf(b.CA, b.Signer)
			test.change(&files)
			_, err := responder.Open(files, nil)
			if err == nil {
				t.Fatal("opened")
			}
			for _, text := range test.says {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("the error does not name %s: %v", text, err)
				}
			}
		})
	}
}

func TestRequireSigned(t *testing.T) {
	clients := pkitest.New(t)
	client, other := clients.Issue("client"), pkitest.New(t).Issue("client")
	b := newBench(t, func(r *responder.Responder, _ *responder.Files) {
		var err error
		if r.Requestors, err = responder.OpenRequestors([]string{clients.Cert}); err != nil {
			t.Fatal(err)
		}
	})
	b.now = client.Certificate.NotBefore.Add(time.Hour)
	signedBy := func(leaf *pkitest.Leaf) []byte {
		return b.request(t, b.Good, "-no_nonce", "-signer", leaf.Cert, "-signkey", leaf.Key)
	}
	b.ask(t, b.request(t, b.Good), ocsp.SignatureRequired)
	b.ask(t, signedBy(other), ocsp.Unauthorized)
	b.ask(t, signedBy(client), ocsp.Success)
	forged := signedBy(client)
	if i := bytes.Index(forged, b.Good.Certificate.SerialNumber.Bytes()); i < 0 {
		t.Fatal("no serial number in the request")
	} else {
		forged[i+1]++
	}
	b.ask(t, forged, ocsp.Unauthorized)
	b.now = client.Certificate.NotAfter.Add(time.Hour)
	b.ask(t, signedBy(client), ocsp.Unauthorized)
	if _, err := responder.OpenRequestors([]string{"/nowhere/ca.pem"}); err == nil || !strings.Contains(err.Error(), "/nowhere/ca.pem") {
		t.Errorf("the error of a file that is not there: %v", err)
	}
}

// A signature that nobody asked for is not looked at (REQ-07).
func TestSignedAllTheSame(t *testing.T) {
	b := newBench(t, nil)
	other := pkitest.New(t).Issue("client")
	b.ask(t, b.request(t, b.Good, "-signer", other.Cert, "-signkey", other.Key), ocsp.Success)
}
