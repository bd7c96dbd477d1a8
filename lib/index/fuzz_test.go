package index_test

import (
	"bytes"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ocspcgi/lib/index"
)

// seeds are whole indexes of every dialect, with faults and without.
var seeds = []string{
	"",
	valid,
	revoked,
	valid + revoked,
	valid + entry('R', "2000") + entry('E', "3000"),
	"V\t20501119120000Z\t\t01\tunknown\t/C=ES/O=x/CN=y\\/z\n",
	"R\t271119120000Z\t261119120000Z,keyCompromise\t9F\tunknown\t/CN=a\n",
	"R\t271119120000Z\t261119120000Z,holdInstruction,1.2.840.10040.2.1\t9F\tunknown\t/CN=a\n" + valid,
	"R\t271119120000Z\t261119120000Z,CAkeyTime,20261001000000Z\t9F\tunknown\t/CN=a\n",
	"R\t271119120000Z\t\t9F\tunknown\t/CN=a\n",
	"v\t601119120000Z\t\tabcdef\tunknown\tCN=a,O=b\nv\t601119120000Z\t\t\tunknown\tCN=zero\n",
	"V\t271119120000Z\t\t-05\tunknown\t/CN=a\nR\t271119120000Z\t261119120000Z\t-80\tunknown\t/CN=b\n",
	"V\t271119120000Z\t\t1000\nR\t271119120000Z\t261119120000Z\t001001\n",
	"\ufeff# comment\r\n\r\nV\t271119120000Z\t\t1000\tunknown\t/CN=a\r\n",
	"V\t271119120000Z\t\t1000\tunknown\t/CN=a\\\tb\n",
	valid + "S\t271119120000Z\t\t1001\tunknown\t/CN=a\n",
	valid + "V\t271119120000Z\t\tnone\tunknown\t/CN=a\n",
	valid + "V\n",
	valid[:30],
	valid + revoked[:40],
	"V\t271119120000Z\t\t1000\tunkR\t271119120000Z\t261119120000Z\t1001\tunknown\t/CN=b\n",
	"V\t271119120000Z\t\t5FD9A3C1B0E24F5D8A7C6B5A49382716\tunknown\t/CN=easy-rsa\n",
	"V\t2711191200Z\t\t10\tunknown\t/CN=a\nV\t271119120000+0100\t\t11\tunknown\t/CN=b\n",
	"V\t271119120000Z\t261119120000Z\t1000\tunknown\t/CN=a\n\x00\x00\x00\x00\n",
	"\t\t\t\t\t\n# \n\\\t\\\t\\\t\\\n",
}

func TestSeeds(t *testing.T) {
	if len(seeds) < 20 {
		t.Fatalf("%d seeds", len(seeds))
	}
}

// FuzzIndex holds all ways to look up against each other, for every serial that
// the text may have, and against a copy that is cut off.
func FuzzIndex(f *testing.F) {
	for i, text := range seeds {
		f.Add([]byte(text), uint16(7*i))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte, at uint16) {
		path := filepath.Join(dir, fmt.Sprintf("index.%d", os.Getpid()))
		defer os.Remove(path)
		rewrite(t, path, string(text))
		keys := append(serialsOf(text), []byte{0}, []byte{0x10, 0x00}, []byte{0xfb}, []byte{0x00, 0x9f}, bytes.Repeat([]byte{0x7f}, 300))
		table, err := index.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		l := live(t, path)
		before := make([]index.Entry, len(keys))
		for i, key := range keys {
			want, wantErr := table.Lookup(key)
			if got, err := file(path).Lookup(key); len(text) == 0 {
				if said(got, err) != "doubt" {
					t.Errorf("%x: File says %s of an empty file", key, said(got, err))
				}
			} else if said(got, err) != said(want, wantErr) || got != want || fmt.Sprint(err) != fmt.Sprint(wantErr) {
				t.Errorf("%x: File says %s %v, Table %s %v", key, said(got, err), err, said(want, wantErr), wantErr)
			}
			if got, err := l.Lookup(key); said(got, err) != said(want, wantErr) || got != want {
				t.Errorf("%x: Live says %s %v, Table %s %v", key, said(got, err), err, said(want, wantErr), wantErr)
			}
			before[i] = want
		}

		cut := text[:int(at)%(len(text)+1)]
		replace(t, path, string(cut))
		l.Reload(false)
		for i, key := range keys {
			e, err := file(path).Lookup(key)
			if len(cut) > 0 && cut[len(cut)-1] != '\n' && said(e, err) != "doubt" && e.Status != index.Revoked {
				t.Errorf("%x: File says %s of a file that is cut off", key, said(e, err))
			}
			if before[i].Status != index.Revoked || before[i].Reason == 6 || !before[i].Expires.IsZero() && before[i].Expires.Before(now) {
				continue
			}
			if e, err := l.Lookup(key); e.Status != index.Revoked {
				t.Errorf("%x: was revoked, Live says %s of a file that is cut off", key, said(e, err))
			}
		}
	})
}

// serialsOf reads the fourth column of each line, in its own way.
func serialsOf(text []byte) (keys [][]byte) {
	for line := range strings.Lines(string(text)) {
		cols := strings.Split(strings.TrimRight(line, "\r\n"), "\t")
		if len(cols) < 4 || len(cols[3]) > 1000 {
			continue
		}
		n, ok := new(big.Int).SetString(cols[3], 16)
		if !ok {
			continue
		}
		size := uint(n.BitLen()/8 + 1)
		if n.Sign() < 0 {
			size = uint(new(big.Int).Not(n).BitLen()/8 + 1)
			n.Add(n, new(big.Int).Lsh(big.NewInt(1), 8*size))
		}
		keys = append(keys, n.FillBytes(make([]byte, size)))
	}
	return keys
}

// TestRandom makes indexes row by row together with what they have to say.
func TestRandom(t *testing.T) {
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 1))
		var text strings.Builder
		want := map[string]index.Entry{}
		for range 1 << (r.IntN(16)) {
			row, serial, e := randomRow(r)
			text.WriteString(row)
			if old, twice := want[serial]; !twice || old.Status != index.Revoked && e.Status == index.Revoked {
				want[serial] = e
			}
		}
		path := write(t, text.String())
		all := ways(t, path)
		scans := 30
		for serial, e := range want {
			key := octets(t, serial)
			for name, look := range all {
				if name == "File" && scans < 0 {
					continue
				}
				if got, err := look(key); err != nil || got != e {
					t.Fatalf("seed %d: %s says %s of %s, want %s", seed, name, said(got, err), serial, said(e, nil))
				}
			}
			scans--
			free := octets(t, serial+"0000000000000000000000")
			for name, look := range all {
				if name == "File" && scans < 0 {
					continue
				}
				if got := said(look(free)); got != "not found" {
					t.Fatalf("seed %d: %s says %s of a free serial", seed, name, got)
				}
			}
		}
	}
}

// randomRow makes a row in some dialect, for few enough serials that some of
// them are there twice.
func randomRow(r *rand.Rand) (row, serial string, e index.Entry) {
	n := new(big.Int).SetUint64(r.Uint64N(1 << 20))
	if r.IntN(3) > 0 {
		n.Lsh(n, 60).Add(n, big.NewInt(int64(r.IntN(3))))
	}
	if r.IntN(20) == 0 {
		n.Neg(n)
	}
	serial = n.Text(16)
	hex := strings.TrimPrefix(serial, "-")
	if r.IntN(4) > 0 {
		hex = strings.ToUpper(hex)
	}
	hex = strings.Repeat("0", r.IntN(3)*r.IntN(2)) + hex
	if n.Sign() < 0 {
		hex = "-" + hex
	}
	e = index.Entry{Status: index.Valid, Reason: -1}
	e.Expires = time.Unix(1.9e9+r.Int64N(2e9), 0).UTC()
	expires := e.Expires.Format("20060102150405Z")
	if e.Expires.Year() < 2050 && r.IntN(2) > 0 {
		expires = expires[2:]
	}
	kind, column := "V", ""
	switch r.IntN(6) {
	case 0:
		kind, e.Status = "E", index.Expired
	case 1:
		kind, e.Status = "R", index.Revoked
		e.Revoked = time.Unix(r.Int64N(1.7e9), 0).UTC()
		column = e.Revoked.Format("060102150405Z")
		if r.IntN(2) > 0 {
			e.Reason = []int8{1, 4, 5}[r.IntN(3)]
			column += map[int8]string{1: ",keyCompromise", 4: ",superseded", 5: ",cessationOfOperation"}[e.Reason]
		}
	}
	end := []string{"\n", "\n", "\r\n", "\n\n", "\n# V\n"}[r.IntN(5)]
	return strings.Join([]string{kind, expires, column, hex, "unknown", "/CN=" + strings.Repeat("x", r.IntN(80))}, "\t") + end, serial, e
}
