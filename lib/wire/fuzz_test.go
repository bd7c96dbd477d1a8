package wire_test

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/wire"
)

// recorded are the messages of the real openssl in testdata/folder.
func recorded(t testing.TB, folder string) [][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", folder, "*.der"))
	if err != nil {
		t.Fatal(err)
	}
	var all [][]byte
	for _, file := range files {
		der, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, der)
	}
	return all
}

// requestSeeds are the recorded requests and those of the tables.
func requestSeeds(t testing.TB) [][]byte {
	seeds := recorded(t, "requests")
	for _, test := range malformed {
		seeds = append(seeds, test.der)
	}
	for _, test := range accepted {
		seeds = append(seeds, test.der)
	}
	for _, test := range certIDs {
		seeds = append(seeds, request(list(single(seq(test.algorithm, octets(test.name), octets(test.key), integer(0x2a, 0x01))))))
	}
	return seeds
}

func responseSeeds(t testing.TB) [][]byte {
	seeds := recorded(t, "responses")
	for _, test := range responses() {
		seeds = append(seeds, test.der)
	}
	for _, test := range badResponses {
		seeds = append(seeds, test.der)
	}
	return seeds
}

func TestSeeds(t *testing.T) {
	for what, test := range map[string]struct{ got, want int }{
		"recorded requests":  {len(recorded(t, "requests")), 16},
		"request seeds":      {len(requestSeeds(t)), 150},
		"recorded responses": {len(recorded(t, "responses")), 3},
		"response seeds":     {len(responseSeeds(t)), 50},
	} {
		if test.got < test.want {
			t.Errorf("%d %s, want %d", test.got, what, test.want)
		}
	}
	for i, der := range recorded(t, "requests") {
		if _, err := wire.ParseRequest(der); err != nil {
			t.Errorf("recorded request %d: %v", i, err)
		}
	}
}

func FuzzParseRequest(f *testing.F) {
	for _, der := range requestSeeds(f) {
		f.Add(der)
	}
	var again wire.Request
	f.Fuzz(func(t *testing.T, der []byte) {
		r, err := wire.ParseRequest(der)
		if err2 := again.Unmarshal(der); (err == nil) != (err2 == nil) {
			t.Fatalf("%v the first time, %v the second", err, err2)
		}
		if err != nil {
			return
		}
		if !reflect.DeepEqual(r.CertIDs, again.CertIDs) || !bytes.Equal(r.Nonce, again.Nonce) || len(r.Preferred) != len(again.Preferred) {
			t.Fatalf("%+v the first time, %+v the second", r, &again)
		}
		checkRequestLimits(t, r)
		checkInside(t, r, der)
		checkRequestRoundTrip(t, r, der)
		checkAgainstGo(t, r, der)
	})
}

func checkRequestLimits(t *testing.T, r *wire.Request) {
	t.Helper()
	if n := len(r.CertIDs); n < 1 || n > wire.MaxRequests {
		t.Fatalf("%d CertIDs", n)
	}
	if n := len(r.Nonce); r.Nonce != nil && (n < 1 || n > 131) {
		t.Fatalf("a nonce of %d octets", n)
	}
}

// checkInside checks that the CertIDs lie in der, one after the other.
func checkInside(t *testing.T, r *wire.Request, der []byte) {
	t.Helper()
	from := 0
	for _, id := range r.CertIDs {
		// Where a slice begins is told by the capacity that it leaves.
		at := cap(der) - cap(id.Raw)
		if at < from || at+len(id.Raw) > len(der) || &der[at] != &id.Raw[0] {
			t.Fatalf("a CertID at %d, after %d, in %d bytes", at, from, len(der))
		}
		from = at + len(id.Raw)
		again, err := wire.ParseCertID(id.Raw)
		if err != nil || again.Hash != id.Hash || !bytes.Equal(again.Serial, id.Serial) {
			t.Fatalf("%+v is %+v alone, %v", id, again, err)
		}
	}
}

// checkRequestRoundTrip writes r again, unsigned. That leaves out what is not
// read and nothing else: it is never longer, and where nothing was left out it
// is der to the byte.
func checkRequestRoundTrip(t *testing.T, r *wire.Request, der []byte) {
	t.Helper()
	written, err := r.Marshal(nil)
	if err != nil {
		t.Fatal(err)
	}
	again, err := wire.ParseRequest(written)
	if err != nil {
		t.Fatalf("%v in %x", err, written)
	}
	if serials(again) != serials(r) || !bytes.Equal(again.Nonce, r.Nonce) || !bytes.Equal(again.RequestorName, r.RequestorName) ||
		!reflect.DeepEqual(append([][]byte{}, again.Preferred...), append([][]byte{}, r.Preferred...)) {
		t.Fatalf("%+v is read again as %+v", r, again)
	}
	if len(written) > len(der) {
		t.Fatalf("%x is written as %x", der, written)
	}
	if len(written) == len(der) && len(r.Preferred) == 0 && !bytes.Equal(written, der) {
		t.Fatalf("%x is written as %x", der, written)
	}
}

// checkAgainstGo compares with golang.org/x/crypto/ocsp, where that reads der
// at all.
func checkAgainstGo(t *testing.T, r *wire.Request, der []byte) {
	t.Helper()
	theirs, err := ocsp.ParseRequest(der)
	if err != nil {
		return
	}
	ours := r.CertIDs[0]
	if ours.Hash != 0 && ours.Hash != theirs.HashAlgorithm {
		t.Fatalf("hash %v, theirs %v", ours.Hash, theirs.HashAlgorithm)
	}
	if !bytes.Equal(ours.IssuerNameHash, theirs.IssuerNameHash) || !bytes.Equal(ours.IssuerKeyHash, theirs.IssuerKeyHash) {
		t.Fatalf("hashes %x %x, theirs %x %x", ours.IssuerNameHash, ours.IssuerKeyHash, theirs.IssuerNameHash, theirs.IssuerKeyHash)
	}
	if serial := twosComplement(ours.Serial); serial.Cmp(theirs.SerialNumber) != 0 {
		t.Fatalf("serial %v, theirs %v", serial, theirs.SerialNumber)
	}
}

func FuzzParseResponse(f *testing.F) {
	for _, der := range responseSeeds(f) {
		f.Add(der)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		r, err := wire.ParseResponse(der)
		if err != nil {
			return
		}
		if r.Status != ocsp.Success {
			if len(r.Singles) != 0 {
				t.Fatalf("%v says something", r.Status)
			}
			return
		}
		sign := func([]byte) ([]byte, []byte, error) { return r.SignatureAlgorithm, r.Signature, nil }
		written, err := r.Response.Marshal(sign)
		if err != nil {
			return // says nothing, or names nobody: such are read, never written
		}
		again, err := wire.ParseResponse(written)
		if err != nil {
			t.Fatalf("%v in %x", err, written)
		}
		checkResponseRoundTrip(t, r, again)
		bare := len(r.Nonce) == 0 && !r.ExtendedRevoke // the order of extensions is not kept
		if len(written) > len(der) || len(written) == len(der) && bare && !bytes.Equal(written, der) {
			t.Fatalf("%x is written as %x", der, written)
		}
	})
}

// checkResponseRoundTrip compares what was read with what was written and read
// again. Reasons that are not written and an empty nonce are lost on the way.
func checkResponseRoundTrip(t *testing.T, r, again *wire.OCSPResponse) {
	t.Helper()
	for i := range r.Singles {
		switch r.Singles[i].Reason {
		case 1, 2, 3, 4, 5, 6, 9, 10:
		default:
			r.Singles[i].Reason = -1
		}
	}
	if len(r.Nonce) == 0 {
		r.Nonce = nil
	}
	r.TBS, again.TBS = nil, nil
	if !reflect.DeepEqual(r, again) {
		t.Fatalf("%+v is read again as %+v", r, again)
	}
}

// What is taken for the data of a response is what Marshal has signed, to the
// byte, and so says nothing that Response does not.
func FuzzParseResponseData(f *testing.F) {
	for _, der := range responseSeeds(f) {
		f.Add(der)
		if r, err := wire.ParseResponse(der); err == nil && r.TBS != nil {
			f.Add(r.TBS)
		}
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		r, err := wire.ParseResponseData(der)
		if err != nil {
			return
		}
		var signed []byte
		sign := func(tbs []byte) ([]byte, []byte, error) { signed = tbs; return []byte{0x30, 0}, []byte{1}, nil }
		if _, err := r.Marshal(sign); err != nil || !bytes.Equal(signed, der) {
			t.Fatalf("%x is written as %x: %v", der, signed, err)
		}
	})
}
