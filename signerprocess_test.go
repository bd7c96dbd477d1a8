package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/signer"
	"ocspcgi/lib/wire"
)

// Two users that own nothing: who signs, and who answers.
const (
	signing   = 65534
	answering = 65533
)

// apart is a responder without a key, and a signer without anything else.
type apart struct {
	t      *testing.T
	dir    string // open to all, but for secret
	ca     *pkitest.CA
	leaf   *pkitest.Leaf
	asRoot bool

	signer, responder *process
}

func newApart(t *testing.T) *apart {
	dir, err := os.MkdirTemp("", "apart") // t.TempDir is not open to others
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	a := &apart{t: t, dir: dir, ca: pkitest.New(t), asRoot: os.Getuid() == 0}
	a.leaf = a.ca.Issue("server")
	a.must(os.Chmod(dir, 0o755))
	for _, name := range []string{"bin", "public", "secret", "sign", "answer"} {
		a.must(os.Mkdir(a.path(name), 0o755))
	}
	self, err := os.Executable()
	a.must(err)
	a.copy(self, "bin/ocspcgi", 0o755)
	a.copy(a.ca.Cert, "public/ca.pem", 0o644)
	a.copy(a.ca.Index, "public/index.txt", 0o644)
	a.pair(a.ca.OCSPSigner("first"))
	a.must(os.Chmod(a.path("secret"), 0o700))
	if a.asRoot {
		a.must(errors.Join(os.Chown(a.path("secret"), signing, signing), os.Chown(a.path("sign"), signing, signing), os.Chown(a.path("answer"), answering, answering)))
	}
	return a
}

func (a *apart) must(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}

func (a *apart) path(name string) string { return filepath.Join(a.dir, name) }

// copy replaces a file as a whole.
func (a *apart) copy(from, to string, mode os.FileMode) {
	a.t.Helper()
	data, err := os.ReadFile(from)
	a.must(err)
	a.must(os.WriteFile(a.path(to)+".new", data, mode))
	if a.asRoot && strings.HasPrefix(to, "secret/") {
		a.must(os.Chown(a.path(to)+".new", signing, signing))
	}
	a.must(os.Rename(a.path(to)+".new", a.path(to)))
}

// pair gives the certificate to both, and the key to who signs.
func (a *apart) pair(s *pkitest.Signer) {
	a.t.Helper()
	a.copy(s.Key, "secret/ocsp.key", 0o600)
	a.copy(s.Cert, "public/ocsp.pem", 0o644)
}

// command is the program, run by a user where the test is root.
func (a *apart) command(uid uint32, args ...string) *exec.Cmd {
	cmd := exec.Command(a.path("bin/ocspcgi"), args...)
	cmd.Dir = a.dir
	if a.asRoot {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid, Groups: []uint32{answering}}}
	}
	return cmd
}

// newSigner is the process that signs, which is not started yet.
func (a *apart) newSigner(flags ...string) *process {
	p := &process{socket: a.path("sign/s")}
	p.Cmd = a.command(signing, append([]string{"signer", "-rsigner", "public/ocsp.pem", "-rkey", "secret/ocsp.key", "-listen", "unix:sign/s"}, flags...)...)
	return p
}

func (a *apart) startSigner(flags ...string) *process {
	a.t.Helper()
	p := a.newSigner(flags...)
	p.run(a.t)
	return p
}

// stop has a process end, and waits until nobody listens any more.
func (p *process) stop(t *testing.T) {
	t.Helper()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(p.socket); errors.Is(err, os.ErrNotExist) {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func (a *apart) flags() []string {
	return []string{"-index", "public/index.txt", "-CA", "public/ca.pem", "-rsigner", "public/ocsp.pem", "-rkey", "unix:sign/s"}
}

// ask asks something that no kept answer fits, and returns the status, having
// openssl verify an answer that is successful, and who signed it.
func (a *apart) ask() (ocsp.ResponseStatus, string) {
	a.t.Helper()
	der := a.responder.dial(a.t).post(a.t, pkitest.Request(a.t, a.ca, a.leaf, "-nonce"))
	return a.judge(der)
}

func (a *apart) judge(der []byte) (ocsp.ResponseStatus, string) {
	a.t.Helper()
	resp, err := ocsp.ParseResponse(der, a.ca.Certificate)
	var refused ocsp.ResponseError
	if errors.As(err, &refused) {
		return refused.Status, ""
	}
	a.must(err)
	a.must(os.WriteFile(a.path("response.der"), der, 0o600))
	said := pkitest.OpenSSL(a.t, "ocsp", "-respin", a.path("response.der"), "-issuer", a.ca.Cert, "-cert", a.leaf.Cert, "-CAfile", a.ca.Cert, "-no_nonce")
	if !strings.Contains(said, ": good") {
		a.t.Errorf("openssl: %s", said)
	}
	return ocsp.Success, resp.Certificate.Subject.CommonName
}

// The web server's user answers with signatures of a key that it cannot read.
// Who signs may go and come back, and change its key.
func TestSignerProcess(t *testing.T) {
	a := newApart(t)
	var flags []string
	if a.asRoot {
		flags = []string{"-listen_group", fmt.Sprint(answering), "-peer", fmt.Sprint(answering), "-peer", "root"}
	} else {
		t.Log("not root: one user is both who signs and who answers")
	}
	a.signer = a.startSigner(flags...)
	a.responder = &process{socket: a.path("answer/s")}
	a.responder.Cmd = a.command(answering, append(a.flags(), "-listen", "unix:answer/s", "-listen_mode", "0666")...)
	a.responder.run(t)
	if status, who := a.ask(); status != ocsp.Success || who != "first" {
		t.Fatalf("%v, by %s\n%s%s", status, who, &a.signer.log, &a.responder.log)
	}
	if a.asRoot {
		cat := exec.Command("cat", a.path("secret/ocsp.key"))
		cat.SysProcAttr = a.command(answering).SysProcAttr
		if out, err := cat.CombinedOutput(); err == nil || !strings.Contains(string(out), "Permission denied") {
			t.Errorf("who answers may read the key: %s", out)
		}
		stranger := a.command(1, append(a.flags(), "-reqin", "-")...)
		stranger.Stdin = bytes.NewReader(pkitest.Request(t, a.ca, a.leaf))
		if out, err := stranger.CombinedOutput(); err == nil {
			t.Errorf("somebody else had something signed: %q", out)
		}
	}
	cgi := func() (ocsp.ResponseStatus, string) { return a.cgi(a.command(answering), a.settings()...) }
	if status, who := cgi(); status != ocsp.Success || who != "first" {
		t.Errorf("CGI: %v, by %s", status, who)
	}

	a.signer.stop(t)
	for range 3 {
		if status, _ := a.ask(); status != ocsp.TryLater {
			t.Errorf("while nobody signs: %v", status)
		}
	}
	if status, _ := cgi(); status != ocsp.TryLater {
		t.Errorf("CGI, while nobody signs: %v", status)
	}
	hung, err := net.Listen("unix", a.signer.socket) // who connects is in its queue
	a.must(err)
	a.must(os.Chmod(a.signer.socket, 0o666))
	begun := time.Now()
	status, _ := cgi()
	if took := time.Since(begun); status != ocsp.TryLater || took < 5*time.Second || took > 20*time.Second {
		t.Errorf("CGI, while who signs hangs: %v after %v", status, took)
	}
	a.must(hung.Close())
	a.signer = a.startSigner(flags...)
	if status, _ := a.ask(); status != ocsp.Success {
		t.Errorf("when somebody signs again: %v", status)
	}
	a.signer.stop(t)
	a.signer = a.startSigner(flags...)
	if status, _ := a.ask(); status != ocsp.Success {
		t.Errorf("after a restart between two requests: %v", status)
	}
	a.pair(a.ca.OCSPSigner("second"))
	for begun := time.Now(); ; {
		status, who := a.ask()
		if status != ocsp.Success {
			t.Fatalf("while the key is changed: %v", status)
		}
		if who == "second" {
			break
		}
		if time.Since(begun) > 20*time.Second {
			t.Fatalf("the new key is not used\n%s%s", &a.signer.log, &a.responder.log)
		}
	}
	if n := strings.Count(a.responder.log.String(), "the key is away: answers"); n != 1 {
		t.Errorf("the log says %d times that the key is away:\n%s", n, &a.responder.log)
	}
}

// settings have a CGI program ask who signs.
func (a *apart) settings() []string {
	return []string{"OCSP_INDEX=public/index.txt", "OCSP_CA=public/ca.pem", "OCSP_RSIGNER=public/ocsp.pem", "OCSP_RKEY=unix:sign/s"}
}

// cgi asks a CGI program that has its settings in the environment.
func (a *apart) cgi(cmd *exec.Cmd, settings ...string) (ocsp.ResponseStatus, string) {
	a.t.Helper()
	request := pkitest.Request(a.t, a.ca, a.leaf)
	cmd.Env = append(settings, "GATEWAY_INTERFACE=CGI/1.1", "REQUEST_METHOD=POST", "CONTENT_TYPE=application/ocsp-request", "REQUEST_URI=/",
		fmt.Sprint("CONTENT_LENGTH=", len(request)))
	cmd.Stdin = bytes.NewReader(request)
	out, err := cmd.Output()
	a.must(err)
	_, der, _ := bytes.Cut(out, []byte("\r\n\r\n"))
	return a.judge(der)
}

// A signer process signs nothing but the data of a response of this moment in
// its own name, and says what it wanted instead. The socket of somebody who is
// there is not taken.
func TestSignerRefuses(t *testing.T) {
	a := newApart(t)
	a.signer = a.startSigner("-listen_mode", "0666")
	second := a.command(signing, a.signer.Args[1:]...)
	if out, err := second.CombinedOutput(); err == nil || !strings.Contains(string(out), "ocspcgi: signer: listen unix:sign/s: address already in use") {
		t.Errorf("a second one: %v, %s", err, out)
	}
	a.must(os.WriteFile(a.path("file"), nil, 0o600))
	file := a.command(signing, append(a.signer.Args[1:], "-listen", "unix:file")...)
	if out, err := file.CombinedOutput(); err == nil || !strings.Contains(string(out), "there is something else than a socket: remove it or choose another path") {
		t.Errorf("in the place of a file: %v, %s", err, out)
	}

	s, err := signer.Load(a.path("public/ocsp.pem"), "unix:"+a.path("sign/s"), nil, signer.Options{})
	a.must(err)
	keyHash, err := wire.KeyHash(s.Certificate.RawSubjectPublicKeyInfo)
	a.must(err)
	now := time.Now().UTC().Truncate(time.Second)
	fine := wire.Response{KeyHash: keyHash, ProducedAt: now, Singles: []wire.Single{{CertID: []byte{0x30, 0}, Status: wire.Good, ThisUpdate: now, NextUpdate: now.Add(time.Hour)}}}
	request, err := wire.ParseRequest(pkitest.Request(t, a.ca, a.leaf))
	a.must(err)
	fine.Singles[0].CertID = request.CertIDs[0].Raw
	for _, c := range []struct {
		name   string
		change func(*wire.Response)
		bytes  func([]byte) []byte
		want   string
	}{
		{"what is right", nil, nil, ""},
		{"a nonce", func(r *wire.Response) { r.Nonce = []byte{4, 1, 7} }, nil, ""},
		{"by name", func(r *wire.Response) { r.ByName = s.Certificate.RawSubject }, nil, ""},
		{"another key", func(r *wire.Response) { r.KeyHash[0]++ }, nil, "the responderID is not that of public/ocsp.pem"},
		{"another name", func(r *wire.Response) { r.ByName = a.ca.Certificate.RawSubject }, nil, "the responderID is not that of public/ocsp.pem"},
		{"yesterday", func(r *wire.Response) { r.ProducedAt = time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC) }, nil, "producedAt is 2020-01-02T03:04:05Z, and it is "},
		{"tomorrow", func(r *wire.Response) { r.Singles[0].ThisUpdate = now.Add(24 * time.Hour) }, nil, "thisUpdate is "},
		{"for longer than the signer", func(r *wire.Response) { r.Singles[0].NextUpdate = s.Certificate.NotAfter.Add(time.Second) }, nil, "nextUpdate is "},
		{"for ever", func(r *wire.Response) { r.Singles[0].NextUpdate = time.Time{} }, nil, "there is no nextUpdate"},
		{"as long as the signer", func(r *wire.Response) { r.Singles[0].NextUpdate = s.Certificate.NotAfter.UTC() }, nil, ""},
		{"a certificate", nil, signable(a.ca.Certificate.RawTBSCertificate), "not the data of an OCSP response: "},
		{"a certificate of version 1", nil, signable(first(t, a.ca.Certificate.RawTBSCertificate)), "not the data of an OCSP response: "},
		{"a request for a certificate", nil, signable(newRequest(t).RawTBSCertificateRequest), "not the data of an OCSP response: "},
		{"a CRL", nil, signable(newCRL(t).RawTBSRevocationList), "not the data of an OCSP response: "},
		{"a CRL of version 1", nil, signable(first(t, newCRL(t).RawTBSRevocationList)), "not the data of an OCSP response: "},
		{"a whole answer", nil, wrapped, "not the data of an OCSP response: "}, // as BasicOCSPResponse begins
		{"with its version written out", nil, versioned, "not the data of an OCSP response: "},
		{"text", nil, func([]byte) []byte { return []byte("sign this") }, "not the data of an OCSP response: not a ResponseData: no complete DER SEQUENCE"},
		{"more behind it", nil, func(b []byte) []byte { return append(b, 0) }, "not the data of an OCSP response: bytes after the ResponseData"},
		{"nothing", nil, func([]byte) []byte { return nil }, "not the data of an OCSP response: not a ResponseData: no complete DER SEQUENCE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := fine
			r.Singles = slices.Clone(fine.Singles)
			if c.change != nil {
				c.change(&r)
			}
			_, err := r.Marshal(func(tbs []byte) ([]byte, []byte, error) {
				if c.bytes != nil {
					tbs = c.bytes(bytes.Clone(tbs))
				}
				return s.Sign(tbs)
			})
			switch said := fmt.Sprint(err); {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && !strings.HasPrefix(said, "unix:"+a.path("sign/s")+": signing: refused: "+c.want):
				t.Errorf("%s, want %s", said, c.want)
			}
		})
	}
}

// A signer process whose certificate is over, or not valid yet, signs nothing with it.
func TestSignerIsOver(t *testing.T) {
	now := time.Now()
	for want, valid := range map[string]pkitest.Option{
		"expired on ":      pkitest.Expired(),
		"not valid before": pkitest.Valid(now.AddDate(0, 0, 1), now.AddDate(0, 0, 30)),
	} {
		a := newApart(t)
		a.pair(a.ca.OCSPSigner("another", valid))
		a.signer = a.startSigner("-listen_mode", "0666")
		s, err := signer.Load(a.path("public/ocsp.pem"), "unix:"+a.path("sign/s"), nil, signer.Options{})
		a.must(err)
		if err := s.Prove(); err != nil {
			t.Errorf("the key is not proven: %v", err)
		}
		keyHash, err := wire.KeyHash(s.Certificate.RawSubjectPublicKeyInfo)
		a.must(err)
		request, err := wire.ParseRequest(pkitest.Request(t, a.ca, a.leaf))
		a.must(err)
		at := now.UTC().Truncate(time.Second)
		r := wire.Response{KeyHash: keyHash, ProducedAt: at, Singles: []wire.Single{{CertID: request.CertIDs[0].Raw, Status: wire.Good, ThisUpdate: at, NextUpdate: s.Certificate.NotAfter.UTC()}}}
		if _, err := r.Marshal(s.Sign); err == nil || !strings.Contains(err.Error(), ": refused: public/ocsp.pem: "+want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// signable is something else to be signed.
func signable(tbs []byte) func([]byte) []byte { return func([]byte) []byte { return tbs } }

// first takes the first element out of a SEQUENCE: the version of most.
func first(t *testing.T, der []byte) []byte {
	t.Helper()
	var elements []asn1.RawValue
	if _, err := asn1.Unmarshal(der, &elements); err != nil {
		t.Fatal(err)
	}
	rest, err := asn1.Marshal(elements[1:])
	if err != nil {
		t.Fatal(err)
	}
	return rest
}

// wrapped is a SEQUENCE of it and nothing else.
func wrapped(tbs []byte) []byte {
	der, err := asn1.Marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: tbs})
	if err != nil {
		panic(err)
	}
	return der
}

// versioned is a ResponseData that begins as a certificate does: [0] version.
func versioned(tbs []byte) []byte {
	var data asn1.RawValue
	if _, err := asn1.Unmarshal(tbs, &data); err != nil {
		panic(err)
	}
	data.Bytes, data.FullBytes = append([]byte{0xa0, 3, 2, 1, 0}, data.Bytes...), nil
	der, err := asn1.Marshal(data)
	if err != nil {
		panic(err)
	}
	return der
}

func newRequest(t *testing.T) *x509.CertificateRequest {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	req, err := x509.ParseCertificateRequest(der)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func newCRL(t *testing.T) *x509.RevocationList {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	issuer := &x509.Certificate{KeyUsage: x509.KeyUsageCRLSign, SubjectKeyId: []byte{1}, PublicKey: key.Public()}
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now(), NextUpdate: time.Now()}, issuer, key)
	if err != nil {
		t.Fatal(err)
	}
	crl, err := x509.ParseRevocationList(der)
	if err != nil {
		t.Fatal(err)
	}
	return crl
}
