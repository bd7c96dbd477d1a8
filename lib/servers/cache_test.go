package servers_test

import (
	"bytes"
	"encoding/asn1"
	"encoding/base64"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/servertest"
)

// caches are the configurations that keep answers.
var caches = []form{
	{name: "nginx-cache.conf", files: own("nginx-cache.conf"), web: servertest.Nginx, run: beside, differs: byNginx},
	{
		name: "apache-cache.conf, mod_proxy_fcgi", files: append(others("apache/fcgi-path.conf"), "apache-cache.conf"),
		web: servertest.Apache("event"), run: beside, differs: apacheProxy,
	}, {
		name: "apache-cache.conf, mod_cgid", files: append(others("apache/cgi-path.conf"), "apache-cache.conf"),
		web: servertest.Apache("event"), differs: apacheCGI,
	},
}

// kept is a site that keeps answers, and the log of those who make them.
type kept struct {
	*servertest.Site
	log string
}

// keeping starts a site whose program logs every request.
func (f form) keeping(t testing.TB, r *servertest.Responder) *kept {
	t.Helper()
	logs := *r
	dir := servertest.Room(t)
	k := &kept{log: filepath.Join(dir, "log")}
	logs.Config = filepath.Join(dir, "ocspcgi.toml")
	servertest.WriteFile(t, logs.Config, "log = \""+k.log+"\"\nlog_level = \"info\"\n"+servertest.ReadFile(t, r.Config))
	k.Site, _ = f.site(t, &logs)
	return k
}

// asked is how many requests the program has answered.
func (k *kept) asked(t testing.TB) int {
	t.Helper()
	return strings.Count(servertest.ReadFile(t, k.log), `"us":`)
}

// probe is a request for leaf by GET or POST.
func probe(method string, leaf *pkitest.Leaf, der []byte) servertest.Probe {
	p := servertest.Probe{Method: method, Leaf: leaf}
	if method == "POST" {
		p.Body, p.Header = der, map[string]string{"Content-Type": "application/ocsp-request"}
	} else {
		p.Path = "/" + url.QueryEscape(base64.StdEncoding.EncodeToString(der))
	}
	return p
}

// padded is a request with an extension of n bytes that nobody knows.
func padded(t testing.TB, r *servertest.Responder, leaf *pkitest.Leaf, n int) []byte {
	t.Helper()
	der, err := ocsp.CreateRequest(leaf.Certificate, r.Certificate, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n == 0 {
		return der
	}
	var tbs cryptobyte.String
	whole := cryptobyte.String(der)
	if !whole.ReadASN1(&whole, cbasn1.SEQUENCE) || !whole.ReadASN1(&tbs, cbasn1.SEQUENCE) {
		t.Fatalf("%x", der)
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddBytes(tbs)
			b.AddASN1(cbasn1.Tag(2).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1ObjectIdentifier(asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 32473, 1})
						b.AddASN1OctetString(make([]byte, n))
					})
				})
			})
		})
	})
	der, err = b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// paddings make requests that fit anywhere, that do not fit into the buffers
// that servers have by themselves, and that are as long as a body may be.
var paddings = []int{0, 5000, 20000, 64<<10 - 150}

func TestCaches(t *testing.T) {
	r := servertest.NewResponder(t, program)
	for _, f := range caches {
		t.Run(f.name, func(t *testing.T) {
			k := f.keeping(t, r)
			for range 2 { // the second time some answers are kept ones
				k.Probe(t, f.differs)
			}
			t.Run("3.1", func(t *testing.T) { k.Caching(t, f.run != nil) }) // who has another answer makes mod_cache ask anew
			k.Plain(t)
			k.OpenSSL(t)
			t.Run("CGI-18 many at once", k.Crowd)
			for _, method := range []string{"GET", "POST"} {
				t.Run("apart by "+method, func(t *testing.T) { k.apart(t, method) })
				t.Run("HTTP-29 nonce by "+method, func(t *testing.T) { k.nonce(t, method) })
			}
			t.Run("HTTP-29 no answer", func(t *testing.T) { k.unsigned(t, f.differs) })
			t.Run("0.6 revoked", k.revoked)
		})
	}
}

// apart checks that no two requests share an answer, of whatever length.
func (k *kept) apart(t *testing.T, method string) {
	for _, n := range paddings {
		if method == "GET" && n > 5000 {
			continue // no web server takes such a path
		}
		for range 2 {
			for leaf, want := range map[*pkitest.Leaf]string{k.Good: "200 good", k.Revoked: "200 revoked", k.Unknown: "200 unknown", k.Slashes: "200 good"} {
				for _, chunked := range []bool{false, true} {
					p := probe(method, leaf, padded(t, k.Responder, leaf, n))
					p.Want, p.Chunked = want, chunked && method == "POST"
					for _, fault := range k.Faults(p, nil) {
						t.Errorf("%d bytes, chunked %v: %s", n, chunked, fault)
					}
				}
			}
		}
	}
}

// nonce checks that a request with a nonce reaches the program each time, and
// is answered anew: the signatures differ.
func (k *kept) nonce(t *testing.T, method string) {
	p := probe(method, k.Good, pkitest.Request(t, k.CA, k.Good))
	before := k.asked(t)
	first, second := k.Reply(t, p), k.Reply(t, p)
	if n := k.asked(t) - before; n != 2 {
		t.Errorf("the program was asked %d times", n)
	}
	if bytes.Equal(first.DER, second.DER) {
		t.Error("one answer for both")
	}
	for _, reply := range []*servertest.Reply{first, second} {
		if _, err := ocsp.ParseResponseForCert(reply.DER, k.Good.Certificate, k.Certificate); err != nil || reply.StatusCode != 200 {
			t.Errorf("%d: %v", reply.StatusCode, err)
		}
	}
}

// unsigned checks that what is no signed answer is not kept.
func (k *kept) unsigned(t *testing.T, differs map[string]string) {
	for _, p := range k.Probes(t) {
		if differs[p.Name] != "" || !strings.HasSuffix(p.Want, " malformed") && !strings.HasSuffix(p.Want, " page") {
			continue
		}
		before := k.asked(t)
		k.Reply(t, p)
		k.Reply(t, p)
		if n := k.asked(t) - before; n != 2 {
			t.Errorf("%s: the program was asked %d times", p.Name, n)
		}
	}
}

// revoked revokes a certificate whose answer is kept: who sends a nonce learns
// of it within a second, everybody else when the kept answer has run out.
func (k *kept) revoked(t *testing.T) {
	leaf := k.Issue("kept-" + filepath.Base(filepath.Dir(k.log)))
	status := func() string {
		for _, word := range []string{"good", "revoked", "unknown"} {
			if out := pkitest.Ask(t, k.URL, k.CA, leaf, "-nonce"); strings.Contains(out, ": "+word+"\n") {
				return word
			}
		}
		return "none"
	}
	becomes(t, status, "good", 10*time.Second)
	before := k.asked(t)
	for range 3 {
		if got := k.Get(t, leaf); got != "200 good" {
			t.Error(got)
		}
	}
	if n := k.asked(t) - before; n != 1 {
		t.Errorf("the program was asked %d times, not once", n)
	}
	k.Revoke(leaf)
	becomes(t, status, "revoked", time.Second)
	if got := k.Get(t, leaf); got != "200 good" {
		t.Errorf("%s, which is right but was not kept", got)
	}
}

// becomes asks until the status is want.
func becomes(t testing.TB, status func() string, want string, within time.Duration) {
	t.Helper()
	for deadline := time.Now().Add(within); ; {
		asked := time.Now()
		got := status()
		if got == want {
			return
		}
		if asked.After(deadline) {
			t.Fatalf("%s after %v, want %s", got, within, want)
		}
	}
}
