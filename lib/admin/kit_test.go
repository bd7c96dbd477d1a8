package admin_test

import (
	"context"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ocspcgi/lib/admin"
	"ocspcgi/lib/metrics"
	"ocspcgi/lib/ocsphttp"
	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/reload"
	"ocspcgi/lib/responder"
)

// kept is a CA that is answered for, with what operators see of it, at a time
// that the test sets.
type kept struct {
	*pkitest.CA
	*admin.Admin
	clock  atomic.Pointer[time.Time]
	signer *pkitest.Signer
	keeper *reload.Keeper
	ask    *ocsphttp.Handler
}

func (k *kept) now() time.Time { return *k.clock.Load() }

func (k *kept) set(now time.Time) { k.clock.Store(&now) }

func newKept(t *testing.T, opts ...pkitest.Option) *kept {
	t.Helper()
	return newKeptBy(t, func(k *kept) string { return k.signer.Key }, opts...)
}

// newKeptBy is newKept with a key that is where rkey says.
func newKeptBy(t *testing.T, rkey func(*kept) string, opts ...pkitest.Option) *kept {
	t.Helper()
	ca := pkitest.New(t, opts...)
	k := &kept{CA: ca, signer: ca.OCSPSigner("ocsp")}
	k.set(time.Now().Add(time.Hour))
	clock := k.now
	r := &responder.Responder{Now: clock, CacheBytes: 1 << 20}
	k.keeper = &reload.Keeper{Responder: r, Now: clock, Sources: []reload.Source{{Index: ca.Index, Files: responder.Files{
		Where: "the test", CA: ca.Cert, Lifetime: 2 * time.Hour,
		Signers: []responder.SignerFiles{{Certificate: k.signer.Cert, Key: rkey(k)}},
	}}}}
	m := &metrics.Metrics{Version: "1.2 <3>", Keeper: k.keeper, Now: clock, Started: k.now()}
	k.keeper.Log = m.Reload
	if err := k.keeper.Open(); err != nil {
		t.Fatal(err)
	}
	k.Admin = &admin.Admin{Metrics: m, Log: func(err error) { t.Error(err) }}
	k.ask = &ocsphttp.Handler{Respond: r.Respond, Now: clock, Log: m.Request}
	return k
}

// request asks OCSP for a certificate.
func (k *kept) request(t *testing.T, leaf *pkitest.Leaf) {
	t.Helper()
	var resp ocsphttp.Response
	k.ask.Serve(context.Background(), &ocsphttp.Request{Transport: "fcgi", Method: []byte("POST"), ContentType: []byte("application/ocsp-request"),
		Body: pkitest.Request(t, k.CA, leaf, "-no_nonce")}, &resp)
}

// get asks the admin for a path.
func (k *kept) get(t *testing.T, path string) (status int, body string) {
	t.Helper()
	var resp ocsphttp.Response
	k.Serve(context.Background(), &ocsphttp.Request{Method: []byte("GET"), URI: []byte(path)}, &resp)
	if !strings.Contains(string(resp.Header), "Cache-Control: no-store\r\n") {
		t.Errorf("%s may be cached: %q", path, resp.Header)
	}
	return resp.Status, string(resp.Body)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
