package wire_test

import (
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
