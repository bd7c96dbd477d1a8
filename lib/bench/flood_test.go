package bench_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/servertest"
)

// flood is many who ask for more signatures than can be made, in a steady stream.
type flood struct {
	r       *servertest.Responder
	request []byte // records

	mu            sync.Mutex
	good, refused []time.Duration // how long each took
}

// ask asks on so many connections, each again after so long, for as long as d.
func (f *flood) ask(b *testing.B, conns int, every, d time.Duration) {
	b.Helper()
	f.good, f.refused = nil, nil
	var group sync.WaitGroup
	end := time.Now().Add(d)
	for i := range conns {
		c, err := f.r.Dial()
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		group.Go(func() {
			due := time.Now().Add(every * time.Duration(i) / time.Duration(conns))
			for time.Now().Before(end) && !b.Failed() {
				time.Sleep(time.Until(due))
				due = due.Add(every)
				if err := f.once(c); err != nil {
					b.Error(err)
				}
			}
		})
	}
	group.Wait()
}

func (f *flood) once(c *servertest.Conn) error {
	began := time.Now()
	_, err := c.Write(f.request)
	out, err2 := c.Stdout()
	took := time.Since(began)
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case err != nil || err2 != nil:
		return errors.Join(err, err2)
	case bytes.HasSuffix(out, append([]byte("\r\n\r\n"), ocsp.TryLaterErrorResponse...)):
		f.refused = append(f.refused, took)
	case len(out) < 1000:
		return fmt.Errorf("neither signed nor refused: %q", out)
	default:
		f.good = append(f.good, took)
	}
	return nil
}

// slowest is how long 99 % take at the most, in milliseconds.
func slowest(all []time.Duration) float64 {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)*99/100].Seconds() * 1000
}

// BenchmarkFlood asks for ten times as many signatures as can be made, with a
// key of RSA-4096, and for what is kept meanwhile. It prints a table, and fails
// where that misses what is asked.
func BenchmarkFlood(b *testing.B) {
	const lasts = 5 * time.Second
	c := pkitest.NewCompany(b)
	c.Signer = c.OCSPSigner("flood", pkitest.Key("rsa4096"))
	r := servertest.Around(b, program, c)
	r.Socket = ours(b, r, "-log_level", "error").socket
	post := func(der []byte) []byte { return servertest.Records("POST", "/ocsp", der, true) }
	nonces := &flood{r: r, request: post(pkitest.Request(b, c.CA, c.Good))}
	kept := &flood{r: r, request: post(pkitest.Request(b, c.CA, c.Good, "-no_nonce"))}

	const askers, pace = 4, 4 * time.Millisecond // 1,000 a second
	kept.ask(b, askers, pace, lasts/2)
	quiet := slowest(kept.good)
	nonces.ask(b, 4, 0, lasts)
	full := float64(len(nonces.good)) / lasts.Seconds()

	const crowd = 256
	var beside sync.WaitGroup
	beside.Go(func() { kept.ask(b, askers, pace, lasts) })
	nonces.ask(b, crowd, time.Duration(crowd/(10*full)*float64(time.Second)), lasts)
	ended := time.Now()
	signed := float64(len(nonces.good)) / lasts.Seconds()
	refused, good := slowest(nonces.refused), slowest(nonces.good)
	count := len(nonces.refused)
	beside.Wait()
	if count == 0 {
		b.Error("nobody is refused")
	}
	if len(kept.refused) > 0 {
		b.Errorf("%d of those who ask for what is kept are refused", len(kept.refused))
	}
	rate := 0.0
	for rate < 0.9*full && !b.Failed() && time.Since(ended) < time.Minute {
		nonces.ask(b, 4, 0, lasts/10)
		rate = float64(len(nonces.good)) / (lasts.Seconds() / 10)
	}
	fmt.Printf("%.0f signatures a second; a flood of ten times as many, of which %d were refused\n", full, count)
	figures := []figure{
		atMost("99 % of those who are refused", "ms", refused, 100),
		{What: "99 % of those who are not", Unit: "ms", Ours: good, Peer: "-"},
		{What: "99 % of those who ask for what is kept", Unit: "ms", Ours: slowest(kept.good), Peer: "without the flood", Theirs: quiet, Ratio: slowest(kept.good) / quiet},
		{What: "signed meanwhile", Unit: "/s", Ours: signed, Peer: "without the flood", Theirs: full, Ratio: signed / full},
		atMost("until nine tenths of the full rate are back", "ms", time.Since(ended).Seconds()*1000, 5000),
	}
	fmt.Print(asText(figures))
	for _, f := range figures {
		if f.misses() {
			b.Errorf("%s: %s", f.What, f.verdict())
		}
	}
}
