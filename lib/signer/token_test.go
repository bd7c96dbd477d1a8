//go:build pkcs11 && cgo

package signer_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ocspcgi/lib/signer"
)

const softHSM = "/usr/lib/softhsm/libsofthsm2.so"

// tokens is the folder of all tokens, byLabel is what is in it.
var (
	tokens  string
	byLabel = map[string]token{}
)

type token struct{ dir, serial string }

// TestTokens has one folder for all, for SoftHSM looks only once in a process
// for where that is.
func TestTokens(t *testing.T) {
	dir := t.TempDir()
	tokens = filepath.Join(dir, "tokens")
	conf := filepath.Join(dir, "softhsm2.conf")
	if err := errors.Join(os.Mkdir(tokens, 0o700), os.WriteFile(conf, []byte("directories.tokendir = "+tokens+"\nlog.level = ERROR\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", conf)
	for _, label := range []string{"kinds", "found", "pin", "together", "away", "hangs"} {
		byLabel[label] = initToken(t, label)
	}
	t.Run("kinds", testTokenKinds)
	t.Run("found", testTokenFound)
	t.Run("PIN", testTokenPIN)
	t.Run("together", testTokenTogether)
	t.Run("away", testTokenAway)
	t.Run("hangs", testTokenHangs)
}

func softHSMUtil(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("softhsm2-util", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("softhsm2-util %v: %v\n%s", args, err, out)
	}
	return string(out)
}

func initToken(t *testing.T, label string) token {
	t.Helper()
	before, err := filepath.Glob(tokens + "/*")
	softHSMUtil(t, "--init-token", "--free", "--label", label, "--so-pin", "5678", "--pin", "1234")
	after, err2 := filepath.Glob(tokens + "/*")
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	for _, dir := range after {
		if !slices.Contains(before, dir) {
			id := strings.ReplaceAll(filepath.Base(dir), "-", "")
			return token{dir, id[len(id)-16:]} // SoftHSM takes the one from the other
		}
	}
	t.Fatal("no token was made")
	return token{}
}

// intoToken puts NAME.key into a token.
func (p pki) intoToken(token, name, id string) {
	p.t.Helper()
	p.openssl("pkcs8 -topk8 -nocrypt -in " + name + ".key -out " + name + ".p8")
	out, err := exec.Command("softhsm2-util", "--import", p.path(name+".p8"), "--token", token, "--label", name, "--id", id, "--pin", "1234").CombinedOutput()
	if err != nil {
		p.t.Fatalf("softhsm2-util --import: %v\n%s", err, out)
	}
}

func (p pki) inToken(token, name string) {
	p.t.Helper()
	p.intoToken(token, name, "01")
}

// uri names a key, with the right PIN in a file.
func (p pki) uri(path string) string {
	return "pkcs11:" + path + "?module-path=" + softHSM + "&pin-source=file:" + p.write("pin", "1234\n")
}

func testTokenKinds(t *testing.T) {
	p := newPKI(t)
	pss := []string{"rsa_padding_mode:pss"}
	for i, c := range []struct {
		kind, digest string
		sigOpts      []string
	}{
		{"rsa", "", nil}, {"rsa", "sha384", nil}, {"rsa", "sha512", nil}, {"rsa", "", pss}, {"rsa", "sha384", pss}, {"rsa", "sha512", pss},
		{"p256", "", nil}, {"p384", "", nil}, {"p521", "", nil}, {"p256", "sha512", nil},
	} {
		t.Run(c.kind+c.digest+strings.Join(c.sigOpts, ""), func(t *testing.T) {
			name := fmt.Sprint("key", i)
			p.key(name, c.kind)
			p.selfSigned(name, "ca")
			p.intoToken("kinds", name, fmt.Sprintf("%02d", i))
			s, err := signer.Load(p.path(name+".crt"), p.uri("token=kinds;object="+name), nil, signer.Options{Digest: c.digest, SigOpts: c.sigOpts})
			if err != nil {
				t.Fatal(err)
			}
			for range 3 {
				algorithm, signature, err := s.Sign([]byte("what is to be signed"))
				if err != nil {
					t.Fatal(err)
				}
				if err := signer.CheckSignature(s.Certificate, algorithm, []byte("what is to be signed"), signature); err != nil {
					t.Error(err)
				}
			}
			if strings.Contains(s.KeyPath, "pin") {
				t.Errorf("the key is called %s", s.KeyPath)
			}
		})
	}
}

// A token is found by whatever the URI says of it, and a key too.
func testTokenFound(t *testing.T) {
	p := newPKI(t)
	serial := byLabel["found"].serial
	p.key("one", "p256")
	p.selfSigned("one", "ca")
	p.intoToken("found", "one", "a1")
	p.key("two", "p256")
	p.intoToken("found", "two", "a2")
	p.intoToken("found", "two", "a3")
	p.key("rsa", "rsa")
	p.selfSigned("rsa", "ca")
	slot, _, _ := strings.Cut(softHSMUtil(t, "--show-slots"), "Label:            found")
	slot = slot[strings.LastIndex(slot, "\nSlot ")+6:]
	slot = slot[:strings.Index(slot, "\n")]
	p.write("chain.crt", p.read("rsa.crt")+p.read("one.crt"))
	p.write("badpin", "4321")
	p.write("empty", "\n")
	phrases := func(s string) signer.Passphrase { return func(string) ([]byte, error) { return []byte(s), nil } }
	for _, c := range []struct {
		name, certificate, uri string
		pass                   signer.Passphrase
		want                   string
	}{
		{"serial", "one.crt", p.uri("serial=" + serial + ";object=one"), nil, ""},
		{"slot", "one.crt", p.uri("slot-id=" + slot + ";object=one"), nil, ""},
		{"id", "one.crt", p.uri("token=found;id=%a1"), nil, ""},
		{"all of it", "one.crt", p.uri("token=found;serial=" + serial + ";model=SoftHSM%20v2;manufacturer=SoftHSM%20project;id=%a1;object=one;type=private"), nil, ""},
		{"second certificate", "chain.crt", p.uri("token=found;object=one"), nil, ""},
		{"passin", "one.crt", "pkcs11:token=found;object=one?module-path=" + softHSM, phrases("1234"), ""},
		{"no key", "one.crt", p.uri("token=found;object=three"), nil, "pkcs11:token=found;object=three: a signature to try it: pkcs11:token=found;object=three: signing: the token has no such private key for ECDSA; pkcs11-tool --login --list-objects shows those that it has"},
		{"two keys", "one.crt", p.uri("token=found;object=two"), nil, "pkcs11:token=found;object=two: a signature to try it: pkcs11:token=found;object=two: signing: several private keys of the token fit; add id=, as pkcs11-tool --list-objects shows it"},
		{"other key", "one.crt", p.uri("token=found;id=%a2"), nil, "pkcs11:token=found;id=%a2: a signature to try it: pkcs11:token=found;id=%a2: signing: the key does not fit DIR/one.crt"},
		{"other kind of key", "rsa.crt", p.uri("token=found;id=%a2"), nil, "pkcs11:token=found;id=%a2: a signature to try it: pkcs11:token=found;id=%a2: signing: the token has no such private key for RSA; pkcs11-tool --login --list-objects shows those that it has"},
		{"no module", "one.crt", "pkcs11:token=found;object=one?module-path=/none.so", nil, "pkcs11:token=found;object=one: module-path: stat /none.so: no such file or directory"},
		{"no library", "one.crt", "pkcs11:token=found;object=one?module-path=/etc/passwd", nil, "pkcs11:token=found;object=one: module-path: /etc/passwd cannot be loaded as a PKCS#11 library; see what ldd and pkcs11-tool --module say of it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := signer.Load(p.path(c.certificate), c.uri, c.pass, signer.Options{})
			if err == nil {
				err = s.Prove()
			}
			switch {
			case c.want != "":
				p.wantError(t, err, c.want)
			case err != nil:
				t.Error(err)
			}
		})
	}
}

// A wrong PIN is tried once: three times would lock many a token.
func testTokenPIN(t *testing.T) {
	p := newPKI(t)
	p.key("one", "p256")
	p.selfSigned("one", "ca")
	p.inToken("pin", "one")
	const uri = "pkcs11:token=pin;object=one"
	const said = uri + ": a signature to try it: " + uri + ": signing: no login: "
	given := ""
	var asked int
	var pass signer.Passphrase = func(string) ([]byte, error) { asked++; return []byte(given), nil }
	load := func(rest string, pass signer.Passphrase) error {
		s, err := signer.Load(p.path("one.crt"), uri+"?module-path="+softHSM+rest, pass, signer.Options{})
		if err != nil {
			return err
		}
		return s.Prove()
	}
	p.wantError(t, load("", nil), said+"the token wants its PIN; give it with pin-source=file:PATH behind ?, or with -passin file:PATH")
	p.wantError(t, load("&pin-source=file:"+p.path("nopin"), nil), said+"pin-source: open DIR/nopin: no such file or directory")
	given = "98765"
	p.wantError(t, load("", pass), said+"the PIN is wrong; it is not tried again before it is another one, for a token locks itself")
	p.wantError(t, load("", pass), said+"the PIN was wrong, and is not tried again before it is another one")
	given = "1234"
	if err := load("", pass); err != nil {
		t.Error(err)
	}
	asked = 0
	if err := load("", pass); err != nil || asked != 0 {
		t.Errorf("the PIN was asked for %d times once logged in: %v", asked, err)
	}
}

func testTokenTogether(t *testing.T) {
	p := newPKI(t)
	p.key("one", "p256")
	p.selfSigned("one", "ca")
	p.inToken("together", "one")
	s, err := signer.Load(p.path("one.crt"), p.uri("token=together;object=one"), nil, signer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			for range 8 {
				if err := s.Prove(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}

// A token that is gone has an error that heals, and it heals by itself. What is
// signed meanwhile, if anything, is right.
func testTokenAway(t *testing.T) {
	p := newPKI(t)
	dir := byLabel["away"].dir
	p.key("one", "p256")
	p.selfSigned("one", "ca")
	p.inToken("away", "one")
	load := func() *signer.Signer {
		s, err := signer.Load(p.path("one.crt"), p.uri("token=away;object=one"), nil, signer.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := load()
	if err := s.Prove(); err != nil {
		t.Fatal(err)
	}
	hidden := filepath.Join(filepath.Dir(tokens), "hidden")
	if err := os.Rename(dir, hidden); err != nil {
		t.Fatal(err)
	}
	until(t, "the token is missed", func() bool { return errors.Is(s.Prove(), signer.ErrAway) })
	if err := load().Prove(); !errors.Is(err, signer.ErrAway) {
		t.Errorf("a key that is loaded while its token is away: %v", err)
	}
	if err := os.Rename(hidden, dir); err != nil {
		t.Fatal(err)
	}
	until(t, "the token is found again", func() bool { return s.Prove() == nil })

	// The same name, another key: never a signature that does not verify.
	softHSMUtil(t, "--delete-token", "--token", "away")
	initToken(t, "away")
	p.key("one", "p256")
	p.inToken("away", "one")
	until(t, "the other key is noticed", func() bool {
		err := s.Prove()
		return err != nil && strings.HasSuffix(err.Error(), "the key does not fit "+p.path("one.crt"))
	})
}

// hanging is a module that passes all on to SoftHSM, but hangs in C_Sign, the 43rd
// function (PKCS#11 3.0, CK_FUNCTION_LIST), while a file is there.
const hanging = `
#include <dlfcn.h>
#include <unistd.h>
struct list { unsigned char version[2]; void *function[68]; };
static struct list all;
static unsigned long (*sign)(unsigned long, void *, unsigned long, void *, unsigned long *);
static unsigned long hang(unsigned long session, void *data, unsigned long n, void *signature, unsigned long *size) {
	while (access(HANG, F_OK) == 0) usleep(1000);
	return sign(session, data, n, signature, size);
}
unsigned long C_GetFunctionList(struct list **out) {
	struct list *real;
	unsigned long (*get)(struct list **) = dlsym(dlopen(MODULE, RTLD_NOW), "C_GetFunctionList");
	unsigned long err = get(&real);
	all = *real;
	sign = all.function[43];
	all.function[43] = hang;
	*out = &all;
	return err;
}
`

// A token that hangs is waited for so long and no longer, by however many, and is
// back when it answers.
func testTokenHangs(t *testing.T) {
	p := newPKI(t)
	p.key("one", "p256")
	p.selfSigned("one", "ca")
	p.inToken("hangs", "one")
	p.write("hanging.c", hanging)
	module, hang := p.path("hanging.so"), p.path("hang")
	if out, err := exec.Command("gcc", "-shared", "-fPIC", "-o", module, p.path("hanging.c"), "-DMODULE=\""+softHSM+"\"", "-DHANG=\""+hang+"\"", "-ldl").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s, err := signer.Load(p.path("one.crt"), strings.Replace(p.uri("token=hangs;object=one"), softHSM, module, 1), nil, signer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Prove(); err != nil {
		t.Fatal(err)
	}
	s.HurryToken()
	p.write("hang", "")
	defer os.Remove(hang)
	const crowd = 20 // more than are asked for at once
	said := make(chan error, crowd)
	for range crowd {
		go func() { said <- s.Prove() }()
	}
	for range crowd {
		select {
		case err := <-said:
			if !errors.Is(err, signer.ErrAway) {
				t.Errorf("a token that hangs: %v", err)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("a token that hangs is waited for")
		}
	}
	if err := os.Remove(hang); err != nil {
		t.Fatal(err)
	}
	until(t, "the token answers again", func() bool { return s.Prove() == nil })
}

// until waits for what heals by itself.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for range 1000 {
		if done() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal(what + ": not in ten seconds")
}
