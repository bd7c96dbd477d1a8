package truth_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
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

var soaking = flag.Duration("soak", 4*time.Second, "how long TestSoak asks at full rate; make soak T=1h")

// TestSoak asks the program at full rate, over FastCGI, behind nginx and over HTTP,
// while its index and its signer change and others send garbage. No request may
// fail, and afterwards the program has no more than before. What is measured by the
// clock or in memory is asserted of runs of a minute and more.
func TestSoak(t *testing.T) {
	s := newSoak(t)
	warmUp := min(*soaking/10, 3*time.Minute) // all that is taken once is taken
	if *soaking >= time.Minute {
		warmUp = max(warmUp, time.Minute)
	}
	s.run(t, warmUp)
	f := figures{length: *soaking, before: s.idle(t)}
	s.took = [2]latencies{}
	for _, n := range []*atomic.Int64{&s.requests, &s.garbage, &s.reloads, &s.rotations, &s.untold} {
		n.Store(0)
	}
	s.run(t, *soaking)
	f.after = s.idle(t)
	for end := time.Now().Add(20 * time.Second); (f.after.files > f.before.files || f.after.goroutines > f.before.goroutines) && time.Now().Before(end); {
		time.Sleep(100 * time.Millisecond)
		f.after = s.vitals(t)
	}
	f.requests, f.failed, f.garbage = s.requests.Load(), s.failed(), s.garbage.Load()
	f.reloads, f.rotations, f.untold = s.reloads.Load(), s.rotations.Load(), s.untold.Load()
	f.quiet, f.loaded = s.took[0].quantile(0.99), s.took[1].quantile(0.99)
	t.Log("\n" + s.tally.String())
	t.Attr("figures", f.String())
	for _, fault := range append(s.tally.faults, f.faults()...) {
		t.Error(fault)
	}
	if out := s.process.Output(t); t.Failed() {
		t.Logf("the program says\n%s", out[:min(len(out), 4000)])
	}
}

// soak is the program and all that happens to it.
type soak struct {
	a       *authority
	r       *servertest.Responder
	process *servertest.Process
	address string // of HTTP
	admin   string // socket
	pairs   [2][2][]byte
	pair    int
	seed    uint64
	ran     uint64

	// gate is held for reading by who disturbs, and for writing while it is quiet.
	gate sync.RWMutex
	// phase is 0 while it is quiet, 2 while it is not, and odd in between: what is
	// asked and answered in one even phase is measured.
	phase atomic.Int64
	tally tally

	requests, garbage, reloads, rotations atomic.Int64
	refused, untold                       atomic.Int64 // with tryLater: without a reason, and with one

	mu   sync.Mutex
	took [2]latencies // quiet and not
}

func newSoak(t *testing.T) *soak {
	t.Helper()
	c := pkitest.NewCompany(t)
	next := c.OCSPSigner("next")
	s := &soak{seed: *seed, tally: tally{counts: map[string]map[string]int{}}}
	if s.seed == 0 {
		s.seed = rand.Uint64()
	}
	t.Logf("make soak T=%v SEED=%d does the same again", *soaking, s.seed)
	s.a = authorityOf(t, c, s.seed, 1000, nil)
	s.r = servertest.Around(t, program, c)
	s.admin = filepath.Join(servertest.Room(t), "admin")
	for i, signer := range []*pkitest.Signer{c.Signer, next} {
		for j, path := range []string{signer.Cert, signer.Key} {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			s.pairs[i][j] = data
		}
	}
	settle(t, s.r.Config, []*authority{s.a}, fmt.Sprintf("admin = %q\n", "unix:"+s.admin))
	s.address = servertest.FreeAddress(t)
	s.process = s.r.Listen(t, s.address)
	return s
}

// failed is how many requests have failed: no answer, a wrong one, or tryLater
// where the status could be told.
func (s *soak) failed() int64 {
	s.tally.mu.Lock()
	defer s.tally.mu.Unlock()
	return int64(s.tally.wrong) + s.refused.Load()
}

// note counts an answer of tryLater. There is a reason while the index is written
// and a certificate is asked about that it does not have: it may be about to.
func (s *soak) note(x *exchange) {
	if !slices.Contains(x.says, "try later") {
		return
	}
	for _, serial := range x.serials {
		if slices.Contains(x.medium.may(x.of, serial, x.asked, x.answered), never) {
			s.untold.Add(1)
			return
		}
	}
	s.refused.Add(1)
}

// run has all of it go on for so long, three quarters of it disturbed.
func (s *soak) run(t *testing.T, d time.Duration) {
	t.Helper()
	address := servertest.FreeAddress(t)
	nginx, err := servertest.Nginx(t, address, s.r.Snippet(t, "../../nginx/path.conf", address))
	if err != nil {
		t.Fatal(err)
	}
	media, hangUp := s.media("http://" + address + "/ocsp")
	stop := make(chan struct{})
	var group sync.WaitGroup
	s.ran++
	random := func(n int) *rand.Rand { return rand.New(rand.NewPCG(s.seed+s.ran, uint64(n))) }
	for i, m := range media {
		group.Go(func() { s.ask(m, random(i), stop) })
	}
	group.Go(func() { s.disturb(t, random(1000), stop, 300, s.reload) })
	group.Go(func() { s.disturb(t, random(1001), stop, 3000, s.rotate) })
	cycle := min(max(*soaking/4, time.Second), time.Minute) // the same while it warms up: what is kept then takes as much
	for end := time.Now().Add(d); time.Now().Before(end); {
		s.phase.Store(1)
		s.gate.Lock()
		time.Sleep(cycle / 20)
		s.phase.Store(0)
		time.Sleep(cycle / 4)
		s.phase.Store(1)
		s.gate.Unlock()
		s.phase.Store(2)
		time.Sleep(min(cycle*3/4, time.Until(end)))
	}
	close(stop)
	group.Wait()
	hangUp()
	nginx.Stop(t)
}

// media are the clients: each asks one question after the other.
func (s *soak) media(nginx string) (media []*medium, hangUp func()) {
	stay := &produced{last: map[string]time.Time{}}
	client := http.Client{Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 16}, Timeout: 20 * time.Second}
	var conns []*line
	add := func(n int, name string, ask func() func(q *question) (*reply, error)) {
		for range n {
			media = append(media, &medium{name: name, memory: true, grace: second, every: 16, produced: stay, ask: ask()})
		}
	}
	add(4, "FastCGI, nginx", func() func(q *question) (*reply, error) { return byClient(&client, nginx) })
	add(2, "HTTP", func() func(q *question) (*reply, error) { return byClient(&client, "http://"+s.address) })
	add(4, "FastCGI, a kept connection", func() func(q *question) (*reply, error) {
		conns = append(conns, &line{r: s.r})
		return conns[len(conns)-1].ask
	})
	add(2, "FastCGI, slowly", func() func(q *question) (*reply, error) { return s.slowly })
	return media, func() {
		client.CloseIdleConnections()
		for _, c := range conns {
			c.hangUp()
		}
	}
}

// ask asks by a medium, and sends garbage now and then: with what is not sent while it
// is quiet, that is a twentieth of all.
func (s *soak) ask(m *medium, rng *rand.Rand, stop <-chan struct{}) {
	var took [2]latencies
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for i := range took {
			s.took[i].add(&took[i])
		}
	}()
	const junk = 12
	slow := m.name == "FastCGI, slowly"
	for {
		select {
		case <-stop:
			return
		default:
		}
		if (slow || rng.IntN(junk) == 0) && s.gate.TryRLock() {
			if !slow {
				s.junk(rng)
			}
			s.gate.RUnlock()
		} else if slow {
			time.Sleep(20 * time.Millisecond)
			continue
		}
		phase := s.phase.Load()
		x, err := m.once(rng, s.a, &s.tally)
		if s.requests.Add(1); err != nil {
			s.tally.fail(err)
			continue
		}
		s.note(x)
		if now := s.phase.Load(); now == phase && phase != 1 && !slow {
			took[phase/2].note(x.answered.Sub(x.asked))
		}
	}
}

// disturb does something again and again, but while it is quiet.
func (s *soak) disturb(t *testing.T, rng *rand.Rand, stop <-chan struct{}, most int, do func(t *testing.T, rng *rand.Rand)) {
	for {
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(rng.IntN(most*1000)) * time.Microsecond):
			s.gate.RLock()
			do(t, rng)
			s.gate.RUnlock()
		}
	}
}

// reload changes a row and writes the index: by renames, by cp, or at its end.
func (s *soak) reload(_ *testing.T, rng *rand.Rand) {
	next := slices.Clone(s.a.rows)
	w := []way{ways[0], ways[1], ways[3]}[rng.IntN(3)]
	if rng.IntN(3) == 0 {
		whole, _ := render(next)
		next, w = issue(rng, next), appendedAtOnce(len(whole))
	} else {
		next = changes[rng.IntN(len(changes))](rng, next)
	}
	s.a.update(rng, next, w)
	s.reloads.Add(1)
}

// rotate puts the other certificate with its key in place.
func (s *soak) rotate(t *testing.T, _ *rand.Rand) {
	s.pair = 1 - s.pair
	for i, path := range []string{s.a.Signer.Cert, s.a.Signer.Key} {
		if err := os.WriteFile(path+".new", s.pairs[s.pair][i], 0o600); err != nil {
			t.Error(err)
			return
		}
		servertest.Own(t, path+".new")
		if err := os.Rename(path+".new", path); err != nil {
			t.Error(err)
			return
		}
	}
	s.rotations.Add(1)
}
