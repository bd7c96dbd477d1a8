package signer_test

import (
	"cmp"
	"encoding/hex"
	"encoding/pem"
	"testing"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/signer"
)

// A key of RSA that it would take for ever to verify with is refused, by the file that
// it is in as well as by who finds it beside what it is said to have signed. The
// largest of those that are not are used.
func TestBounded(t *testing.T) {
	p := newPKI(t)
	identifier, err := hex.DecodeString("300d06092a864886f70d01010b0500") // sha256WithRSAEncryption
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name           string
		bits, exponent int64
		want           string
	}{
		{"a modulus of 65,537 bits", 65537, 65537, "an RSA key of 65537 bits; those of at most 16384 are verified with: have a smaller one certified, such as of 3072"},
		{"one bit too many", 16385, 65537, "an RSA key of 16385 bits; those of at most 16384 are verified with: have a smaller one certified, such as of 3072"},
		{"an exponent of 32 bits", 2048, 1<<31 + 1, "an RSA key with the exponent 2147483649; at most 2147483647 is verified with: have another one certified, such as with 65537"},
		{"an exponent of 63 bits", 2048, 1<<63 - 1, "an RSA key with the exponent 9223372036854775807; at most 2147483647 is verified with: have another one certified, such as with 65537"},
		{"the largest modulus", 16384, 65537, ""},
		{"the largest exponent", 2048, 1<<31 - 1, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			cert := pkitest.RSACertificate(t, int(c.bits), int(c.exponent))
			p.write("absurd.der", string(cert.Raw))
			p.write("absurd.crt", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})))
			for _, file := range []string{"absurd.der", "absurd.crt"} {
				certs, err := signer.ReadCertificates(p.path(file))
				if c.want != "" {
					p.wantError(t, err, "DIR/"+file+": certificate 1: "+c.want)
				} else if err != nil || !certs[0].Equal(cert) {
					t.Errorf("%s: %v", file, err)
				}
			}
			signature := make([]byte, (c.bits+7)/8) // of another length it is none, which costs nothing
			signature[len(signature)-1] = 2
			p.wantError(t, signer.CheckSignature(cert, identifier, []byte("signed"), signature), cmp.Or(c.want, "it does not verify with its key"))
		})
	}
}
