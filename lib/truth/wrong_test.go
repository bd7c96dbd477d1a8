package truth_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ocspcgi/lib/index"
	"ocspcgi/lib/ocsphttp"
	"ocspcgi/lib/responder"
	"ocspcgi/lib/wire"
)

// wrong is a responder made of the real parts with one of them spoilt.
type wrong struct {
	name   string
	memory bool
	index  func(t *testing.T, a *authority) responder.Index
	spoil  func(respond respond) respond // nil: not
	step   func(a *authority, rng *rand.Rand)
	fault  string // what shows it; empty: nothing is wrong
}

type respond = func(ctx context.Context, der []byte) *responder.Answer

var wrongs = []wrong{
	{name: "nothing, with a memory", memory: true, index: eager, step: anything},
	{name: "nothing, without one", index: scanned, step: anything},
	{name: "torn files are believed", memory: true, index: credulous, step: damaged, fault: "is said to be unknown"},
	{name: "the index is read late", memory: true, index: late, step: quick, fault: "is said to be"},
	{name: "unknown while there is no index", index: blind, step: (*authority).absent, fault: "is said to be unknown"},
	{name: "kept answers ignore the row", memory: true, index: eager, spoil: keeping, step: quick, fault: "is said to be"},
	{name: "kept answers ignore the question", memory: true, index: eager, spoil: parroting, step: quick, fault: "CertID"},
	{name: "reasons are lost", index: reasonless, step: quick, fault: "reason -1"},
	{name: "it gives up", memory: true, index: eager, spoil: giveUp, step: quick, fault: "try later, and nobody was at the index"},
	{name: "a byte is changed", memory: true, index: eager, spoil: garble, step: quick, fault: "verif"},
}

// TestWrong shows that the truth comes out: responders that were made wrong on
// purpose are found to be, and others are not.
func TestWrong(t *testing.T) {
	for i, test := range wrongs {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a := newAuthority(t, uint64(1+i), 40, nil)
			w := &world{cas: []*authority{a}, seed: 1, step: func(a *authority, n int) {
				test.step(a, rand.New(rand.NewPCG(a.seed, uint64(n))))
			}}
			m := &medium{name: test.name, memory: test.memory, ask: test.ask(t, a), produced: &produced{last: map[string]time.Time{}}}
			if m.memory {
				m.grace = second
			}
			w.media = []*medium{m, m}
			d := time.Minute
			if test.fault == "" {
				d = 4 * time.Second
			}
			w.live(t, d, w.tally.failed)
			found := strings.Join(w.tally.faults, "\n")
			if test.fault == "" && found != "" || !strings.Contains(found, test.fault) {
				t.Errorf("found %q, want %q\n%s", found, test.fault, w.tally.String())
			}
		})
	}
}

// ask asks the responder in this process.
func (w wrong) ask(t *testing.T, a *authority) func(q *question) (*reply, error) {
	t.Helper()
	issuer, err := responder.Open(responder.Files{Where: "the test", CA: a.Cert, Lifetime: time.Hour,
		Signers: []responder.SignerFiles{{Certificate: a.Signer.Cert, Key: a.Signer.Key}}}, w.index(t, a))
	if err != nil {
		t.Fatal(err)
	}
	r := &responder.Responder{}
	r.Serve(issuer)
	h := &ocsphttp.Handler{Respond: r.Respond}
	if w.spoil != nil {
		h.Respond = w.spoil(r.Respond)
	}
	return func(q *question) (*reply, error) {
		req := &ocsphttp.Request{Method: []byte("POST"), URI: []byte("/"), ContentType: []byte("application/ocsp-request"), Body: q.der}
		if q.get {
			req.Method, req.Body = []byte("GET"), nil
			req.URI = append(req.URI, base64.StdEncoding.EncodeToString(q.der)...)
		}
		var resp ocsphttp.Response
		h.Serve(context.Background(), req, &resp)
		in := io.MultiReader(strings.NewReader("HTTP/1.1 200 OK\r\n"+string(resp.Header)+"\r\n"), bytes.NewReader(resp.Body))
		parsed, err := http.ReadResponse(bufio.NewReader(in), nil)
		if err != nil {
			return nil, err
		}
		return &reply{resp.Status, parsed.Header, resp.Body}, nil
	}
}

// anything is all that a CA does without openssl, which others run meanwhile.
func anything(a *authority, rng *rand.Rand) {
	[]func(*rand.Rand){a.change, a.change, a.truncate, a.restoreOld, a.absent, a.unreadable}[rng.IntN(6)](rng)
}

func damaged(a *authority, rng *rand.Rand) {
	[]func(*rand.Rand){a.change, a.truncate}[rng.IntN(2)](rng)
}

// quick changes rows and does nothing else.
func quick(a *authority, rng *rand.Rand) {
	next := append([]row(nil), a.rows...)
	next = changes[rng.IntN(len(changes))](rng, next)
	a.update(rng, next, renames[rng.IntN(len(renames))])
	pause(rng, 100)
	if rng.IntN(8) == 0 {
		time.Sleep(settled)
	}
}

// lookup is an Index.
type lookup func(serial []byte) (index.Entry, error)

func (l lookup) Lookup(serial []byte) (index.Entry, error) { return l(serial) }

// eager looks at the file each time.
func eager(_ *testing.T, a *authority) responder.Index {
	live := &index.Live{Path: a.Index}
	return lookup(func(serial []byte) (index.Entry, error) {
		live.Reload(false)
		return live.Lookup(serial)
	})
}

// scanned is that of CGI.
func scanned(_ *testing.T, a *authority) responder.Index { return &index.File{Path: a.Index} }

// credulous believes whatever is there.
func credulous(t *testing.T, a *authority) responder.Index {
	live := &index.Live{Path: filepath.Join(t.TempDir(), "index.txt")}
	var mu sync.Mutex
	var last []byte
	return lookup(func(serial []byte) (index.Entry, error) {
		mu.Lock()
		defer mu.Unlock()
		data, err := os.ReadFile(a.Index)
		if err == nil && (last == nil || !bytes.Equal(data, last)) {
			last = data
			whole := data[:bytes.LastIndexByte(data, '\n')+1]
			if err := oneRename(nil, live.Path, whole, func(int) {}); err != nil {
				t.Error(err)
			}
			live.Reload(true)
		}
		return live.Lookup(serial)
	})
}

// late looks at the file every few seconds, once it has believed one.
func late(_ *testing.T, a *authority) responder.Index {
	live := &index.Live{Path: a.Index}
	var mu sync.Mutex
	var last time.Time
	return lookup(func(serial []byte) (index.Entry, error) {
		mu.Lock()
		defer mu.Unlock()
		if !live.Report().Believed || time.Since(last) > 4*time.Second {
			last = time.Now()
			live.Reload(false)
		}
		return live.Lookup(serial)
	})
}

// blind takes what cannot be told for unknown.
func blind(_ *testing.T, a *authority) responder.Index {
	file := &index.File{Path: a.Index}
	return lookup(func(serial []byte) (index.Entry, error) {
		entry, err := file.Lookup(serial)
		var doubt *index.DoubtError
		if errors.As(err, &doubt) {
			err = index.ErrNotFound
		}
		return entry, err
	})
}

func reasonless(_ *testing.T, a *authority) responder.Index {
	file := &index.File{Path: a.Index}
	return lookup(func(serial []byte) (index.Entry, error) {
		entry, err := file.Lookup(serial)
		entry.Reason = -1
		return entry, err
	})
}

// keeping gives an answer again whatever has become of its row.
func keeping(respond respond) respond {
	return kept(respond, func(der []byte) string { return string(der) })
}

// parroting gives the same answer to all that are as long.
func parroting(respond respond) respond {
	return kept(respond, func(der []byte) string { return strings.Repeat("x", len(der)) })
}

func kept(respond respond, key func(der []byte) string) respond {
	var answers sync.Map
	return func(ctx context.Context, der []byte) *responder.Answer {
		if answer, ok := answers.Load(key(der)); ok {
			return answer.(*responder.Answer)
		}
		answer := respond(ctx, der)
		if answer.Keepable() {
			answers.Store(key(der), answer)
		}
		return answer
	}
}

// giveUp says now and then that it cannot tell.
func giveUp(respond respond) respond {
	return func(ctx context.Context, der []byte) *responder.Answer {
		if der[len(der)-1]%8 == 0 {
			cancelled, cancel := context.WithCancel(ctx)
			cancel()
			return respond(cancelled, der)
		}
		return respond(ctx, der)
	}
}

// garble changes a byte of each signature.
func garble(respond respond) respond {
	return func(ctx context.Context, der []byte) *responder.Answer {
		answer := *respond(ctx, der)
		answer.DER = bytes.Clone(answer.DER)
		if resp, err := wire.ParseResponse(answer.DER); err == nil && len(resp.Signature) > 0 {
			resp.Signature[len(resp.Signature)-1] ^= 1
		}
		return &answer
	}
}
