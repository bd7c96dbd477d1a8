package signer_test

import (
	"crypto/x509"
	"encoding/hex"
	"sync"
	"testing"

	"ocspcgi/lib/signer"
)

const pss256 = "304106092a864886f70d01010a3034a00f300d06096086480165030402010500a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120"
const pss384 = "304106092a864886f70d01010a3034a00f300d06096086480165030402020500a11c301a06092a864886f70d010108300d06096086480165030402020500a203020130"
const pss512 = "304106092a864886f70d01010a3034a00f300d06096086480165030402030500a11c301a06092a864886f70d010108300d06096086480165030402030500a203020140"

func TestSign(t *testing.T) {
	p := newPKI(t)
	for _, kind := range []string{"rsa", "p256", "p384", "p521", "ed25519"} {
		p.key(kind, kind)
		p.selfSigned(kind, "ca")
	}
	pss := []string{"rsa_padding_mode:pss"}
	for _, c := range []struct {
		id, kind, digest string
		sigOpts          []string
		identifier       string
		algorithm        x509.SignatureAlgorithm
	}{
		{"SGN-14 RSA by default", "rsa", "", nil, "300d06092a864886f70d01010b0500", x509.SHA256WithRSA},
		{"SGN-12 RSA sha256", "rsa", "sha256", nil, "300d06092a864886f70d01010b0500", x509.SHA256WithRSA},
		{"SGN-12 RSA sha384", "rsa", "sha384", nil, "300d06092a864886f70d01010c0500", x509.SHA384WithRSA},
		{"SGN-12 RSA SHA-512", "rsa", "SHA-512", nil, "300d06092a864886f70d01010d0500", x509.SHA512WithRSA},
		{"SGN-12 RSA pkcs1 said", "rsa", "", []string{"rsa_padding_mode:pkcs1"}, "300d06092a864886f70d01010b0500", x509.SHA256WithRSA},
		{"SGN-15 RSA-PSS", "rsa", "", pss, pss256, x509.SHA256WithRSAPSS},
		{"SGN-15 RSA-PSS sha384", "rsa", "sha384", pss, pss384, x509.SHA384WithRSAPSS},
		{"SGN-15 RSA-PSS sha512", "rsa", "sha512", append(pss, "rsa_pss_saltlen:64", "rsa_mgf1_md:sha512"), pss512, x509.SHA512WithRSAPSS},
		{"SGN-13 P-256", "p256", "", nil, "300a06082a8648ce3d040302", x509.ECDSAWithSHA256},
		{"SGN-13 P-384", "p384", "", nil, "300a06082a8648ce3d040303", x509.ECDSAWithSHA384},
		{"SGN-13 P-521", "p521", "", nil, "300a06082a8648ce3d040304", x509.ECDSAWithSHA512},
		{"SGN-12 P-256 with sha512", "p256", "sha512", nil, "300a06082a8648ce3d040304", x509.ECDSAWithSHA512},
		{"SGN-12 Ed25519", "ed25519", "", nil, "300506032b6570", x509.PureEd25519},
	} {
		t.Run(c.id, func(t *testing.T) {
			s, err := signer.Load(p.path(c.kind+".crt"), p.path(c.kind+".key"), nil, signer.Options{Digest: c.digest, SigOpts: c.sigOpts})
			if err != nil {
				t.Fatal(err)
			}
			tbs := []byte("what is to be signed")
			algorithm, signature, err := s.Sign(tbs)
			if err != nil {
				t.Fatal(err)
			}
			if got := hex.EncodeToString(algorithm); got != c.identifier || got != hex.EncodeToString(s.Algorithm()) {
				t.Errorf("algorithm %s, want %s", got, c.identifier)
			}
			if err := s.Certificate.CheckSignature(c.algorithm, tbs, signature); err != nil {
				t.Error(err)
			}
			if err := s.Prove(); err != nil {
				t.Error(err)
			}
		})
	}
}

// Only a key that is kept elsewhere can differ from its certificate after Load;
// here the certificate is exchanged instead.
func TestProve(t *testing.T) {
	p := newPKI(t)
	for _, name := range []string{"a", "b"} {
		for _, kind := range []string{"rsa", "p256", "ed25519"} {
			p.key(name+kind, kind)
			p.selfSigned(name+kind, "ca")
		}
	}
	for _, kind := range []string{"rsa", "p256", "ed25519"} {
		t.Run("SGN-07 "+kind, func(t *testing.T) {
			s := p.signer("a" + kind)
			s.Certificate = p.certificate("b" + kind)
			p.wantError(t, s.Prove(), "DIR/a"+kind+".crt: the signature that DIR/a"+kind+".key made is not one for it")
		})
	}
}

func TestSignTogether(t *testing.T) {
	p := newPKI(t)
	p.key("p256", "p256")
	p.selfSigned("p256", "ca")
	s := p.signer("p256")
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			tbs := []byte{byte(i)}
			_, signature, err := s.Sign(tbs)
			if err == nil {
				err = s.Certificate.CheckSignature(x509.ECDSAWithSHA256, tbs, signature)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestRefusedOptions(t *testing.T) {
	p := newPKI(t)
	for _, kind := range []string{"rsa", "p256", "ed25519"} {
		p.key(kind, kind)
		p.selfSigned(kind, "ca")
	}
	const onlyPSS = " cannot be used; rsa_padding_mode:pss, with a salt and an MGF1 digest like the signature's, can"
	for _, c := range []struct {
		kind, digest string
		sigOpts      []string
		want         string
	}{
		{"rsa", "sha1", nil, "DIR/rsa.key: -rmd sha1 is too weak; sha256, sha384 or sha512 can be used"},
		{"rsa", "md5", nil, "DIR/rsa.key: -rmd md5 is too weak; sha256, sha384 or sha512 can be used"},
		{"p256", "sha224", nil, "DIR/p256.key: -rmd sha224 is too weak; sha256, sha384 or sha512 can be used"},
		{"rsa", "sha3-256", nil, "DIR/rsa.key: -rmd sha3-256 is not known; sha256, sha384 or sha512 can be used"},
		{"ed25519", "sha256", nil, "DIR/ed25519.key: an Ed25519 key has a digest of its own; leave -rmd and -rsigopt out"},
		{"p256", "", []string{"rsa_padding_mode:pss"}, "DIR/p256.key: -rsigopt is for RSA keys; leave it out for this ECDSA key"},
		{"rsa", "", []string{"rsa_padding_mode:x931"}, "DIR/rsa.key: -rsigopt rsa_padding_mode:x931" + onlyPSS},
		{"rsa", "", []string{"rsa_padding_mode:pss", "rsa_pss_saltlen:20"}, "DIR/rsa.key: -rsigopt rsa_pss_saltlen:20" + onlyPSS},
		{"rsa", "", []string{"rsa_padding_mode:pss", "rsa_mgf1_md:sha512"}, "DIR/rsa.key: -rsigopt rsa_mgf1_md:sha512" + onlyPSS},
		{"rsa", "", []string{"rsa_pss_saltlen:32"}, "DIR/rsa.key: -rsigopt rsa_pss_saltlen:32 needs -rsigopt rsa_padding_mode:pss"},
	} {
		_, err := signer.Load(p.path(c.kind+".crt"), p.path(c.kind+".key"), nil, signer.Options{Digest: c.digest, SigOpts: c.sigOpts})
		p.wantError(t, err, c.want)
	}
}
