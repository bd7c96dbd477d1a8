package reload_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/reload"
	"ocspcgi/lib/responder"
	"ocspcgi/lib/watch"
	"ocspcgi/lib/wire"
)

// patience is how long an event is waited for that has to come.
const patience = 10 * time.Second

// kept is a company whose files a Keeper keeps read.
type kept struct {
	*pkitest.Company
	*reload.Keeper
	events chan reload.Event
}

func source(ca *pkitest.CA, signer *pkitest.Signer) reload.Source {
	return reload.Source{Index: ca.Index, Files: responder.Files{
		Where: "the test", CA: ca.Cert, Lifetime: time.Hour,
		Signers: []responder.SignerFiles{{Certificate: signer.Cert, Key: signer.Key}},
	}}
}

// keep starts a Keeper, and ends it with the test.
func keep(t *testing.T) *kept {
	c := pkitest.NewCompany(t)
	k := keepAlso(t, c, source(c.CA, c.Signer))
	k.wait(t, func(e reload.Event) bool { return e.Index != nil })
	return k
}

// keepAlso is keep of a company's sources.
func keepAlso(t *testing.T, c *pkitest.Company, sources ...reload.Source) *kept {
	t.Helper()
	return start(t, c, &reload.Keeper{Sources: sources})
}

// start starts a Keeper with what it needs besides, and ends it with the test.
func start(t *testing.T, c *pkitest.Company, keeper *reload.Keeper) *kept {
	t.Helper()
	k := &kept{Company: c, Keeper: keeper, events: make(chan reload.Event, 100)}
	k.Watch = new(watch.Watcher).Run
	if k.Responder == nil {
		k.Responder = &responder.Responder{}
	}
	if k.Log == nil {
		k.Log = func(e reload.Event) { k.events <- e }
	}
	if err := k.Open(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- k.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return k
}

// wait returns the first event that is wanted.
func (k *kept) wait(t *testing.T, wanted func(reload.Event) bool) reload.Event {
	t.Helper()
	late := time.After(patience)
	for {
		select {
		case e := <-k.events:
			if wanted(e) {
				return e
			}
		case <-late:
			t.Fatal("nothing was told")
		}
	}
}

// believed is an event that tells whether an index is.
func believed(want bool) func(reload.Event) bool {
	return func(e reload.Event) bool { return e.Index != nil && e.Index.Believed == want }
}

func (k *kept) ask(t *testing.T, leaf *pkitest.Leaf, args ...string) *wire.OCSPResponse {
	t.Helper()
	resp, err := wire.ParseResponse(k.Responder.Respond(context.Background(), pkitest.Request(t, k.CA, leaf, args...)).DER)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func (k *kept) status(t *testing.T, leaf *pkitest.Leaf, args ...string) wire.CertStatus {
	t.Helper()
	resp := k.ask(t, leaf, args...)
	if resp.Status != ocsp.Success {
		t.Fatalf("answered %v", resp.Status)
	}
	return resp.Singles[0].Status
}

func TestRevocation(t *testing.T) {
	k := keep(t)
	if got := k.status(t, k.Good); got != wire.Good {
		t.Fatalf("%v at first", got)
	}
	k.Revoke(k.Good)
	k.wait(t, func(e reload.Event) bool {
		return e.Index != nil && e.Err == nil && k.status(t, k.Good) == wire.Revoked
	})
}

// Who revokes and asks at once is told so: nobody watches here.
func TestRevocationIsSeenByTheNextToAsk(t *testing.T) {
	c := pkitest.NewCompany(t)
	k := &kept{Company: c, events: make(chan reload.Event, 100)}
	k.Keeper = &reload.Keeper{Watch: new(watch.Watcher).Run, Responder: &responder.Responder{CacheBytes: 1 << 20}, Sources: []reload.Source{source(c.CA, c.Signer)},
		Log: func(e reload.Event) { k.events <- e }}
	if err := k.Open(); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		leaf := k.Issue(fmt.Sprintf("leaf-%d", i))
		if got := k.status(t, leaf); got != wire.Good {
			t.Fatalf("%v once it is issued", got)
		}
		for range 2 { // signed, and kept
			if got := k.status(t, leaf, "-no_nonce"); got != wire.Good {
				t.Fatalf("%v once it is issued, without a nonce", got)
			}
		}
		k.Revoke(leaf)
		if i%2 == 0 {
			if got := k.status(t, leaf, "-no_nonce"); got != wire.Revoked {
				t.Fatalf("%v once it is revoked, without a nonce", got)
			}
		}
		if got := k.status(t, leaf); got != wire.Revoked {
			t.Fatalf("%v once it is revoked", got)
		}
	}
}

func TestForgottenRows(t *testing.T) {
	k := keep(t)
	write(t, k.Index, nil)
	k.wait(t, func(e reload.Event) bool { return e.Err != nil })
	if got := k.status(t, k.Company.Revoked); got != wire.Revoked {
		t.Errorf("%v, though nobody has said that the rows may go", got)
	}
	k.Accept()
	if got := k.status(t, k.Company.Revoked); got != wire.Unknown {
		t.Errorf("%v after the empty index was accepted", got)
	}
}

func TestSignerIsSwapped(t *testing.T) {
	k := keep(t)
	next := k.OCSPSigner("next")
	write(t, k.Signer.Cert, read(t, next.Cert))
	e := k.wait(t, func(e reload.Event) bool { return e.Index == nil })
	if e.Err == nil || !strings.Contains(e.Err.Error(), "does not fit") {
		t.Fatalf("half of a new pair: %v", e.Err)
	}
	if resp := k.ask(t, k.Good); string(resp.Certificates[0]) != string(k.Signer.Certificate.Raw) {
		t.Error("half of a new pair is used")
	}
	write(t, k.Signer.Key, read(t, next.Key))
	k.wait(t, func(e reload.Event) bool { return e.Issuer != nil })
	if resp := k.ask(t, k.Good); string(resp.Certificates[0]) != string(next.Certificate.Raw) {
		t.Error("the new pair is not used")
	}
}

// A file that says which signer is in use changes, and the other one signs.
func TestFilesAreFoundAnew(t *testing.T) {
	c := pkitest.NewCompany(t)
	next := c.OCSPSigner("next")
	hint := filepath.Join(t.TempDir(), "active")
	write(t, hint, []byte("ocsp"))
	first := source(c.CA, c.Signer)
	first.Hints = []string{hint}
	first.Find = func() (responder.Files, error) {
		switch string(read(t, hint)) {
		case "ocsp":
			return source(c.CA, c.Signer).Files, nil
		case "next":
			return source(c.CA, next).Files, nil
		}
		return responder.Files{}, errors.New("neither")
	}
	k := keepAlso(t, c, first)
	write(t, hint, []byte("nobody"))
	if e := k.wait(t, func(e reload.Event) bool { return e.Index == nil }); e.Err == nil || e.Err.Error() != "neither" {
		t.Errorf("told %+v", e)
	}
	write(t, hint, []byte("next"))
	k.wait(t, func(e reload.Event) bool { return e.Issuer != nil })
	if resp := k.ask(t, c.Good); string(resp.Certificates[0]) != string(next.Certificate.Raw) {
		t.Error("the new signer does not sign")
	}
}

// An index whose place another takes as soon as it is read for the first time is read
// again for the first who asks.
func TestReplacedWhileOpening(t *testing.T) {
	c := pkitest.NewCompany(t)
	k := &kept{Company: c, Keeper: &reload.Keeper{Responder: &responder.Responder{}, Sources: []reload.Source{source(c.CA, c.Signer)}}}
	replace := sync.OnceFunc(func() { c.Revoke(c.Good) })
	k.Log = func(e reload.Event) {
		if e.Index != nil {
			replace()
		}
	}
	if err := k.Open(); err != nil {
		t.Fatal(err)
	}
	if got := k.status(t, c.Good); got != wire.Revoked {
		t.Errorf("%v to the first who asks", got)
	}
}

// What is revoked where it stands, in an index that was read, while another one is being
// read, is told to the first who asks.
func TestRevokedWhileOpening(t *testing.T) {
	companies := map[string]*pkitest.Company{}
	k := &reload.Keeper{Responder: &responder.Responder{}}
	for range 2 {
		c := pkitest.NewCompany(t)
		companies[c.Index] = c
		k.Sources = append(k.Sources, source(c.CA, c.Signer))
	}
	var first *pkitest.Company // whose index is read first
	k.Progress = func(path string, _, _ int64) {
		switch {
		case first == nil:
			first = companies[path]
		case first != companies[path]:
			add(t, first.Index, "R\t491231235959Z\t260101000000Z\t"+first.Good.Serial+"\tunknown\t/CN=x\n")
		}
	}
	if err := k.Open(); err != nil {
		t.Fatal(err)
	}
	if got := (&kept{Company: first, Keeper: k}).status(t, first.Good); got != wire.Revoked {
		t.Errorf("%v to the first who asks", got)
	}
}

// A SIGHUP may come before the files are watched that it finds anew: it has nothing
// to do with them at that moment, as the race detector sees.
func TestAcceptAtOnce(t *testing.T) {
	c := pkitest.NewCompany(t)
	first := source(c.CA, c.Signer)
	first.Find = func() (responder.Files, error) { return source(c.CA, c.Signer).Files, nil }
	keepAlso(t, c, first).Accept()
}

// Files by which an issuer would become another one that has an index of its
// own are not used: it would be answered for from the wrong index.
func TestIssuerStaysApart(t *testing.T) {
	c := pkitest.NewCompany(t)
	sub := c.Intermediate("sub")
	subSigner := sub.OCSPSigner("ocsp.sub")
	second := source(sub, subSigner)
	second.Files.Where, second.Files.CA = "the second", sub.Chain()
	k := keepAlso(t, c, source(c.CA, c.Signer), second)
	write(t, subSigner.Cert, read(t, c.Signer.Cert))
	write(t, subSigner.Key, read(t, c.Signer.Key))
	k.wait(t, func(e reload.Event) bool {
		return e.Err != nil && strings.Contains(e.Err.Error(), "one CA key has one index")
	})
}

// The clock runs through the last month of a signer's life: each reminder is
// told once, and a renewed signer ends them.
func TestReminders(t *testing.T) {
	c := pkitest.NewCompany(t)
	var left atomic.Int64
	end := c.Signer.Certificate.NotAfter
	until := func(d time.Duration) { left.Store(int64(d)) }
	const day = 24 * time.Hour
	until(40 * day)
	events := make(chan reload.Event, 100)
	k := &reload.Keeper{
		Watch:     new(watch.Watcher).Run,
		Responder: &responder.Responder{},
		Sources:   []reload.Source{source(c.CA, c.Signer)},
		Now:       func() time.Time { return end.Add(-time.Duration(left.Load())) },
		Look:      time.Millisecond,
		Log: func(e reload.Event) {
			if e.Index == nil {
				events <- e
			}
		},
	}
	if err := k.Open(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- k.Run(ctx) }()
	for _, step := range []struct {
		left time.Duration
		want string
	}{{29 * day, "(29 days left)"}, {13 * day, "(13 days left)"}, {6 * day, "(6 days left)"}, {5 * time.Hour, "(5 hours left)"}} {
		until(step.left)
		if e := <-events; !strings.Contains(e.Reminder, step.want) || !strings.Contains(e.Reminder, c.Signer.Cert) {
			t.Errorf("%v left: %+v", step.left, e)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if len(events) > 0 {
		t.Errorf("told again: %+v", <-events)
	}
}

func TestOpenNamesAllFaults(t *testing.T) {
	c := pkitest.NewCompany(t)
	second := source(c.CA, c.Signer)
	second.Files.Where, second.Files.CA = "the second", "/nowhere/ca.pem"
	third := source(c.CA, c.Signer)
	third.Files.Where, third.Files.Signers = "the third", []responder.SignerFiles{{Certificate: c.Signer.Cert, Key: c.Good.Key}}
	twin := source(c.CA, c.OCSPSigner("twin"))
	twin.Files.Where = "the twin"
	k := reload.Keeper{Watch: new(watch.Watcher).Run, Responder: &responder.Responder{}, Sources: []reload.Source{source(c.CA, c.Signer), second, third, twin}}
	err := k.Open()
	if err == nil {
		t.Fatal("opened")
	}
	for _, text := range []string{"the second", "/nowhere/ca.pem", "the third", c.Good.Key, "the twin", "one CA key has one index"} {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("the error lacks %s:\n%v", text, err)
		}
	}
}

func TestIndexThatComesLater(t *testing.T) {
	c := pkitest.NewCompany(t)
	rows := read(t, c.Index)
	if err := os.Remove(c.Index); err != nil {
		t.Fatal(err)
	}
	k := &kept{Company: c, events: make(chan reload.Event, 100)}
	k.Keeper = &reload.Keeper{Watch: new(watch.Watcher).Run, Responder: &responder.Responder{}, Sources: []reload.Source{source(c.CA, c.Signer)},
		Log: func(e reload.Event) { k.events <- e }}
	if err := k.Open(); err != nil {
		t.Fatalf("an index that is not there ends the start: %v", err)
	}
	if resp := k.ask(t, c.Good); resp.Status != ocsp.TryLater {
		t.Errorf("answered %v without an index", resp.Status)
	}
	write(t, c.Index, rows)
	k.Accept()
	if got := k.status(t, c.Good); got != wire.Good {
		t.Errorf("%v once it is there", got)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// write puts a file in place of another, whole.
func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// What a publicly trusted CA may not have in its index ends the start.
func TestPublicProfile(t *testing.T) {
	c := pkitest.NewCompany(t)
	public := source(c.CA, c.Signer)
	public.Files.Public, public.Files.Lifetime = true, 24*time.Hour
	start := func() error {
		k := reload.Keeper{Watch: new(watch.Watcher).Run, Responder: &responder.Responder{}, Sources: []reload.Source{public}}
		return k.Open()
	}
	if err := start(); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, reason, says string }{
		{"RSP-26 certificateHold", "certificateHold", "on hold"},
		{"a root's row without a reason", "", "without a reason"},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := read(t, c.Index)
			leaf := c.Issue("public")
			if test.reason == "" {
				c.Revoke(leaf)
			} else {
				c.Revoke(leaf, test.reason)
			}
			if err := start(); err == nil || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), c.Index+":4") {
				t.Errorf("the error is %v", err)
			}
			write(t, c.Index, before)
		})
	}
}
