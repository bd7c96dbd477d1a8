package signer_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"ocspcgi/lib/signer"
)

func phrase(s string) signer.Passphrase {
	return func(string) ([]byte, error) { return []byte(s), nil }
}

// forms are openssl command lines that write the key IN.key as OUT, and the
// kinds of key that can be written so.
var forms = []struct {
	name, line string
	kinds      string
	encrypted  bool
}{
	{"PKCS8", "pkcs8 -topk8 -nocrypt -in IN.key -out OUT", "rsa p256 p384 p521 ed25519", false},
	{"PKCS8 DER", "pkcs8 -topk8 -nocrypt -in IN.key -outform DER -out OUT", "rsa p256 p384 p521 ed25519", false},
	{"PKCS1", "rsa -in IN.key -traditional -out OUT", "rsa", false},
	{"PKCS1 DER", "rsa -in IN.key -traditional -outform DER -out OUT", "rsa", false},
	{"SEC1", "ec -in IN.key -out OUT", "p256 p384 p521", false},
	{"SEC1 DER", "ec -in IN.key -outform DER -out OUT", "p256 p384 p521", false},
	{"PBES2 genrsa", "pkey -in IN.key -aes256 -passout pass:opensesame -out OUT", "rsa p256 p384 p521 ed25519", true},
	{"PBES2 aes128", "pkey -in IN.key -aes128 -passout pass:opensesame -out OUT", "rsa p256", true},
	{"PBES2 aes192", "pkey -in IN.key -aes192 -passout pass:opensesame -out OUT", "rsa p256", true},
	{"PBES2 des3", "pkcs8 -topk8 -in IN.key -v2 des3 -passout pass:opensesame -out OUT", "rsa p256 ed25519", true},
	{"PBES2 DER", "pkcs8 -topk8 -in IN.key -outform DER -passout pass:opensesame -out OUT", "rsa p256 ed25519", true},
	{"PBES2 hmacWithSHA1", "pkcs8 -topk8 -in IN.key -v2 aes-256-cbc -v2prf hmacWithSHA1 -passout pass:opensesame -out OUT", "p256", true},
	{"PBES2 hmacWithSHA224", "pkcs8 -topk8 -in IN.key -v2 aes-256-cbc -v2prf hmacWithSHA224 -passout pass:opensesame -out OUT", "p256", true},
	{"PBES2 hmacWithSHA384", "pkcs8 -topk8 -in IN.key -v2 aes-256-cbc -v2prf hmacWithSHA384 -passout pass:opensesame -out OUT", "p256", true},
	{"PBES2 hmacWithSHA512", "pkcs8 -topk8 -in IN.key -v2 aes-256-cbc -v2prf hmacWithSHA512 -passout pass:opensesame -out OUT", "rsa p256", true},
	{"PBES2 scrypt", "pkcs8 -topk8 -in IN.key -scrypt -passout pass:opensesame -out OUT", "rsa p256 p384 p521 ed25519", true},
	{"PBES2 des", "pkcs8 -topk8 LEGACY -in IN.key -v2 des -passout pass:opensesame -out OUT", "p256", true},
	{"PBES1 MD5 DES", "pkcs8 -topk8 LEGACY -in IN.key -v1 PBE-MD5-DES -passout pass:opensesame -out OUT", "rsa p256", true},
	{"PBES1 SHA1 DES", "pkcs8 -topk8 LEGACY -in IN.key -v1 PBE-SHA1-DES -passout pass:opensesame -out OUT", "rsa p256", true},
	{"PBES1 RC4-128", "pkcs8 -topk8 LEGACY -in IN.key -v1 PBE-SHA1-RC4-128 -passout pass:opensesame -out OUT", "rsa p256", true},
	{"PBES1 RC4-40", "pkcs8 -topk8 LEGACY -in IN.key -v1 PBE-SHA1-RC4-40 -passout pass:opensesame -out OUT", "p256", true},
	{"PBES1 3DES", "pkcs8 -topk8 -in IN.key -v1 PBE-SHA1-3DES -passout pass:opensesame -out OUT", "rsa p256 p384 p521 ed25519", true},
	{"PBES1 2DES", "pkcs8 -topk8 -in IN.key -v1 PBE-SHA1-2DES -passout pass:opensesame -out OUT", "rsa p256", true},
	{"PBES1 DER", "pkcs8 -topk8 -in IN.key -v1 PBE-SHA1-3DES -outform DER -passout pass:opensesame -out OUT", "rsa p256", true},
	{"PKCS12", "pkcs12 -export -in IN.crt -inkey IN.key -passout pass:opensesame -out OUT", "rsa p256 p384 p521 ed25519", true},
	{"PKCS12 legacy", "pkcs12 -export -legacy -in IN.crt -inkey IN.key -passout pass:opensesame -out OUT", "rsa p256 p384 p521 ed25519", true},
	{"PKCS12 RC2-128", "pkcs12 -export LEGACY -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-RC2-128 -in IN.crt -inkey IN.key -passout pass:opensesame -out OUT", "rsa", true},
	{"PKCS12 aes128 sha512", "pkcs12 -export -keypbe AES-128-CBC -certpbe AES-128-CBC -macalg sha512 -in IN.crt -inkey IN.key -passout pass:opensesame -out OUT", "rsa p256", true},
	{"PKCS12 open, but for its MAC", "pkcs12 -export -keypbe NONE -certpbe NONE -in IN.crt -inkey IN.key -passout pass:opensesame -out OUT", "rsa p256", true},
	{"DEK-Info aes128", "rsa -in IN.key -traditional -aes128 -passout pass:opensesame -out OUT", "rsa", true},
	{"DEK-Info aes192", "rsa -in IN.key -traditional -aes192 -passout pass:opensesame -out OUT", "rsa", true},
	{"DEK-Info des", "pkey LEGACY -in IN.key -traditional -des -passout pass:opensesame -out OUT", "rsa p256", true},
	{"DEK-Info aes256", "rsa -in IN.key -traditional -aes256 -passout pass:opensesame -out OUT", "rsa", true},
	{"DEK-Info des3", "rsa -in IN.key -traditional -des3 -passout pass:opensesame -out OUT", "rsa", true},
	{"DEK-Info EC", "ec -in IN.key -aes128 -passout pass:opensesame -out OUT", "p256 p384 p521", true},
}

// fillIn puts a kind of key into a command line.
func fillIn(kind string) *strings.Replacer {
	return strings.NewReplacer("IN", kind, "OUT", "form.key", "LEGACY", "-provider legacy -provider default")
}

func TestKeyForms(t *testing.T) {
	p := newPKI(t)
	for _, kind := range []string{"rsa", "p256", "p384", "p521", "ed25519"} {
		p.key(kind, kind)
		p.selfSigned(kind, "ca")
	}
	for _, f := range forms {
		for _, kind := range strings.Fields(f.kinds) {
			t.Run("SGN-07 "+f.name+" "+kind, func(t *testing.T) {
				p.openssl(fillIn(kind).Replace(f.line))
				load := func(pass signer.Passphrase) error {
					_, err := signer.Load(p.path(kind+".crt"), p.path("form.key"), pass, signer.Options{})
					return err
				}
				if err := load(phrase("opensesame")); err != nil {
					t.Fatal(err)
				}
				if !f.encrypted {
					if err := load(nil); err != nil {
						t.Error(err)
					}
					return
				}
				p.wantError(t, load(nil), "DIR/form.key: the key is encrypted; give its pass phrase with -passin file:PATH")
				for _, wrong := range []string{"opensesam", "", "\x00"} {
					err := load(phrase(wrong))
					p.wantError(t, err, "DIR/form.key: the pass phrase does not open this key; check -passin")
					if !errors.Is(err, signer.ErrPassphrase) {
						t.Error("not an ErrPassphrase")
					}
				}
			})
		}
	}
}

func TestOneFile(t *testing.T) {
	p := newPKI(t)
	p.key("ca", "p256")
	p.selfSigned("ca", "ca")
	p.key("ocsp", "p256")
	p.issue("ca", "ocsp", "ocsp", "")
	p.openssl("ecparam -name prime256v1 -out params.pem")
	for name, content := range map[string]string{
		"key first":       p.read("ocsp.key") + p.read("ocsp.crt"),
		"key last":        p.read("ocsp.crt") + p.read("ocsp.key"),
		"chain first":     p.read("ca.crt") + p.read("ocsp.crt") + p.read("ocsp.key"),
		"parameters":      p.read("params.pem") + p.read("ocsp.key") + p.read("ocsp.crt"),
		"text and CRLF":   "Certificate:\r\n    Data:\r\n" + strings.ReplaceAll(p.read("ocsp.crt")+p.read("ocsp.key"), "\n", "\r\n"),
		"chain afterward": p.read("ocsp.crt") + p.read("ca.crt") + p.read("ocsp.key"),
	} {
		t.Run(name, func(t *testing.T) {
			s, err := signer.Load(p.write("all.pem", content), "", nil, signer.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if s.Certificate.Subject.CommonName != "ocsp" || s.KeyPath != s.Path {
				t.Errorf("%s with the key of %s", s.Certificate.Subject, s.KeyPath)
			}
		})
	}
}

func TestRefusedFiles(t *testing.T) {
	p := newPKI(t)
	for kind := range keyKinds {
		p.key(kind, kind)
	}
	p.key("other", "p256")
	p.openssl("dsaparam -noout -genkey -out dsa.pem 1024")
	for _, kind := range []string{"p256", "p224", "rsa1024", "secp256k1"} {
		p.selfSigned(kind, "ca")
	}
	p.openssl("req -config x.cnf -new -key p256.key -subj /CN=x -out p256.csr")
	p.openssl("req -config x.cnf -new -key p256.key -subj /CN=x -outform DER -out csr.der")
	p.openssl("pkcs12 -export -nokeys -in p256.crt -passout pass:x -out cert.p12")
	p.openssl("pkcs12 -export -nocerts -inkey p256.key -passout pass:x -out key.p12")
	p.openssl("pkcs12 -export -nomac -in p256.crt -inkey p256.key -passout pass:x -out nomac.p12")
	p.openssl("pkcs12 -export -certpbe CAMELLIA-128-CBC -in p256.crt -inkey p256.key -passout pass:x -out camellia.p12")
	p.openssl("pkcs8 -topk8 -nocrypt -in p256.key -outform DER -out key.der")
	p.write("empty", " \n")
	p.write("text", "no PEM at all")
	p.write("torn.crt", p.read("p256.crt")+p.read("p256.crt")[:100])
	p.write("bad.crt", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n")
	p.write("huge", strings.Repeat("x", 1<<20+1))
	const kinds = "RSA, P-256, P-384, P-521, Ed25519 and ML-DSA can"
	for _, c := range []struct{ cert, key, want string }{
		{"absent", "p256.key", "open DIR/absent: no such file or directory; is the path right? Relative ones in a settings file are taken from its directory, others from where the program was started"},
		{".", "p256.key", "read DIR: is a directory"},
		{"empty", "p256.key", "DIR/empty: the file is empty"},
		{"huge", "p256.key", "DIR/huge: larger than 1 MiB; not a file of certificates or keys"},
		{"text", "p256.key", "DIR/text: no certificate found, but x509: malformed certificate"},
		{"torn.crt", "p256.key", "DIR/torn.crt: damaged PEM: 2 blocks begin, 1 can be read"},
		{"bad.crt", "p256.key", "DIR/bad.crt: certificate 1: x509: malformed tbs certificate"},
		{"p256.csr", "p256.key", "DIR/p256.csr: no certificate found, but CERTIFICATE REQUEST"},
		{"csr.der", "p256.key", "DIR/csr.der: no certificate found, but a certificate request"},
		{"key.der", "p256.key", "DIR/key.der: no certificate found, but a private key"},
		{"cert.p12", "p256.key", "DIR/cert.p12: this PKCS#12 file cannot be read (pkcs12: private key missing); openssl pkcs12 -in FILE -out NEW.pem makes it PEM"},
		{"p256.crt", "key.p12", "DIR/key.p12: this PKCS#12 file cannot be read (pkcs12: certificate missing); openssl pkcs12 -in FILE -out NEW.pem makes it PEM"},
		{"p256.crt", "nomac.p12", "DIR/nomac.p12: this PKCS#12 file cannot be read (pkcs12: no MAC in data); openssl pkcs12 -in FILE -out NEW.pem makes it PEM"},
		{"p256.crt", "camellia.p12", "DIR/camellia.p12: this PKCS#12 file cannot be read (pkcs12: pbes2 algorithm 1.2.392.200011.61.1.1.1.2 is not supported); openssl pkcs12 -in FILE -out NEW.pem makes it PEM"},
		{"p256.key", "p256.key", "DIR/p256.key: no certificate found, but PRIVATE KEY"},
		{"secp256k1.crt", "p256.key", "DIR/secp256k1.crt: certificate 1: x509: unsupported elliptic curve"},
		{"p256.crt", "absent", "open DIR/absent: no such file or directory; is the path right? Relative ones in a settings file are taken from its directory, others from where the program was started"},
		{"p256.crt", "", "DIR/p256.crt: no private key found, but CERTIFICATE; name the file of the key with -rkey"},
		{"p256.crt", "text", "DIR/text: no private key found, neither in PEM nor in DER; name the file of the key with -rkey"},
		{"p256.crt", "rsa1024.key", "DIR/rsa1024.key: RSA key of 1024 bits; at least 2048 are needed"},
		{"p256.crt", "p224.key", "DIR/p224.key: key on the curve P-224; P-256, P-384 and P-521 can sign"},
		{"p256.crt", "secp256k1.key", "DIR/secp256k1.key: this key cannot be used: x509: failed to parse EC private key embedded in PKCS#8: x509: unknown elliptic curve; " + kinds},
		{"p256.crt", "ed448.key", "DIR/ed448.key: this key cannot be used: x509: PKCS#8 wrapping contained private key with unknown algorithm: 1.3.101.113; " + kinds},
		{"p256.crt", "x25519.key", "DIR/x25519.key: not a key that signs; " + kinds},
		{"p256.crt", "dsa.pem", "DIR/dsa.pem: this key cannot be used: x509: PKCS#8 wrapping contained private key with unknown algorithm: 1.2.840.10040.4.1; " + kinds},
		{"p256.crt", "other.key", `DIR/p256.crt: the key in DIR/other.key does not fit this certificate ("CN=p256"); give the -rkey that was made for it`},
	} {
		t.Run("SGN-07 "+c.cert+" "+c.key, func(t *testing.T) {
			key := c.key
			if key != "" {
				key = p.path(key)
			}
			_, err := signer.Load(p.path(c.cert), key, phrase("x"), signer.Options{})
			p.wantError(t, err, c.want)
		})
	}
}

// What openssl encrypts keys with, and what this does not read: it is named,
// with the command that helps.
func TestUnreadableCiphers(t *testing.T) {
	p := newPKI(t)
	p.key("rsa", "rsa")
	p.selfSigned("rsa", "ca")
	for _, c := range []struct{ line, cipher, provider string }{
		{"rsa -in IN.key -traditional -camellia128", "CAMELLIA-128-CBC", ""},
		{"rsa -in IN.key -traditional -camellia192", "CAMELLIA-192-CBC", ""},
		{"rsa -in IN.key -traditional -camellia256", "CAMELLIA-256-CBC", ""},
		{"rsa -in IN.key -traditional -aria128", "ARIA-128-CBC", ""},
		{"rsa -in IN.key -traditional -aria192", "ARIA-192-CBC", ""},
		{"rsa -in IN.key -traditional -aria256", "ARIA-256-CBC", ""},
		{"rsa -in IN.key -traditional -aes-256-cfb", "AES-256-CFB", ""},
		{"pkey LEGACY -in IN.key -traditional -seed", "SEED-CBC", "-provider legacy -provider default "},
		{"pkey LEGACY -in IN.key -traditional -bf", "BF-CBC", "-provider legacy -provider default "},
		{"pkey LEGACY -in IN.key -traditional -cast5-cbc", "CAST5-CBC", "-provider legacy -provider default "},
		{"pkey LEGACY -in IN.key -traditional -rc2", "RC2-CBC", "-provider legacy -provider default "},
		{"pkcs8 -topk8 LEGACY -in IN.key -v1 PBE-MD5-RC2-64", "PBE-MD5-RC2-64", "-provider legacy -provider default "},
		{"pkcs8 -topk8 LEGACY -in IN.key -v1 PBE-SHA1-RC2-64", "PBE-SHA1-RC2-64", "-provider legacy -provider default "},
		{"pkcs8 -topk8 LEGACY -in IN.key -v1 PBE-SHA1-RC2-128", "PBE-SHA1-RC2-128", "-provider legacy -provider default "},
		{"pkcs8 -topk8 LEGACY -in IN.key -v1 PBE-SHA1-RC2-40", "PBE-SHA1-RC2-40", "-provider legacy -provider default "},
		{"pkcs8 -topk8 -in IN.key -v2 camellia-128-cbc", "CAMELLIA-128-CBC", ""},
		{"pkcs8 -topk8 -in IN.key -v2 camellia-192-cbc", "CAMELLIA-192-CBC", ""},
		{"pkcs8 -topk8 -in IN.key -v2 camellia-256-cbc", "CAMELLIA-256-CBC", ""},
		{"pkcs8 -topk8 -in IN.key -v2 aria-128-cbc", "ARIA-128-CBC", ""},
		{"pkcs8 -topk8 -in IN.key -v2 aria-192-cbc", "ARIA-192-CBC", ""},
		{"pkcs8 -topk8 -in IN.key -v2 aria-256-cbc", "ARIA-256-CBC", ""},
		{"pkcs8 -topk8 -in IN.key -v2 sm4", "SM4-CBC", ""},
		{"pkcs8 -topk8 -in IN.key -v2 aes-256-cfb", "AES-256-CFB", ""},
		{"pkcs8 -topk8 -in IN.key -v2 aes-256-ofb", "AES-256-OFB", ""},
		{"pkcs8 -topk8 LEGACY -in IN.key -v2 seed", "SEED-CBC", "-provider legacy -provider default "},
		{"pkcs8 -topk8 LEGACY -in IN.key -v2 bf-cbc", "BF-CBC", "-provider legacy -provider default "},
		{"pkcs8 -topk8 LEGACY -in IN.key -v2 cast5-cbc", "CAST5-CBC", "-provider legacy -provider default "},
		{"pkcs8 -topk8 LEGACY -in IN.key -v2 rc2-cbc", "RC2-CBC", "-provider legacy -provider default "},
		{"pkcs8 -topk8 LEGACY -in IN.key -v2 rc4", "RC4", "-provider legacy -provider default "},
	} {
		t.Run("SGN-07 "+c.line, func(t *testing.T) {
			p.openssl(fillIn("rsa").Replace(c.line + " -passout pass:opensesame -out OUT"))
			_, err := signer.Load(p.path("rsa.crt"), p.path("form.key"), phrase("opensesame"), signer.Options{})
			p.wantError(t, err, "DIR/form.key: encrypted with "+c.cipher+", which cannot be read here; openssl pkcs8 -topk8 "+
				c.provider+"-in FILE -out NEW.pem makes it a key that can")
			p.openssl("pkcs8 -topk8 " + c.provider + "-in form.key -passin pass:opensesame -passout pass:opensesame -out new.pem")
			if _, err := signer.Load(p.path("rsa.crt"), p.path("new.pem"), phrase("opensesame"), signer.Options{}); err != nil {
				t.Errorf("what the message says does not help: %v", err)
			}
		})
	}
}

// A PKCS#12 file is certificate and key in one, and a CA's certificate where
// its pass phrase is empty.
func TestPKCS12(t *testing.T) {
	p := newPKI(t)
	p.key("ca", "p256")
	p.selfSigned("ca", "ca")
	p.key("ocsp", "p256")
	p.issue("ca", "ocsp", "ocsp", "")
	p.openssl("pkcs12 -export -in ocsp.crt -inkey ocsp.key -certfile ca.crt -passout pass:sesame -out ocsp.p12")
	p.openssl("pkcs12 -export -in ocsp.crt -inkey ocsp.key -certfile ca.crt -passout pass: -out open.p12")
	for file, pass := range map[string]signer.Passphrase{"ocsp.p12": phrase("sesame"), "open.p12": nil} {
		s, err := signer.Load(p.path(file), "", pass, signer.Options{})
		if err != nil {
			t.Error(err)
			continue
		}
		if s.Certificate.Subject.CommonName != "ocsp" {
			t.Errorf("%s: took the certificate of %s", file, s.Certificate.Subject)
		}
	}
	_, err := signer.Load(p.path("ocsp.p12"), "", nil, signer.Options{})
	p.wantError(t, err, "DIR/ocsp.p12: the key is encrypted; give its pass phrase with -passin file:PATH")
	_, err = signer.Load(p.path("ocsp.p12"), "", phrase("simsim"), signer.Options{})
	p.wantError(t, err, "DIR/ocsp.p12: the pass phrase does not open this key; check -passin")
	certs, err := signer.ReadCertificates(p.path("open.p12"))
	if err != nil || len(certs) != 2 {
		t.Errorf("%d certificates, %v", len(certs), err)
	}
}

func TestReadCertificates(t *testing.T) {
	p := newPKI(t)
	p.key("a", "p256")
	p.selfSigned("a", "ca")
	p.key("b", "rsa")
	p.selfSigned("b", "ca")
	p.openssl("x509 -in a.crt -outform DER -out a.der")
	p.openssl("x509 -in a.crt -trustout -addtrust OCSPSigning -out trusted.pem")
	p.openssl("x509 -in a.crt -text -out text.pem")
	p.write("chain.pem", p.read("a.crt")+p.read("b.key")+p.read("b.crt"))
	for name, want := range map[string]string{"a.crt": "a", "a.der": "a", "trusted.pem": "a", "text.pem": "a", "chain.pem": "a b"} {
		certs, err := signer.ReadCertificates(p.path(name))
		if err != nil {
			t.Error(err)
		}
		var names []string
		for _, c := range certs {
			names = append(names, c.Subject.CommonName)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if _, err := signer.ReadCertificates(p.path("absent")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an absent file is %v", err)
	}
}

func TestReadPublicKeys(t *testing.T) {
	p := newPKI(t)
	p.key("a", "p256")
	p.selfSigned("a", "ca")
	p.key("b", "rsa")
	p.selfSigned("b", "ca")
	p.openssl("x509 -in a.crt -outform DER -out a.der")
	p.openssl("x509 -in a.crt -trustout -addtrust OCSPSigning -out trusted.pem")
	p.openssl("x509 -in a.crt -text -out text.pem")
	p.openssl("x509 -in a.crt -signkey a.key -days 9 -out renewed.crt")
	p.write("both.pem", p.read("a.key")+p.read("a.crt"))
	p.write("chain.pem", p.read("a.crt")+p.read("b.key")+p.read("b.crt"))
	p.openssl("pkcs12 -export -in a.crt -inkey a.key -passout pass: -out a.p12")
	for _, name := range []string{"a", "b"} {
		p.openssl("pkey -in " + name + ".key -pubout -outform DER -out " + name + ".pub")
	}
	for name, want := range map[string]string{"a.crt": "a", "a.der": "a", "trusted.pem": "a", "text.pem": "a", "renewed.crt": "a",
		"both.pem": "a", "a.p12": "a", "chain.pem": "a b"} {
		keys, err := signer.ReadPublicKeys(p.path(name))
		var names []string
		for _, key := range keys {
			names = append(names, map[string]string{p.read("a.pub"): "a", p.read("b.pub"): "b"}[string(key)])
		}
		if got := strings.Join(names, " "); err != nil || got != want {
			t.Errorf("%s: %q, want %q, %v", name, got, want, err)
		}
	}
	p.write("none.pem", p.read("a.key"))
	p.write("damaged.pem", p.read("a.crt")+p.read("b.crt")[:200])
	for _, name := range []string{"none.pem", "damaged.pem", "absent"} {
		_, want := signer.ReadCertificates(p.path(name))
		if keys, err := signer.ReadPublicKeys(p.path(name)); keys != nil || err == nil || err.Error() != want.Error() {
			t.Errorf("%s: %x, %v, want %v", name, keys, err, want)
		}
	}
}
