package bench_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"testing"
	"time"

	"ocspcgi/lib/index"
	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/servertest"
)

// grown makes an index of so many rows, last changed a while ago.
func grown(b *testing.B, rows int, serial func(int) []byte) (path string) {
	b.Helper()
	path = filepath.Join(b.TempDir(), "index.txt")
	servertest.WriteFile(b, path, "")
	grow(b, path, rows, serial)
	age(b, path, time.Hour)
	return path
}

// age has a file be changed so long ago: one that may still be written is read
// twice.
func age(b *testing.B, path string, d time.Duration) {
	b.Helper()
	if err := os.Chtimes(path, time.Time{}, time.Now().Add(-d)); err != nil {
		b.Fatal(err)
	}
}

// measureIndex reads the largest index, and looks serial numbers up in it.
func measureIndex(b *testing.B) (figures []figure) {
	for _, kind := range []struct {
		name   string
		serial func(int) []byte
	}{{"sequential", sequential}, {"128-bit", random}} {
		what := fmt.Sprintf("%s rows, %s serials, ", count(*most), kind.name)
		path := grown(b, *most, kind.serial)
		l := &index.Live{Path: path}
		before := heap()
		var loads []float64
		for range 3 {
			began := time.Now()
			if t, err := index.Load(path); err != nil || t.Len() != *most {
				b.Fatal(t.Len(), err)
			}
			loads = append(loads, time.Since(began).Seconds())
			runtime.GC()
		}
		if report := l.Reload(true); !report.Believed {
			b.Fatal(report.Err)
		}
		table := float64(heap() - before)
		found, two := lookups(b, l, kind.serial), twoLoads(int(table))
		figures = append(figures,
			atMost(what+"read", "s", median(loads), 3*float64(*most)/10_000_000),
			atMost(what+"a row in memory", "bytes", table/float64(*most), 40),
			atMost(what+"a look-up", "ns", found, 200),
			figure{What: what + "a look-up", Unit: "ns", Ours: found, Peer: "two loads that no cache has", Theirs: two, Ratio: found / two},
			atMost(what+"memory at the height of a reload", "tables", height(b, l, path)/table, 2.2))
	}
	return figures
}

// count writes a number of rows for people.
func count(rows int) string {
	switch {
	case rows >= 1_000_000:
		return fmt.Sprint(rows/1_000_000, " million")
	case rows >= 1000:
		return fmt.Sprint(rows/1000, " thousand")
	}
	return fmt.Sprint(rows)
}

// lookups is the time of a look-up in ns, the median of several rounds.
func lookups(b *testing.B, l *index.Live, serial func(int) []byte) float64 {
	b.Helper()
	const different = 100_000
	var all [][]byte
	for i := range different {
		all = append(all, serial(i*(*most/different)))
	}
	var times []float64
	for range 9 {
		began := time.Now()
		for _, s := range all {
			if _, err := l.Lookup(s); err != nil {
				b.Fatal(err)
			}
		}
		times = append(times, float64(time.Since(began).Nanoseconds())/different)
	}
	return median(times)
}

// twoLoads is the time in ns of what no look-up in a table of so many bytes can do
// without: a load from anywhere in it, and one from where that leads to.
func twoLoads(size int) float64 {
	const different = 100_000
	table := make([]uint32, size/4)
	for i := range table {
		table[i] = rand.Uint32N(uint32(len(table)))
	}
	var times []float64
	for range 9 {
		from := make([]uint32, different)
		for i := range from {
			from[i] = rand.Uint32N(uint32(len(table)))
		}
		began, sum := time.Now(), uint32(0)
		for _, at := range from { // sum has each wait for the one before, as a caller does
			sum += table[table[(at+sum&1)%uint32(len(table))]]
		}
		runtime.KeepAlive(sum)
		times = append(times, float64(time.Since(began).Nanoseconds())/different)
	}
	return median(times)
}

// height is the largest heap while the index is read again, in bytes.
func height(b *testing.B, l *index.Live, path string) float64 {
	b.Helper()
	runtime.GC()
	done, highest := make(chan struct{}), make(chan uint64)
	go func() {
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		var most uint64
		for tick := time.NewTicker(time.Millisecond); ; {
			select {
			case <-tick.C:
				metrics.Read(sample)
				most = max(most, sample[0].Value.Uint64())
			case <-done:
				tick.Stop()
				highest <- most
				return
			}
		}
	}()
	age(b, path, 2*time.Hour)
	if r := l.Reload(false); !r.Believed || !r.Changed {
		b.Fatal(r.Err)
	}
	close(done)
	return float64(<-highest)
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// measureFlat sets the largest index against a small one: the same requests are
// answered as fast.
func measureFlat(b *testing.B) (figures []figure) {
	var kept, signed []contender
	sizes := []int{1000}
	for n := 100_000; n < *most; n *= 10 {
		sizes = append(sizes, n)
	}
	for _, n := range append(sizes, *most) {
		c := pkitest.NewCompany(b)
		grow(b, c.Index, n, random)
		age(b, c.Index, time.Hour)
		p := ours(b, servertest.Around(b, program, c))
		nonce := posted(pkitest.Request(b, c.CA, c.Good))
		set := setOf(b, c.CA, 1000, random)
		connect(b, p.socket, connections, set...).all(b)
		kept = append(kept, asking(b, count(n)+" rows", p, set...))
		signed = append(signed, asking(b, count(n)+" rows", p, nonce))
	}
	for _, kind := range []struct {
		what string
		all  []contender
	}{{"kept answers to 1,000 certificates, ", kept}, {"with a nonce, P-256, ", signed}} {
		reached := compete(kind.all...)
		for i, c := range kind.all[1:] {
			figures = append(figures, figure{What: kind.what + c.name, Unit: "/s", Ours: median(reached[i+1]),
				Peer: kind.all[0].name, Theirs: median(reached[0]), Ratio: ratio(reached[i+1], reached[0])})
		}
	}
	return figures
}
