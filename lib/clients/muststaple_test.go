package clients_test

import (
	"bytes"
	"crypto/sha1"
	"crypto/x509/pkix"
	"encoding/asn1"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/servertest"
)

// held is a FastCGI responder behind nginx whose socket stays open when the
// responder is restarted, as systemd does it.
type held struct {
	*scene
	socket    *os.File
	log       string // path
	cert, key string // of the signer, to be replaced
}

// open makes the CA and starts the responder.
func (h *held) open(t *testing.T) {
	set := setting{key: "p256", delegated: true, path: "/ocsp"}
	set.front = func(t testing.TB, s *scene, address string) {
		h.scene, h.log = s, filepath.Join(s.Dir, "responder.log")
		h.cert, h.key = filepath.Join(s.Dir, "ocsp.pem"), filepath.Join(s.Dir, "ocsp.key")
		h.swap(t, s.Signer)
		s.SignWith(t, &pkitest.Signer{Leaf: pkitest.Leaf{Cert: h.cert, Key: h.key}})
		h.listen(t)
		serve(t, servertest.Nginx, address, s.Snippet(t, "../../nginx/path.conf", address))
	}
	set.open(t)
}

func (h *held) listen(t testing.TB) {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: h.Socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() // which leaves the file of the socket, and its copy open
	l.SetUnlinkOnClose(false)
	if h.socket, err = l.File(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.socket.Close() })
	if err := os.Chmod(h.Socket, 0o666); err != nil {
		t.Fatal(err)
	}
}

// start starts the responder on the socket, and returns what stops it.
func (h *held) start(t testing.TB) (stop func()) {
	t.Helper()
	log, err := os.OpenFile(h.log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(h.Program, "-config", h.Config)
	cmd.Stdin, cmd.Stderr = h.socket, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v\n%s", err, servertest.ReadFile(t, h.log))
		}
	})
	t.Cleanup(stop)
	return stop
}

// swap puts another signer into the place of the one there is, file by file.
func (h *held) swap(t testing.TB, signer *pkitest.Signer) {
	t.Helper()
	for path, from := range map[string]string{h.cert: signer.Cert, h.key: signer.Key} {
		servertest.WriteFile(t, path+".new", servertest.ReadFile(t, from))
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
}

// fetched waits until a stapler has fetched the answer once more.
func (h *held) fetched(t testing.TB, leaf *pkitest.Leaf) {
	t.Helper()
	count := func() int { return strings.Count(servertest.ReadFile(t, h.log), `"serial":"`+leaf.Serial+`"`) }
	before := count()
	eventually(t, "the answer is fetched again", func() bool { return count() > before })
}

// visitor connects to a site, one time after the other.
type visitor struct {
	name    string
	address string

	mu         sync.Mutex
	handshakes int
	early      int            // handshakes before the first with a staple
	last       *ocsp.Response // nil until there is a staple
	faults     []string
}

// visit connects until it is told to stop. Once there was a staple there has to
// be one always, that is in its time.
func (v *visitor) visit(s *scene, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		staple, err := s.connect(v.address)
		v.mu.Lock()
		v.handshakes++
		switch {
		case err != nil:
			v.faults = append(v.faults, err.Error())
		case staple == nil && v.last == nil:
			v.early++
		case staple == nil:
			v.faults = append(v.faults, "a handshake without a staple")
		case time.Now().After(staple.NextUpdate):
			v.faults = append(v.faults, "a staple that was good until "+staple.NextUpdate.String())
		}
		if staple != nil {
			v.last = staple
		}
		v.mu.Unlock()
	}
}

// staple is what was stapled last.
func (v *visitor) staple() *ocsp.Response {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.last
}

// TestMustStaple follows sites whose certificate demands a staple, through all
// that happens to a responder: certificates issued and revoked, another signer,
// restarts, and the revocation of the certificate itself.
func TestMustStaple(t *testing.T) {
	h := &held{}
	h.open(t)
	stop := h.start(t)
	leaf := h.Issue("must-staple", h.at(), pkitest.Extension("tlsfeature", "status_request"))
	servertest.Own(t, leaf.Key)
	nginx := &visitor{name: "nginx", address: nginxSite(t, h.scene, leaf, nginxStapling(h.scene)).address}
	apache := &visitor{name: "Apache", address: apacheSite(t, h.scene, leaf, apacheMustStaple).address}
	visitors := []*visitor{nginx, apache}
	leave := h.invite(t, visitors)

	for _, name := range []string{"one", "two", "three"} {
		other := h.Issue(name)
		h.fetched(t, leaf)
		h.Revoke(other)
		h.fetched(t, leaf)
	}
	second := h.OCSPSigner("second")
	h.swap(t, second)
	eventually(t, "Apache staples what the new signer has signed", func() bool {
		return bytes.Equal(apache.staple().ResponderKeyHash, keyHash(t, second))
	})
	for range 3 {
		stop()
		stop = h.start(t)
		h.fetched(t, leaf)
	}
	for _, v := range visitors {
		t.Run("STP-01 4.1 "+v.name, func(t *testing.T) {
			if out, status := gnutls(t, h.scene, v.address); status != 0 {
				t.Errorf("gnutls-cli refuses:\n%s", out)
			}
			if got := h.stapled(t, v.address); got != "staples good" {
				t.Error(got)
			}
		})
	}
	h.Revoke(leaf)
	eventually(t, "Apache staples the revocation", func() bool { return apache.staple().Status == ocsp.Revoked })
	leave()
	for _, v := range visitors {
		t.Logf("%s: %d handshakes, of which %d before there was a staple", v.name, v.handshakes, v.early)
		if len(v.faults) > 0 {
			t.Errorf("%s: %d faults, the first is: %s", v.name, len(v.faults), v.faults[0])
		}
	}
}

// apacheMustStaple has Apache staple nothing that clients would stumble over,
// and fetch anew every second.
const apacheMustStaple = `SSLUseStapling on
    SSLStaplingReturnResponderErrors off
    SSLStaplingFakeTryLater off
    SSLStaplingStandardCacheTimeout 1`

// invite has the visitors come until they are told to leave, each having seen a
// staple.
func (h *held) invite(t testing.TB, visitors []*visitor) (leave func()) {
	t.Helper()
	done := make(chan struct{})
	var group sync.WaitGroup
	leave = sync.OnceFunc(func() { close(done); group.Wait() })
	t.Cleanup(leave)
	for _, v := range visitors {
		group.Go(func() { v.visit(h.scene, done) })
		eventually(t, v.name+" staples", func() bool { return v.staple() != nil })
	}
	return leave
}

// TestWithoutStaple shows that gnutls-cli holds a site to its certificate.
func TestWithoutStaple(t *testing.T) {
	s := settings[0].open(t)
	leaf := s.Issue("must-staple", s.at(), pkitest.Extension("tlsfeature", "status_request"))
	servertest.Own(t, leaf.Key)
	out, status := gnutls(t, s, serveTLS(t, s, leaf, "-cert_chain", s.Cert))
	if status == 0 || !strings.Contains(out, "but the OCSP status is missing") {
		t.Errorf("exit status %d\n%s", status, out)
	}
	if got := gnutlsClient(t, s, leaf); got != "connects" {
		t.Error(got)
	}
}

// keyHash is the responder's id of a signer: the SHA-1 hash of its key (RFC 6960
// section 4.2.1).
func keyHash(t testing.TB, signer *pkitest.Signer) []byte {
	t.Helper()
	var key struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(signer.Certificate.RawSubjectPublicKeyInfo, &key); err != nil {
		t.Fatal(err)
	}
	hash := sha1.Sum(key.Key.Bytes)
	return hash[:]
}
