package bench_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/servertest"
)

// measureReload appends a revoked row to the largest index while everybody asks,
// and sets the time that requests take until all of it is read again against that of
// a quiet while.
func measureReload(b *testing.B) []figure {
	c := pkitest.NewCompany(b)
	grow(b, c.Index, *most, random)
	age(b, c.Index, time.Hour)
	admin := filepath.Join(servertest.Room(b), "admin")
	p := ours(b, servertest.Around(b, program, c), "-admin", "unix:"+admin)
	set := setOf(b, c.CA, 1000, random)
	l := connect(b, p.socket, connections, set...)
	l.all(b)
	probe := posted(request(b, c.CA, random(*most+1)))
	quiet := l.timed(b, func() { time.Sleep(2 * time.Second) })
	var visible, whole time.Duration
	busy := l.timed(b, func() {
		f, err := os.OpenFile(c.Index, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			b.Fatal(err)
		}
		row := "R\t460101000000Z\t251119120000Z,superseded\t" + string(capitals(random(*most+1))) + "\tunknown\t/CN=last\n"
		if _, err := f.WriteString(row); err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
		for !bytes.Contains(answered(b, p.socket, probe), []byte("\xa1\x16\x18\x0f")) { // revoked, with a reason
			if visible = time.Since(began); visible > time.Minute {
				b.Fatal("not read within a minute")
			}
			time.Sleep(5 * time.Millisecond)
		}
		for generation(b, admin) < 2 {
			if whole = time.Since(began); whole > time.Minute {
				b.Fatal("not believed within a minute")
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
	return []figure{
		{What: "99th percentile while the index is read again", Unit: "µs", Ours: p99(busy), Peer: "quiet", Theirs: p99(quiet), Ratio: p99(busy) / p99(quiet), Most: 3},
		{What: "from the revocation to its first answer", Unit: "s", Ours: visible.Seconds(), Peer: "-", Theirs: visible.Seconds(), Ratio: 1},
		{What: "from the revocation to the whole index read", Unit: "s", Ours: whole.Seconds(), Peer: "-", Theirs: whole.Seconds(), Ratio: 1},
	}
}

// generation is how many states of the index were believed.
func generation(b *testing.B, admin string) (n int) {
	b.Helper()
	client := http.Client{Transport: servertest.OverUnix(admin)}
	resp, err := client.Get("http://admin/metrics")
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.Fatal(err)
	}
	_, value, _ := bytes.Cut(text, []byte("\nocspcgi_index_generation{"))
	_, value, _ = bytes.Cut(value, []byte("} "))
	if _, err := fmt.Fscan(bytes.NewReader(value), &n); err != nil {
		b.Fatalf("%v in %s", err, text)
	}
	return n
}

// timed asks while something else happens, and returns what each answer has
// taken. All have to be successful.
func (l *load) timed(b *testing.B, meanwhile func()) (took []time.Duration) {
	b.Helper()
	var over atomic.Bool
	var mu sync.Mutex
	var group sync.WaitGroup
	group.Go(func() { meanwhile(); over.Store(true) })
	l.each(b, func(i int, r *bufio.Reader) bool {
		var mine []time.Duration
		for !over.Load() {
			began := time.Now()
			if err := l.askChecked(i, r); err != nil {
				b.Error(err)
				return false
			}
			mine = append(mine, time.Since(began))
		}
		mu.Lock()
		took = append(took, mine...)
		mu.Unlock()
		return false
	})
	group.Wait()
	return took
}

// askChecked is ask with a look at the answer.
func (l *load) askChecked(i int, r *bufio.Reader) error {
	if err := l.send(i); err != nil {
		return err
	}
	for {
		header, err := r.Peek(8)
		if err != nil {
			return err
		}
		kind, size := header[1], int(binary.BigEndian.Uint16(header[4:]))
		whole, err := r.Peek(8 + size + int(header[6]))
		if err != nil {
			return err
		}
		if kind == stdout && size > 0 && !bytes.Contains(whole, []byte("\x0a\x01\x00\xa0")) {
			return errors.New("an answer that is not successful")
		}
		if _, err := r.Discard(len(whole)); err != nil || kind == endRequest {
			return err
		}
	}
}

func p99(took []time.Duration) float64 {
	slices.Sort(took)
	return float64(took[len(took)*99/100].Microseconds())
}
