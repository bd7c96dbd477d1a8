package signer_test

import (
	"crypto"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
	"strings"
	"testing"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/signer"
)

// Composite keys that have one half in common are different keys.
func TestCompositeHalves(t *testing.T) {
	ca := pkitest.HandCA(t, t.TempDir(), "MLDSA65-ECDSA-P256-SHA512")
	a, b := contentOf(ca), contentOf(ca.OCSPSigner(t, "other", "MLDSA65-ECDSA-P256-SHA512"))
	public := func(halves ...[]byte) crypto.PublicKey {
		key, err := signer.ParseKey("ocsp.key", pkcs8(compositeOID(45), slices.Concat(halves...)), nil)
		if err != nil {
			t.Fatal(err)
		}
		return key.Public()
	}
	own := public(a).(interface{ Equal(crypto.PublicKey) bool })
	for name, c := range map[string]struct {
		key  crypto.PublicKey
		same bool
	}{
		"the same":       {public(a), true},
		"another ECDSA":  {public(a[:32], b[32:]), false},
		"another ML-DSA": {public(b[:32], a[32:]), false},
	} {
		t.Run("SGN-07 "+name, func(t *testing.T) {
			if own.Equal(c.key) != c.same {
				t.Errorf("equal: %v", !c.same)
			}
		})
	}
}

// Composite keys that are damaged: the seed ends, the ECDSA key does, or it is
// on another curve.
func TestCompositeRefused(t *testing.T) {
	ca := pkitest.HandCA(t, t.TempDir(), "MLDSA65-ECDSA-P256-SHA512")
	larger := ca.OCSPSigner(t, "larger", "MLDSA65-ECDSA-P384-SHA512")
	oid := compositeOID(45)
	const damaged = "ocsp.key: this MLDSA65-ECDSA-P256-SHA512 key is damaged: "
	for name, c := range map[string]struct {
		content []byte
		want    string
	}{
		"short":         {testSeed[:31], damaged + "it has no seed of 32 bytes"},
		"no ECDSA":      {testSeed, damaged + "no ECDSA key of it behind the seed: "},
		"another curve": {contentOf(larger), damaged + "no ECDSA key of it behind the seed: it is on the curve P-384"},
	} {
		t.Run("SGN-17 "+name, func(t *testing.T) {
			_, err := signer.ParseKey("ocsp.key", pkcs8(oid, c.content), nil)
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("the error is %v\nwant %s", err, c.want)
			}
		})
	}
}

func compositeOID(last int) asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 6, last}
}

// contentOf is the content of privateKey.
func contentOf(h *pkitest.Hand) []byte {
	var key struct {
		Version   int
		Algorithm pkix.AlgorithmIdentifier
		Content   []byte
	}
	if _, err := asn1.Unmarshal(h.PKCS8(), &key); err != nil {
		panic(err)
	}
	return key.Content
}
