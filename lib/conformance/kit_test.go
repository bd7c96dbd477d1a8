package conformance_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/wire"
)

// kit is a company whose certificates the program is asked about.
type kit struct {
	*pkitest.Company
	*served
	ca            authority
	foreign       authority // which is not served
	rsa           *pkitest.Signer
	good, revoked []byte // contents of serial numbers
	trap          *trap
}

func newKit(t testing.TB) *kit {
	t.Helper()
	k := &kit{Company: pkitest.NewCompany(t), trap: newTrap(t)}
	// The older one signs only for who asks for it.
	k.rsa = k.OCSPSigner("rsa", pkitest.Key("rsa"), pkitest.Valid(time.Now().AddDate(0, 0, -2), time.Now().AddDate(0, 0, 300)))
	k.ca, k.foreign = authorityOf(k.Certificate), authorityOf(pkitest.New(t, pkitest.Subject("/CN=other")).Certificate)
	k.good, k.revoked = content(k.Good), content(k.Company.Revoked)
	k.served = start(t, k.settings(k.Signer, k.rsa))
	return k
}

// settings are those of the one issuer, with these signers.
func (k *kit) settings(signers ...*pkitest.Signer) string {
	toml := fmt.Sprintf("[[issuer]]\nCA = %q\nindex = %q\n", k.Cert, k.Index)
	for _, s := range signers {
		toml += fmt.Sprintf("[[issuer.signer]]\nrsigner = %q\nrkey = %q\n", s.Cert, s.Key)
	}
	return toml
}

// reachable lets other accounts into the CA's directory, whose private keys
// stay their owner's.
func (k *kit) reachable(t testing.TB) {
	t.Helper()
	if err := os.Chmod(filepath.Dir(filepath.Dir(k.CA.Dir)), 0o755); err != nil {
		t.Fatal(err)
	}
}

// said wants a signed answer to a request for one certificate.
func (k *kit) said(status wire.CertStatus, id, nonce []byte) want {
	return want{said: []wire.CertStatus{status}, ids: [][]byte{id}, nonce: nonce, by: k.Signer.Certificate, ca: k.Certificate}
}

// all wants good for each of these certificates.
func (k *kit) all(ids [][]byte) want {
	w := k.said(wire.Good, nil, nil)
	w.ids, w.said = ids, nil
	for range ids {
		w.said = append(w.said, wire.Good)
	}
	return w
}

// trap is a port on loopback that nobody has a reason to connect to.
type trap struct {
	address string
	caught  atomic.Int64
}

func newTrap(t testing.TB) *trap {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &trap{address: l.Addr().String()}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			p.caught.Add(1)
			conn.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return p
}

// empty wants that nobody has connected. Connections to loopback are there to
// be accepted before connect returns: one of our own, behind all others, shows
// that none is on its way.
func (p *trap) empty(t testing.TB) {
	t.Helper()
	conn, err := net.Dial("tcp", p.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var end [1]byte
	conn.Read(end[:]) // it is closed once it was counted
	if n := p.caught.Add(-1); n != 0 {
		t.Errorf("%d connections that nobody should make", n)
	}
}
