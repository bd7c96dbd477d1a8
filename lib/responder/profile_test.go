package responder_test

import (
	"strings"
	"testing"
	"time"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/responder"
)

func TestPublicProfile(t *testing.T) {
	ca := pkitest.New(t)
	usual := ca.OCSPSigner("usual")
	self := &pkitest.Signer{Leaf: pkitest.Leaf{Cert: ca.Cert, Key: ca.Key}}
	rsa := ca.OCSPSigner("rsa", pkitest.Key("rsa"))
	for _, test := range []struct {
		row      string
		lifetime time.Duration
		signer   *pkitest.Signer
		digest   string
		sigOpts  []string
		noCerts  bool
		says     string // the error; empty: none
	}{
		{"TIM-06 twelve hours", 12 * time.Hour, usual, "", nil, false, ""},
		{"TIM-06 8 hours, both ends counted", 8*time.Hour - 5*time.Minute - time.Second, usual, "", nil, false, ""},
		{"TIM-06 a second less", 8*time.Hour - 5*time.Minute - 2*time.Second, usual, "", nil, false, "not for 8 hours to 7 days"},
		{"TIM-06 7 days, both ends counted", 7*day - 5*time.Minute - time.Second, usual, "", nil, false, ""},
		{"TIM-06 a second more", 7*day - 5*time.Minute, usual, "", nil, false, "not for 8 hours to 7 days"},
		{"SGN-02 another key usage", 12 * time.Hour, ca.OCSPSigner("eku", pkitest.Extension("extendedKeyUsage", "OCSPSigning,clientAuth")), "", nil, false, "another extended key usage"},
		{"SGN-03 no nocheck", 12 * time.Hour, ca.OCSPSigner("nocheck", pkitest.NoNocheck()), "", nil, false, "no id-pkix-ocsp-nocheck"},
		{"SGN-08 without its certificate", 12 * time.Hour, usual, "", nil, true, "resp_no_certs"},
		{"SGN-13 the digest of another curve", 12 * time.Hour, usual, "sha512", nil, false, "not the digest of the key's curve"},
		{"SGN-13 the digest of its curve", 12 * time.Hour, usual, "sha256", nil, false, ""},
		{"SGN-13 P-384", 12 * time.Hour, ca.OCSPSigner("p384", pkitest.Key("p384")), "", nil, false, ""},
		{"SGN-13 P-521", 12 * time.Hour, ca.OCSPSigner("p521", pkitest.Key("p521")), "", nil, false, ""},
		{"SGN-15 RSA-PSS", 12 * time.Hour, rsa, "", []string{"rsa_padding_mode:pss"}, false, ""},
		{"SGN-16 Ed25519", 12 * time.Hour, ca.OCSPSigner("ed25519", pkitest.Key("ed25519")), "", nil, false, "a key of the kind Ed25519; RSA, P-256, P-384 and P-521 are allowed"},
		{"SGN-09 the CA itself", 12 * time.Hour, self, "", nil, false, ""},
	} {
		t.Run(test.row, func(t *testing.T) {
			files := filesOf(ca, test.signer)
			files.Lifetime, files.Digest, files.SigOpts, files.NoCerts = test.lifetime, test.digest, test.sigOpts, test.noCerts
			files.Backdate = 5 * time.Minute
			if _, err := responder.Open(files, nil); err != nil {
				t.Fatalf("refused without the profile: %v", err)
			}
			files.Public = true
			_, err := responder.Open(files, nil)
			if test.says == "" && err != nil {
				t.Error(err)
			}
			if test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), "the test: profile public: ")) {
				t.Errorf("the error is %v, want %q in it", err, test.says)
			}
		})
	}
}
