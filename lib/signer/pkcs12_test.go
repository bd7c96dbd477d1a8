package signer_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"ocspcgi/lib/signer"
)

// bundles are PKCS#12 files as openssl writes them.
func bundles(tb testing.TB) (all [][]byte) {
	p := newPKI(tb)
	p.key("ca", "p256")
	p.selfSigned("ca", "ca")
	for _, kind := range []string{"rsa", "p256", "ed25519"} {
		p.key(kind, kind)
		p.issue("ca", kind, "ocsp", "")
		for _, how := range []string{
			"", "-iter 1", "-iter 1 -legacy", "-iter 1 -nomac", "-noiter -nomaciter", "-keypbe NONE -certpbe NONE -iter 1", "-keypbe NONE -certpbe NONE -nomac",
			"-iter 1 -macalg sha512", "-iter 1 -keypbe AES-128-CBC -certpbe AES-192-CBC", "-iter 1 -certfile ca.crt", "-iter 1 -name ocsp -caname ca -certfile ca.crt", "-iter 1 -nokeys",
		} {
			p.openssl("pkcs12 -export -in " + kind + ".crt -inkey " + kind + ".key -passout pass:opensesame -out seed.p12 " + how)
			all = append(all, []byte(p.read("seed.p12")))
		}
	}
	return all
}

// FuzzPKCS12: a file that opens has a key and a certificate that read the same
// from PKCS#8 and DER, and opens with the one pass phrase alone. What is in it
// is sealed by a MAC: the octets of it are tried with one that fits, too.
func FuzzPKCS12(f *testing.F) {
	for _, data := range bundles(f) {
		f.Add(data)
		if safe, ok := safeOf(data); ok {
			f.Add(safe)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, file := range [][]byte{data, signer.MACed(data, "opensesame")} {
			if signer.MostIterations(file) > 5000 {
				continue // TestPKCS12Iterations is about those
			}
			key, err := signer.ParseKey("file", file, phrase("opensesame"))
			if err != nil {
				if _, again := signer.ParseKey("file", file, phrase("opensesame")); fmt.Sprint(again) != err.Error() {
					t.Fatalf("%v and then %v", err, again)
				}
				continue
			}
			if !isBundle(file) {
				continue // a key of another form, which FuzzKey is for
			}
			der, err := x509.MarshalPKCS8PrivateKey(key)
			if err != nil {
				t.Fatal(err)
			}
			again, err := signer.ParseKey("file", der, nil)
			if err != nil || !key.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(again.Public()) {
				t.Fatalf("another key: %v", err)
			}
			if _, err := signer.ParseKey("file", file, phrase("opensesam")); !errors.Is(err, signer.ErrPassphrase) {
				t.Fatalf("with another pass phrase: %v", err)
			}
		}
	})
}

// isBundle tells whether data is a PFX (RFC 7292 §4).
func isBundle(data []byte) bool {
	s := cryptobyte.String(data)
	var pfx cryptobyte.String
	var version int
	return s.ReadASN1(&pfx, asn1.SEQUENCE) && pfx.ReadASN1Integer(&version) && version == 3
}

// safeOf returns the octets in a PFX that its MAC is of.
func safeOf(data []byte) (safe []byte, ok bool) {
	s := cryptobyte.String(data)
	var pfx, info, tagged, octets cryptobyte.String
	ok = s.ReadASN1(&pfx, asn1.SEQUENCE) && pfx.SkipASN1(asn1.INTEGER) && pfx.ReadASN1(&info, asn1.SEQUENCE) &&
		info.SkipASN1(asn1.OBJECT_IDENTIFIER) && info.ReadASN1(&tagged, asn1.Tag(0).ContextSpecific().Constructed()) &&
		tagged.ReadASN1(&octets, asn1.OCTET_STRING)
	return octets, ok
}

// What a file with a key asks for is done up to a limit, wherever in it that
// stands.
func TestPKCS12Iterations(t *testing.T) {
	p := newPKI(t)
	p.key("ocsp", "p256")
	p.selfSigned("ocsp", "ca")
	p.openssl("pkcs12 -export -iter 12345 -in ocsp.crt -inkey ocsp.key -passout pass:opensesame -out seed.p12")
	file := []byte(p.read("seed.p12"))
	const iterations = "\x02\x02\x30\x39"
	if n := bytes.Count(file, []byte(iterations)); n != 3 {
		t.Fatalf("%d counts of iterations, want those of the MAC, the key and the certificate", n)
	}
	for i := range 3 {
		for what, count := range map[string]string{"2147483647": "\x02\x04\x7f\xff\xff\xff", "9223372036854775807": "\x02\x09\x7f" + strings.Repeat("\xff", 8)} {
			bomb := file
			at := 0
			for range i + 1 {
				at += bytes.Index(bomb[at:], []byte(iterations)) + 1
			}
			bomb = replaced(bomb, at-1, len(iterations), count)
			_, err := signer.ParseKey("bomb.p12", bomb, phrase("opensesame"))
			want := "bomb.p12: encrypted with " + what + " iterations; at most 10000000 are done"
			if err == nil || err.Error() != want {
				t.Errorf("count %d: %v\nwant %s", i, err, want)
			}
		}
	}
	if _, err := signer.ParseKey("f", file, phrase("opensesame")); err != nil {
		t.Error(err)
	}
}

// replaced puts an element of DER in the place of another, and lengthens all that
// it is in.
func replaced(der []byte, at, size int, by string) []byte {
	var b cryptobyte.Builder
	rest := cryptobyte.String(der)
	for offset := 0; !rest.Empty(); {
		element := rest
		var content cryptobyte.String
		var tag asn1.Tag
		var whole cryptobyte.String
		if !rest.ReadAnyASN1Element(&whole, &tag) {
			return slices.Concat(der[:at], []byte(by), der[at+size:])
		}
		begin, end := offset, offset+len(whole)
		offset = end
		switch {
		case begin == at && len(whole) == size:
			b.AddBytes([]byte(by))
		case begin <= at && at < end:
			element.ReadAnyASN1(&content, &tag)
			head := len(whole) - len(content)
			b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes(replaced(content, at-begin-head, size, by)) })
		default:
			b.AddBytes(whole)
		}
	}
	return b.BytesOrPanic()
}
