package index_test

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"ocspcgi/lib/index"
)

// made makes an index of so many rows with random serials of 16 octets, a
// tenth of them revoked, and returns some of its serials.
func made(b *testing.B, rows int) (path string, serials [][]byte) {
	b.Helper()
	path = filepath.Join(b.TempDir(), "index.txt")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	random := make([]byte, 16)
	every := max(1, rows/100_000)
	for i := range rows {
		if _, err := rand.Read(random); err != nil {
			b.Fatal(err)
		}
		random[0] &= 0x7f
		random[0] |= 0x40
		if i%every == 0 {
			serials = append(serials, bytes.Clone(random))
		}
		kind, revoked := "V", ""
		if i%10 == 9 {
			kind, revoked = "R", "261119120000Z,superseded"
		}
		fmt.Fprintf(w, "%s\t271119%02d%02d00Z\t%s\t%s\tunknown\t/C=ES/O=Example/CN=host%d.example\n",
			kind, i/60%24, i%60, revoked, bytes.ToUpper([]byte(hex.EncodeToString(random))), i)
	}
	if err := errors.Join(w.Flush(), f.Close()); err != nil {
		b.Fatal(err)
	}
	age(b, path, time.Hour)
	return path, serials
}

// rows are the sizes to measure. BenchmarkTable of lib/bench goes on to ten
// million, and reloads.
var rows = []int{1_000, 1_000_000}

// scanned is how long the standard line scanner takes to split the file.
func scanned(b *testing.B, path string) time.Duration {
	b.Helper()
	best := time.Hour
	for range 3 {
		start := time.Now()
		f, err := os.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		lines := bufio.NewScanner(f)
		lines.Buffer(make([]byte, 1<<20), 1<<20)
		for lines.Scan() {
		}
		if err := errors.Join(lines.Err(), f.Close()); err != nil {
			b.Fatal(err)
		}
		best = min(best, time.Since(start))
	}
	return best
}

// against reports the time of one operation as a multiple of another's.
func against(b *testing.B, other time.Duration, unit string) {
	b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(other), unit)
}

func BenchmarkFile(b *testing.B) {
	for _, n := range rows {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			path, _ := made(b, n)
			f := file(path)
			other := scanned(b, path)
			for b.Loop() {
				if _, err := f.Lookup([]byte{1}); !errors.Is(err, index.ErrNotFound) {
					b.Fatal(err)
				}
			}
			against(b, other, "scanners/op")
		})
	}
}

func BenchmarkLoad(b *testing.B) {
	for _, n := range rows {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			path, _ := made(b, n)
			other := scanned(b, path)
			before := heap()
			var table *index.Table
			for b.Loop() {
				var err error
				if table, err = index.Load(path); err != nil || table.Len() != n {
					b.Fatal(table.Len(), err)
				}
			}
			against(b, other, "scanners/op")
			b.ReportMetric(float64(heap()-before)/float64(n), "B/row")
			runtime.KeepAlive(table)
		})
	}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func BenchmarkLookup(b *testing.B) {
	for _, n := range rows {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			path, serials := made(b, n)
			l := live(b, path)
			other := mapped(b, n, serials)
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				if _, err := l.Lookup(serials[i]); err != nil {
					b.Fatal(err)
				}
				if i++; i == len(serials) {
					i = 0
				}
			}
			against(b, other, "maps/op")
		})
	}
}

// mapped is how long a look-up in a map of so many serials takes.
func mapped(b *testing.B, n int, serials [][]byte) time.Duration {
	b.Helper()
	m := make(map[string]uint32, n)
	for _, s := range serials {
		m[string(s)] = 1
	}
	random := make([]byte, 16)
	for len(m) < n {
		if _, err := rand.Read(random); err != nil {
			b.Fatal(err)
		}
		m[string(random)] = 1
	}
	found, start := uint32(0), time.Now()
	for _, s := range serials {
		found += m[string(s)]
	}
	if int(found) != len(serials) {
		b.Fatal(found)
	}
	return time.Since(start) / time.Duration(len(serials))
}
