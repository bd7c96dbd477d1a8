package wire_test

import (
	"crypto"
	"crypto/sha1"
	"crypto/sha256"
	"math/big"
	"sync"
	"testing"

	"ocspcgi/lib/wire"
)

// testIssuer is a CA that is nothing but a name with a key of five octets.
func testIssuer(t testing.TB) *wire.Issuer {
	t.Helper()
	issuer, err := wire.NewIssuer(name("CA"), publicKey(0, "a key"))
	if err != nil {
		t.Fatal(err)
	}
	return issuer
}

// publicKey is a SubjectPublicKeyInfo with those octets in the BIT STRING.
func publicKey(unused byte, key string) []byte {
	return seq(seq(oid(oidRSA+"\x01"), null), tlv(0x03, []byte{unused}, text(key)))
}

func TestMatches(t *testing.T) {
	issuer := testIssuer(t)
	names, keys := sha1.Sum(name("CA")), sha1.Sum(text("a key"))
	names2, keys2 := sha256.Sum256(name("CA")), sha256.Sum256(text("a key"))
	foreign := fill(0xee, 20)
	for _, test := range []struct {
		row       string
		hash      crypto.Hash
		name, key []byte
		want      bool
	}{
		{"REQ-22 both", crypto.SHA1, names[:], keys[:], true},
		{"REQ-22 both, SHA-256", crypto.SHA256, names2[:], keys2[:], true},
		{"REQ-22 name only", crypto.SHA1, names[:], foreign, false},
		{"REQ-22 key only", crypto.SHA1, foreign, keys[:], false},
		{"REQ-22 exchanged", crypto.SHA1, keys[:], names[:], false},
		{"REQ-21 unknown algorithm", 0, names[:], keys[:], false},
		{"REQ-21 MD5", crypto.MD5, names[:], keys[:], false},
		{"REQ-25 hashes of another algorithm", crypto.SHA256, names[:], keys[:], false},
		{"REQ-25 empty", crypto.SHA1, nil, nil, false},
		{"REQ-25 short name", crypto.SHA1, names[:19], keys[:], false},
		{"REQ-25 short key", crypto.SHA1, names[:], keys[:19], false},
		{"REQ-25 long", crypto.SHA1, append(names[:], 0), append(keys[:], 0), false},
	} {
		t.Run(test.row, func(t *testing.T) {
			id := wire.CertID{Hash: test.hash, IssuerNameHash: test.name, IssuerKeyHash: test.key}
			if got := issuer.Matches(&id); got != test.want {
				t.Errorf("Matches is %v", got)
			}
		})
	}
}

func TestMatchesAllocatesNothing(t *testing.T) {
	issuer := testIssuer(t)
	id, err := issuer.CertID(crypto.SHA256, big.NewInt(1))
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() { issuer.Matches(&id) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestMatchesFromManySides(t *testing.T) {
	issuer, reader := testIssuer(t), testIssuer(t)
	var group sync.WaitGroup
	for _, hash := range hashes {
		id, err := issuer.CertID(hash, big.NewInt(1))
		if err != nil {
			t.Fatal(err)
		}
		for range 4 {
			group.Go(func() {
				if !reader.Matches(&id) {
					t.Errorf("%v does not match", hash)
				}
			})
		}
	}
	group.Wait()
}

func TestKeyHash(t *testing.T) {
	want := sha1.Sum(text("a key"))
	if got := testIssuer(t).KeyHash(); got != want {
		t.Errorf("of the issuer: %x, want %x", got, want)
	}
	if got, err := wire.KeyHash(publicKey(0, "a key")); err != nil || got != want {
		t.Errorf("of the key: %x, %v, want %x", got, err, want)
	}
}

func TestIssuerIsRefused(t *testing.T) {
	good := publicKey(0, "a key")
	for _, test := range []struct {
		row           string
		subject, info []byte
	}{
		{"no subject", nil, good},
		{"subject is no Name", octets(text("CA")), good},
		{"subject with a byte more", append(name("CA"), 0), good},
		{"no key", name("CA"), nil},
		{"key with a byte more", name("CA"), append(publicKey(0, "a key"), 0)},
		{"key without algorithm", name("CA"), seq(tlv(0x03, []byte{0, 1}))},
		{"key with unused bits", name("CA"), publicKey(1, "a ke\x00")},
		{"key is no BIT STRING", name("CA"), seq(seq(oid(oidRSA+"\x01")), octets(text("a key")))},
	} {
		t.Run(test.row, func(t *testing.T) {
			if _, err := wire.NewIssuer(test.subject, test.info); err == nil {
				t.Error("accepted")
			}
		})
	}
	if _, err := wire.KeyHash(nil); err == nil {
		t.Error("KeyHash of nothing")
	}
	if _, err := testIssuer(t).CertID(crypto.MD5, big.NewInt(1)); err == nil {
		t.Error("a CertID with MD5")
	}
}

func TestParseCertIDRefuses(t *testing.T) {
	for row, der := range map[string][]byte{"empty": nil, "a byte more": append(certID(1), 0), "no serial": seq(sha1ID)} {
		if id, err := wire.ParseCertID(der); err == nil || id.Raw != nil {
			t.Errorf("%s: %+v, %v", row, id, err)
		}
	}
}
