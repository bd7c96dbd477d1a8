package wire_test

import (
	"errors"
	"strings"
	"testing"

	"ocspcgi/lib/wire"
)

func TestMarshalRequestRefuses(t *testing.T) {
	id := wire.CertID{Raw: certID(1)}
	fails := func([]byte) ([]byte, []byte, error) { return nil, nil, errors.New("no key") }
	for _, test := range []struct {
		row     string
		request wire.Request
		signer  wire.Signer
		want    string
	}{
		{"no CertID", wire.Request{}, nil, "not 0"},
		{"101 CertIDs", wire.Request{CertIDs: make([]wire.CertID, 101)}, nil, "not 101"},
		{"CertID without Raw", wire.Request{CertIDs: []wire.CertID{id, {Serial: []byte{1}}}}, nil, "CertID 2"},
		{"nonce of 129", wire.Request{CertIDs: []wire.CertID{id}, Nonce: fill(1, 129)}, nil, "the nonce has 129 octets"},
		{"signed without requestorName", wire.Request{CertIDs: []wire.CertID{id}}, fixed, "requestorName"},
		{"signer fails", wire.Request{CertIDs: []wire.CertID{id}, RequestorName: explicit(4, name("a"))}, fails, "no key"},
	} {
		t.Run(test.row, func(t *testing.T) {
			der, err := test.request.Marshal(test.signer)
			if err == nil || der != nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%x, %v, want %q", der, err, test.want)
			}
		})
	}
}

func TestNonceValue(t *testing.T) {
	for _, n := range []int{1, 16, 128} {
		if value, err := wire.NonceValue(fill(7, n)); err != nil || hex(value) != hex(octets(fill(7, n))) {
			t.Errorf("%d octets: %x, %v", n, value, err)
		}
	}
	for _, n := range []int{0, 129} {
		if value, err := wire.NonceValue(fill(7, n)); err == nil || value != nil {
			t.Errorf("%d octets: %x, %v", n, value, err)
		}
	}
}

func TestSameAlgorithm(t *testing.T) {
	pss := func(salt byte) []byte { return seq(oid(oidRSA+"\x0a"), seq(explicit(2, integer(salt)))) }
	for _, test := range []struct {
		row  string
		a, b []byte
		want bool
	}{
		{"REQ-43 the same", rsa256, rsa256, true},
		{"REQ-43 NULL and absent", rsa256, seq(oid(oidRSA + "\x0b")), true},
		{"REQ-43 absent and NULL", ecdsa256, seq(oid(oidECDSA256), null), true},
		{"REQ-43 other OID", rsa256, seq(oid(oidRSA+"\x0c"), null), false},
		{"REQ-43 same parameters", pss(32), pss(32), true},
		{"REQ-43 other parameters", pss(32), pss(48), false},
		{"REQ-43 parameters and none", pss(32), seq(oid(oidRSA + "\x0a")), false},
		{"REQ-43 nothing", nil, nil, false},
		{"REQ-43 not an algorithm", rsa256, seq(null), false},
		{"REQ-43 a byte more", append(rsa256[:len(rsa256):len(rsa256)], 0), rsa256, false},
	} {
		t.Run(test.row, func(t *testing.T) {
			if got := wire.SameAlgorithm(test.a, test.b); got != test.want {
				t.Errorf("%v", got)
			}
		})
	}
}

func TestUnmarshalAllocatesNothing(t *testing.T) {
	der := extended(nonce(16), extension(oidPreferred, seq(seq(rsa256), seq(ecdsa256))))
	var r wire.Request
	if err := r.Unmarshal(der); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() {
		if err := r.Unmarshal(der); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
