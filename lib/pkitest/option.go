package pkitest

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Option changes a certificate before it is issued.
type Option func(*request)

// Key sets the kind of key: p256 (the default), p384, p521, ed25519, ed448 or
// rsa with its bits behind it (rsa alone means rsa2048).
func Key(kind string) Option { return func(r *request) { r.key = kind } }

// PassPhrase encrypts the key with AES-256.
func PassPhrase(p string) Option { return func(r *request) { r.passPhrase = p } }

// Subject sets the distinguished name as openssl writes it: /C=GB/CN=x.
func Subject(dn string) Option { return func(r *request) { r.subject = dn } }

// Serial sets the serial number, in hexadecimal digits of even count. The
// certificates that follow count on from it.
func Serial(hex string) Option { return func(r *request) { r.serial = hex } }

// Days sets for how long the certificate is valid from now.
func Days(n int) Option { return func(r *request) { r.days = n } }

// Valid sets from when to when the certificate is valid. Unlisted takes no
// notice of it.
func Valid(from, to time.Time) Option { return func(r *request) { r.from, r.to = from, to } }

// Expired makes a certificate that expired yesterday.
func Expired() Option {
	now := time.Now()
	return Valid(now.AddDate(0, 0, -30), now.AddDate(0, 0, -1))
}

// Extension sets an extension in the words of x509v3_config, such as
// Extension("tlsfeature", "status_request") or Extension("authorityInfoAccess",
// "OCSP;URI:http://127.0.0.1/"); an empty value leaves the extension out.
func Extension(name, value string) Option {
	return func(r *request) {
		has := func(e extension) bool { return e.name == name }
		switch i := slices.IndexFunc(r.extensions, has); {
		case i >= 0:
			r.extensions[i].value = value
		default:
			r.extensions = append(r.extensions, extension{name, value})
		}
	}
}

// NoEKU makes a signer that nobody has told it may sign OCSP responses.
func NoEKU() Option { return Extension("extendedKeyUsage", "") }

// NoNocheck makes a signer that clients may want to see the status of.
func NoNocheck() Option { return Extension("noCheck", "") }

// request is what a certificate is issued from.
type request struct {
	name, subject, serial string
	key, passPhrase       string
	days                  int
	from, to              time.Time // zero: days from now
	extensions            []extension
	selfSigned            bool
}

type extension struct{ name, value string }

func caExtensions() []extension {
	return []extension{
		{"subjectKeyIdentifier", "hash"},
		{"authorityKeyIdentifier", "keyid"},
		{"basicConstraints", "critical,CA:true"},
		{"keyUsage", "critical,digitalSignature,cRLSign,keyCertSign"},
	}
}

func leafExtensions() []extension {
	return []extension{
		{"subjectKeyIdentifier", "hash"},
		{"authorityKeyIdentifier", "keyid"},
		{"basicConstraints", "CA:false"},
		{"keyUsage", "critical,digitalSignature"},
		{"extendedKeyUsage", "serverAuth,clientAuth"},
		{"subjectAltName", "DNS:localhost,IP:127.0.0.1"},
	}
}

func signerExtensions() []extension {
	return []extension{
		{"subjectKeyIdentifier", "hash"},
		{"authorityKeyIdentifier", "keyid"},
		{"basicConstraints", "CA:false"},
		{"keyUsage", "critical,digitalSignature"},
		{"extendedKeyUsage", "critical,OCSPSigning"},
		{"noCheck", "ignored"},
	}
}

func newRequest(name string, extensions func() []extension, opts []Option) *request {
	r := &request{name: name, subject: "/CN=" + name, key: "p256", days: 375, extensions: extensions()}
	for _, opt := range opts {
		opt(r)
	}
	return r
}

// makeKey writes a new private key to path.
func (r *request) makeKey(t testing.TB, path string) {
	t.Helper()
	args := []string{"genpkey", "-out", path}
	switch curve, isCurve := strings.CutPrefix(r.key, "p"); {
	case isCurve:
		args = append(args, "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-"+curve)
	case r.key == "rsa":
		args = append(args, "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
	case strings.HasPrefix(r.key, "rsa"):
		args = append(args, "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:"+r.key[3:])
	default:
		args = append(args, "-algorithm", r.key)
	}
	if r.passPhrase != "" {
		args = append(args, "-aes256", "-pass", "pass:"+r.passPhrase)
	}
	OpenSSL(t, args...)
}

// makeCSR writes a certification request for the key and returns its path.
func (r *request) makeCSR(ca *CA, key string) string {
	ca.t.Helper()
	csr := filepath.Join(ca.Dir, "csr", r.name+".csr.pem")
	OpenSSL(ca.t, "req", "-new", "-config", ca.Config, "-key", key, "-passin", "pass:"+r.passPhrase,
		"-subj", r.subject, "-utf8", "-out", csr)
	return csr
}

// sign has the CA issue the certificate of the key.
func (r *request) sign(ca *CA, key, cert string) {
	ca.t.Helper()
	if r.serial != "" {
		ca.setSerial(r.serial)
	}
	args := []string{"-notext", "-in", r.makeCSR(ca, key), "-out", cert,
		"-preserveDN", "-extfile", r.writeExtensions(ca), "-extensions", "ext"}
	if r.selfSigned {
		args = append(args, "-selfsign", "-keyfile", key)
	}
	if r.from.IsZero() {
		args = append(args, "-days", fmt.Sprint(r.days))
	} else {
		const layout = "20060102150405Z"
		args = append(args, "-startdate", r.from.UTC().Format(layout), "-enddate", r.to.UTC().Format(layout))
	}
	ca.run(args...)
}

// writeExtensions writes the extensions as section ext and returns the path.
func (r *request) writeExtensions(ca *CA) string {
	ca.t.Helper()
	var b strings.Builder
	b.WriteString("[ ext ]\n")
	for _, e := range r.extensions {
		if e.value != "" {
			fmt.Fprintf(&b, "%s = %s\n", e.name, e.value)
		}
	}
	path := filepath.Join(ca.Dir, "csr", r.name+".ext.cnf")
	writeFile(ca.t, path, b.String())
	return path
}
