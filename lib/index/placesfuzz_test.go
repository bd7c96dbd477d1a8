package index_test

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"ocspcgi/lib/index"
)

// FuzzPlaces: whatever the file of the places holds, a look-up says what a scan of
// the index says.
func FuzzPlaces(f *testing.F) {
	const revoked = "R\t291231235959Z\t260101000000Z\t77\tunknown\t/CN=revoked\n"
	looker, places := placed(f, append(everyKind(400), revoked...))
	whole, err := os.ReadFile(places.Path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole, []byte{0x77})
	for i := range 16 {
		flipped := bytes.Clone(whole)
		flipped[i*len(whole)/16] ^= 1 << (i % 8)
		f.Add(flipped, []byte{0x10, byte(i)})
		f.Add(whole[:i*len(whole)/16], []byte{0x11, byte(i)})
	}
	scan := &index.File{Path: looker.Path}
	f.Fuzz(func(t *testing.T, file, serial []byte) {
		if len(serial) == 0 {
			return
		}
		if err := os.WriteFile(places.Path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, key := range [][]byte{serial, {0x77}} {
			got, gotErr := looker.Lookup(key)
			want, wantErr := scan.Lookup(key)
			if got != want || fmt.Sprint(gotErr) != fmt.Sprint(wantErr) {
				t.Fatalf("%X: %v, %v; the scan says %v, %v", key, got, gotErr, want, wantErr)
			}
		}
	})
}
