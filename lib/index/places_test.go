package index_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"ocspcgi/lib/index"
)

// placed is an index of some hundred rows that has rested, and a File that
// looks into it by its Places, which are made.
func placed(t testing.TB, text []byte) (*index.File, *index.Places) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "index.txt")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	rest(t, path)
	places := &index.Places{Path: filepath.Join(t.TempDir(), "not", "there", "yet"), Secret: [32]byte{7}}
	f := &index.File{Path: path, Places: places}
	if _, err := f.Lookup([]byte{1}); err != nil && !errors.Is(err, index.ErrNotFound) {
		var doubt *index.DoubtError
		if !errors.As(err, &doubt) {
			t.Fatal(err)
		}
	}
	if err := f.Place(); err != nil {
		t.Fatal(err)
	}
	return f, places
}

// rest makes a file one that was written a while ago.
func rest(t testing.TB, path string) {
	t.Helper()
	if err := os.Chtimes(path, time.Time{}, time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
}

// everyKind writes sound rows of every kind, with the serials of 0x1000 and on, some
// of them twice.
func everyKind(n int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	var out bytes.Buffer
	out.WriteString("\xef\xbb\xbf# a comment\n\n")
	for i := range n {
		serial := fmt.Sprintf("%04X", 0x1000+i)
		switch random.IntN(8) {
		case 0:
			fmt.Fprintf(&out, "R\t291231235959Z\t260101000000Z,keyCompromise\t%s\tunknown\t/CN=%d\n", serial, i)
		case 1:
			fmt.Fprintf(&out, "E\t20291231235959Z\t\t00%s\tunknown\t/CN=%d\r\n", serial, i)
		case 2:
			fmt.Fprintf(&out, "V\t291231235959Z\t\t%s\tunknown\t/CN=%d\nR\t291231235959Z\t260101000000Z\t%s\tunknown\t/CN=again\n", serial, i, serial)
		case 3:
			fmt.Fprintf(&out, "V\t291231235959Z\t\t%s\tunknown\t/CN=%s\n", serial, bytes.Repeat([]byte("x"), random.IntN(5000)))
		default:
			fmt.Fprintf(&out, "V\t291231235959Z\t\t%s\tunknown\t/CN=%d\n", serial, i)
		}
	}
	return out.Bytes()
}

func TestPlacesSayWhatTheIndexSays(t *testing.T) {
	const n = 5000
	f, places := placed(t, everyKind(n))
	if _, err := os.Stat(places.Path); err != nil {
		t.Fatal(err)
	}
	scan := &index.File{Path: f.Path}
	for i := 0x0ff0; i < 0x1000+n+20; i += 7 {
		serial := []byte{byte(i >> 8), byte(i)}
		got, gotErr := f.Lookup(serial)
		want, wantErr := scan.Lookup(serial)
		if got != want || fmt.Sprint(gotErr) != fmt.Sprint(wantErr) {
			t.Fatalf("%X: %v, %v; the scan says %v, %v", i, got, gotErr, want, wantErr)
		}
	}
}

// A serial that is on hold in one row and revoked for good in another is revoked for
// good, in whatever order, and whoever looks it up.
func TestOnHoldAndRevoked(t *testing.T) {
	hold, revoked, between := entry('H', "10"), entry('R', "10"), string(everyKind(1500))
	for name, text := range map[string]string{"hold first": hold + between + revoked, "hold last": revoked + between + hold} {
		f, _ := placed(t, []byte(text))
		ways := ways(t, f.Path)
		ways["Places"] = f.Lookup
		for way, lookup := range ways {
			const want = "R to 2027-11-19T12:00:00Z on 2026-11-19T12:00:00Z"
			if got := said(lookup(octets(t, "10"))); got != want {
				t.Errorf("%s: %s says %q, want %q", name, way, got, want)
			}
		}
	}
}

// TestPlacesOfTheSameSerial asks for serials that are revoked twice, a stretch of the
// file apart, which several read at once: the first row tells when, as for all who
// look into the index itself.
func TestPlacesOfTheSameSerial(t *testing.T) {
	const n, apart = 16, 1 << 20
	var text bytes.Buffer
	for year := 20; year < 20+n; year++ {
		for i := max(0, year-21); i <= year-20; i++ { // one for the second time, one for the first
			fmt.Fprintf(&text, "R\t391231235959Z\t%d0101000000Z\t%04X\tunknown\t/CN=%d\n", year, 0x1000+i, i)
		}
		for end := (text.Len()/apart + 1) * apart; text.Len() < end; {
			fmt.Fprintf(&text, "#%s\n", bytes.Repeat([]byte("x"), min(60<<10, max(0, end-text.Len()-2))))
		}
	}
	f, _ := placed(t, text.Bytes())
	scan := &index.File{Path: f.Path}
	for i := range n - 1 {
		serial := []byte{0x10, byte(i)}
		got, gotErr := f.Lookup(serial)
		want, wantErr := scan.Lookup(serial)
		if got != want || gotErr != nil || wantErr != nil || want.Revoked.Year() != 2020+i {
			t.Errorf("%X: %v, %v; the scan says %v, %v", serial, got, gotErr, want, wantErr)
		}
	}
}

// TestPlacesNotBelieved asks for a revoked serial and for one that is not
// there: whatever the file of the places says, the answers are those of the
// index.
func TestPlacesNotBelieved(t *testing.T) {
	text := append(everyKind(400), "R\t291231235959Z\t260101000000Z\t77\tunknown\t/CN=revoked\n"...)
	f, places := placed(t, text)
	ask := func(what string) {
		t.Helper()
		if e, err := f.Lookup([]byte{0x77}); err != nil || e.Status != index.Revoked {
			t.Fatalf("%s: %v, %v", what, e, err)
		}
		if _, err := f.Lookup([]byte{0x66}); !errors.Is(err, index.ErrNotFound) {
			t.Fatalf("%s: %v", what, err)
		}
	}
	whole, err := os.ReadFile(places.Path)
	if err != nil {
		t.Fatal(err)
	}
	put := func(data []byte) {
		t.Helper()
		if err := os.WriteFile(places.Path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for i := 0; i < len(whole); i += 1 + i/64*30 { // the head byte by byte
		broken := bytes.Clone(whole)
		broken[i] ^= 0x10
		put(broken)
		ask(fmt.Sprintf("byte %d changed", i))
	}
	for i := 0; i < len(whole); i += 97 {
		put(whole[:i])
		ask(fmt.Sprintf("cut at %d", i))
	}
	put(make([]byte, len(whole)))
	ask("zeros")

	put(whole)
	other := append(bytes.ReplaceAll(text, []byte("\t77\t"), []byte("\t78\t")), "R\t291231235959Z\t260101000000Z\t66\tunknown\t/CN=new\n"...)
	if err := os.WriteFile(f.Path, other, 0o600); err != nil {
		t.Fatal(err)
	}
	rest(t, f.Path)
	if e, err := f.Lookup([]byte{0x66}); err != nil || e.Status != index.Revoked {
		t.Errorf("places of another state are believed: %v, %v", e, err)
	}
	f.Places = &index.Places{Path: places.Path, Secret: [32]byte{8}}
	if e, err := f.Lookup([]byte{0x66}); err != nil || e.Status != index.Revoked {
		t.Errorf("places of another secret: %v, %v", e, err)
	}
}

// TestNoPlaces makes none of an index that is in doubt, young, or small.
func TestNoPlaces(t *testing.T) {
	for name, text := range map[string][]byte{
		"a bad serial": append(everyKind(500), "V\t291231235959Z\t\tXX\tunknown\t/CN=a\n"...),
		"a bad type":   append(everyKind(500), "Q\t291231235959Z\t\t66\tunknown\t/CN=a\n"...),
		"torn":         bytes.TrimSuffix(everyKind(500), []byte("\n")),
		"small":        []byte("V\t291231235959Z\t\t66\tunknown\t/CN=a\n"),
	} {
		_, places := placed(t, text)
		if _, err := os.Stat(places.Path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: there are places (%v)", name, err)
		}
	}
	f, places := placed(t, everyKind(500))
	if err := os.Remove(places.Path); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(f.Path, time.Time{}, time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := places.Make(f.Path, time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(places.Path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of an index that was just written there are places (%v)", err)
	}
}

// A process that was killed while it wrote places leaves a file, which is no
// hindrance and does not stay.
func TestPlacesLeftOver(t *testing.T) {
	f, places := placed(t, everyKind(1000))
	if err := os.Rename(places.Path, places.Path+".new"); err != nil {
		t.Fatal(err)
	}
	again := &index.File{Path: f.Path, Places: places}
	if _, err := again.Lookup([]byte{0xff}); !errors.Is(err, index.ErrNotFound) {
		t.Fatal(err)
	}
	if err := again.Place(); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(places.Path), "*"))
	if want := []string{places.Path, places.Path + ".lock"}; err != nil || !slices.Equal(left, want) {
		t.Errorf("there are %s, want %s", left, want)
	}
}
