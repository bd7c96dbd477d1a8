package responder_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/index"
	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/responder"
	"ocspcgi/lib/signer"
	"ocspcgi/lib/wire"
)

func filesOfHand(ca, signer *pkitest.Hand) responder.Files {
	return responder.Files{Where: "the test", CA: ca.Cert, Lifetime: lifetime,
		Signers: []responder.SignerFiles{{Certificate: signer.Cert, Key: signer.Key}}}
}

// Each kind of signer below each kind of CA: whether Apache will staple the
// answer is known before, and openssl names the CA by the same hashes.
func TestPostQuantum(t *testing.T) {
	for _, test := range []struct {
		row, ca, signer string // no signer: the CA signs
		staples         bool
	}{
		{"SGN-18 ML-DSA-44", "ML-DSA-44", "ML-DSA-44", true},
		{"SGN-18 ML-DSA-65", "ML-DSA-65", "ML-DSA-65", true},
		{"SGN-18 ML-DSA-87", "ML-DSA-87", "ML-DSA-87", false},
		{"SGN-18 ML-DSA-87 itself", "ML-DSA-87", "", false},
		{"SGN-18 ML-DSA-87 below P-256", "P-256", "ML-DSA-87", true},
		{"SGN-18 ML-DSA-65 below ML-DSA-87", "ML-DSA-87", "ML-DSA-65", false},
		{"SGN-17 ML-DSA-44 below P-256", "P-256", "ML-DSA-44", true},
		{"SGN-17 ML-DSA-65 below P-256", "P-256", "ML-DSA-65", true},
		{"SGN-17 P-256 below ML-DSA-65", "ML-DSA-65", "P-256", true},
		{"SGN-17 composite", "MLDSA65-ECDSA-P256-SHA512", "MLDSA65-ECDSA-P256-SHA512", true},
	} {
		t.Run(test.row, func(t *testing.T) {
			ca := pkitest.HandCA(t, t.TempDir(), test.ca)
			made := ca
			if test.signer != "" {
				made = ca.OCSPSigner(t, "ocsp", test.signer)
			}
			live := &index.Live{Path: ca.Index(t, made)}
			if report := live.Reload(true); report.Err != nil {
				t.Fatal(report.Err)
			}
			issuer := open(t, filesOfHand(ca, made), live)
			if err := issuer.Prove(); err != nil {
				t.Error(err)
			}
			r := &responder.Responder{Now: func() time.Time { return made.Certificate.NotBefore.Add(time.Hour) }}
			r.Serve(issuer)
			request := pkitest.Request(t, &pkitest.CA{Cert: ca.Cert}, nil, "-no_nonce", "-serial", "0x"+made.Serial)
			answer := r.Respond(t.Context(), request)
			resp, err := wire.ParseResponse(answer.DER)
			if err != nil || resp.Status != ocsp.Success || answer.Certs[0].Status != "good" {
				t.Fatalf("%v, %+v", err, answer)
			}
			if err := signer.CheckSignature(made.Certificate, resp.SignatureAlgorithm, resp.TBS, resp.Signature); err != nil {
				t.Error(err)
			}
			holdSize(t, issuer.Warnings(), len(answer.DER), test.staples)
		})
	}
}

// holdSize holds a warning to the size of the answer it is about.
func holdSize(t *testing.T, warnings []string, size int, staples bool) {
	t.Helper()
	t.Logf("%d bytes", size)
	if staples != (size <= 10239) || staples != (len(warnings) == 0) {
		t.Errorf("%d bytes, warned: %q", size, warnings)
	}
	if len(warnings) == 0 {
		return
	}
	_, rest, _ := strings.Cut(warnings[0], "answers have about ")
	about, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil || about < size || about > size+200 || !strings.Contains(warnings[0], "a signer with a smaller key would do") {
		t.Errorf("%d bytes, warned: %q", size, warnings)
	}
}

// Who does not ask for ML-DSA gets what everybody understands, if that signer is
// the newer one.
func TestPostQuantumPreferred(t *testing.T) {
	ca := pkitest.HandCA(t, t.TempDir(), "P-256")
	level, usual := ca.OCSPSigner(t, "level", "ML-DSA-65"), ca.OCSPSigner(t, "usual", "P-256")
	live := &index.Live{Path: ca.Index(t, usual)}
	if report := live.Reload(true); report.Err != nil {
		t.Fatal(report.Err)
	}
	files := filesOfHand(ca, usual)
	files.Signers = append(files.Signers, filesOfHand(ca, level).Signers...)
	r := &responder.Responder{Now: func() time.Time { return level.Certificate.NotBefore.Add(time.Hour) }}
	r.Serve(open(t, files, live))
	der := pkitest.Request(t, &pkitest.CA{Cert: ca.Cert}, nil, "-no_nonce", "-serial", "0x"+usual.Serial)
	mldsa65 := []byte("\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x12")
	for _, test := range []struct {
		row    string
		wishes [][]byte
		by     *pkitest.Hand
	}{
		{"SGN-20 no wish", nil, usual},
		{"SGN-20 ML-DSA-65", [][]byte{mldsa65}, level},
	} {
		t.Run(test.row, func(t *testing.T) {
			req, err := wire.ParseRequest(der)
			if err != nil {
				t.Fatal(err)
			}
			request, err := (&wire.Request{CertIDs: req.CertIDs, Preferred: test.wishes}).Marshal(nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := wire.ParseResponse(r.Respond(t.Context(), request).DER)
			if err != nil {
				t.Fatal(err)
			}
			if err := signer.CheckSignature(test.by.Certificate, resp.SignatureAlgorithm, resp.TBS, resp.Signature); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestPostQuantumIsNotPublic(t *testing.T) {
	ca := pkitest.HandCA(t, t.TempDir(), "P-256")
	for _, kind := range []string{"ML-DSA-65", "MLDSA65-ECDSA-P256-SHA512"} {
		t.Run("SGN-17 "+kind, func(t *testing.T) {
			files := filesOfHand(ca, ca.OCSPSigner(t, "ocsp-"+kind, kind))
			files.Public = true
			_, err := responder.Open(files, nil)
			if want := "a key of the kind " + kind + "; RSA, P-256, P-384 and P-521 are allowed"; err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}
