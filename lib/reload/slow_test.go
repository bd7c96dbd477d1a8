package reload_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/reload"
	"ocspcgi/lib/responder"
	"ocspcgi/lib/wire"
)

// While certificates and keys take long to be read, as with a signer process that
// hangs, an index is read all the same, also one that was written in place: nobody
// has to ask for it.
func TestIndexDoesNotWaitForKeys(t *testing.T) {
	c := pkitest.NewCompany(t)
	hint := filepath.Join(t.TempDir(), "active")
	write(t, hint, nil)
	slow := source(c.CA, c.Signer)
	slow.Hints = []string{hint}
	reading, read := make(chan struct{}), make(chan struct{})
	slow.Find = func() (responder.Files, error) { // once the watch has begun
		reading <- struct{}{}
		<-read
		return source(c.CA, c.Signer).Files, nil
	}
	k := keepAlso(t, c, slow)
	defer close(read)
	<-reading
	go func() {
		for range reading { // what is told of later
		}
	}()
	before := k.wait(t, func(e reload.Event) bool { return e.Index != nil }).Index.Rows
	add(t, c.Index, "R\t491231235959Z\t260101000000Z\tFFFF\tunknown\t/CN=x\n")
	k.wait(t, func(e reload.Event) bool { return e.Index != nil && e.Index.Believed && e.Index.Rows == before+1 })
}

// While a large index is being read, a small one is too, also if it was written in
// place.
func TestSmallIndexDoesNotWaitForLarge(t *testing.T) {
	c, other := pkitest.NewCompany(t), pkitest.NewCompany(t)
	reading, read := make(chan struct{}, 1), make(chan struct{})
	k := start(t, c, &reload.Keeper{
		Sources: []reload.Source{source(c.CA, c.Signer), source(other.CA, other.Signer)},
		Progress: func(path string, _, size int64) {
			if path == other.Index && size > 5<<20 {
				halt(reading, read)
			}
		},
	})
	defer close(read)
	add(t, other.Index, rows(10_000))
	<-reading
	for len(k.events) > 0 {
		<-k.events
	}
	add(t, c.Index, "R\t491231235959Z\t260101000000Z\tFFFF\tunknown\t/CN=x\n")
	k.wait(t, func(e reload.Event) bool { return e.Where == c.Index && e.Index != nil && e.Index.Believed })
}

// While a large index is being read, what another one revokes is told, and what the
// same one does: neither waits until it is read.
func TestRevocationDoesNotWaitForLargeIndex(t *testing.T) {
	large := rows(8_000)
	for name, same := range map[string]bool{"another": false, "the same": true} {
		t.Run(name, func(t *testing.T) {
			c := pkitest.NewCompany(t)
			other, all := c, []*pkitest.Company{c}
			if !same {
				other = pkitest.NewCompany(t)
				all = append(all, other)
			}
			reading, read := make(chan struct{}, 1), make(chan struct{})
			var begun atomic.Bool
			keeper := &reload.Keeper{Progress: func(path string, _, _ int64) {
				if path == other.Index && begun.Load() {
					halt(reading, read)
				}
			}}
			for _, of := range all {
				add(t, of.Index, large)
				keeper.Sources = append(keeper.Sources, source(of.CA, of.Signer))
			}
			k := start(t, c, keeper)
			defer close(read)
			begun.Store(true)
			add(t, other.Index, "V\t491231235959Z\t\tFFFE\tunknown\t/CN=x\n")
			<-reading
			c.Revoke(c.Good)
			for deadline := time.Now().Add(patience); k.status(t, c.Good) != wire.Revoked; {
				if time.Now().After(deadline) {
					t.Fatal("not revoked while a large index is read")
				}
			}
		})
	}
}

// What is revoked is told while a large index is read whose place a small one has
// taken, and who asks does not wait.
func TestRevocationDoesNotWaitForIndexThatWasLarge(t *testing.T) {
	c := pkitest.NewCompany(t)
	small, err := os.ReadFile(c.Index)
	if err != nil {
		t.Fatal(err)
	}
	reading, read := make(chan struct{}, 1), make(chan struct{})
	k := start(t, c, &reload.Keeper{
		Sources: []reload.Source{source(c.CA, c.Signer)},
		Progress: func(_ string, _, size int64) {
			if size > 4<<20 {
				halt(reading, read)
			}
		},
	})
	defer close(read)
	add(t, c.Index, rows(8_000))
	<-reading
	write(t, c.Index+".new", small)
	if err := os.Rename(c.Index+".new", c.Index); err != nil {
		t.Fatal(err)
	}
	c.Revoke(c.Good)
	for deadline := time.Now().Add(patience); k.status(t, c.Good) != wire.Revoked; {
		if time.Now().After(deadline) {
			t.Fatal("not revoked while an index is read that was large")
		}
	}
}

// A log that hangs keeps no index from being read, also one that nobody looks at who
// asks.
func TestIndexDoesNotWaitForLog(t *testing.T) {
	c := pkitest.NewCompany(t)
	told, goOn := make(chan struct{}, 1), make(chan struct{})
	var hung atomic.Bool
	var events atomic.Int64
	k := start(t, c, &reload.Keeper{Sources: []reload.Source{source(c.CA, c.Signer)}, Log: func(reload.Event) {
		if hung.Load() {
			select {
			case told <- struct{}{}:
			default:
			}
			<-goOn
		}
		events.Add(1)
	}})
	release := sync.OnceFunc(func() { close(goOn) })
	defer release()
	before := events.Load()
	hung.Store(true)
	rows := k.States()[0].Index.Rows
	const changes = 4
	for i := range changes {
		add(t, c.Index, fmt.Sprintf("R\t491231235959Z\t260101000000Z\tFF%02X\tunknown\t/CN=x\n", i))
		for deadline := time.Now().Add(patience); k.States()[0].Index.Rows != rows+1+i; {
			if time.Now().After(deadline) {
				t.Fatalf("change %d is not read while the log hangs", i+1)
			}
			runtime.Gosched()
		}
		if i == 0 {
			<-told
		}
	}
	release()
	for events.Load() < before+changes {
		runtime.Gosched()
	}
}

// Without a watch, indexes are looked at all the same until the end, so often that
// who asks a second after a revocation was written is told so.
func TestIndexDoesNotWaitForWatch(t *testing.T) {
	c := pkitest.NewCompany(t)
	events := make(chan reload.Event, 100)
	failure := errors.New("no watch")
	k := &kept{Company: c, events: events, Keeper: &reload.Keeper{
		Responder: &responder.Responder{}, Sources: []reload.Source{source(c.CA, c.Signer)},
		Log:   func(e reload.Event) { events <- e },
		Watch: func(context.Context, []string, func([]string)) error { return failure },
	}}
	if err := k.Open(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- k.Run(ctx) }()
	k.wait(t, func(e reload.Event) bool { return errors.Is(e.Err, failure) })
	add(t, c.Index, "R\t491231235959Z\t260101000000Z\t"+c.Good.Serial+"\tunknown\t/CN=x\n")
	written := time.Now()
	for asked := written; k.status(t, c.Good) != wire.Revoked; asked = time.Now() {
		if since := asked.Sub(written); since > time.Second {
			t.Fatalf("not revoked to who asks %v after that was written", since)
		}
	}
	stop()
	if err := <-ended; !errors.Is(err, failure) {
		t.Errorf("ended with %v", err)
	}
}

// add adds rows to an index where it is.
func add(t *testing.T, path, rows string) {
	t.Helper()
	index, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer index.Close()
	if _, err := index.WriteString(rows); err != nil {
		t.Fatal(err)
	}
}

// rows are those of an index, 600 bytes each.
func rows(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "V\t491231235959Z\t\tFF%06X\tunknown\t/CN=%0600d\n", i, i)
	}
	return b.String()
}

// halt is who reads: it tells so, and reads no further until read is closed.
func halt(reading chan<- struct{}, read <-chan struct{}) {
	select {
	case reading <- struct{}{}:
	default:
	}
	<-read
}
