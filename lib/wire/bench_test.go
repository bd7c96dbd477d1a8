package wire_test

import (
	"crypto"
	"math/big"
	"testing"

	"ocspcgi/lib/wire"
)

func BenchmarkParseRequest(b *testing.B) {
	der := extended(nonce(16))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := wire.ParseRequest(der); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUnmarshal(b *testing.B) {
	der := extended(nonce(16))
	var r wire.Request
	b.ReportAllocs()
	for b.Loop() {
		if err := r.Unmarshal(der); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMatches(b *testing.B) {
	issuer := testIssuer(b)
	id, err := issuer.CertID(crypto.SHA1, big.NewInt(1))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if !issuer.Matches(&id) {
			b.Fatal("does not match")
		}
	}
}

func BenchmarkMarshalResponse(b *testing.B) {
	r := oneResponse(goodSingle())
	r.Nonce = octets(fill(0x5c, 16))
	r.Certificates = [][]byte{seq(fill(1, 900))}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Marshal(fixed); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseResponse(b *testing.B) {
	der := whole(seq(byKey, produced, seq(goodDER), explicit(1, seq(nonce(16)))))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := wire.ParseResponse(der); err != nil {
			b.Fatal(err)
		}
	}
}
