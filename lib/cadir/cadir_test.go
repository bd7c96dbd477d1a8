package cadir_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ocspcgi/lib/cadir"
	"ocspcgi/lib/pkitest"
)

// place puts files and texts into a new directory: NAME FROM, or NAME =TEXT.
func place(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		put(t, filepath.Join(dir, files[i]), files[i+1])
	}
	return dir
}

func put(t *testing.T, path, from string) {
	t.Helper()
	data, isText := strings.CutPrefix(from, "=")
	if !isText {
		read, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		data = string(read)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
}

// find returns what was found in one line, with DIR for the directory.
func find(dir string) string {
	found, err := cadir.Find(dir, time.Now(), cadir.Given{})
	if err != nil {
		return strings.ReplaceAll(err.Error(), dir, "DIR")
	}
	line := fmt.Sprint(found.Index.Path, " ", found.CA.Path, " ", found.Signer.Path, " ", found.Key.Path)
	return strings.ReplaceAll(line, dir+"/", "")
}

// The layout of openssl ca and of the guide: a root, an intermediate CA below
// it, each with an openssl.cnf. The intermediate one was moved after it was
// made, so that its openssl.cnf says where it was before.
func TestOpenSSL(t *testing.T) {
	root := pkitest.New(t)
	sub := root.Intermediate("intermediate")
	root.OCSPSigner("ocsp.root.example.com")
	sub.Issue("www.example.com")
	sub.OCSPSigner("ocsp.example.com")
	sub.OCSPSigner("over.example.com", pkitest.Expired())
	moved := filepath.Join(root.Dir, "intermediate")
	if err := os.Rename(sub.Dir, moved); err != nil {
		t.Fatal(err)
	}
	for dir, name := range map[string]string{root.Dir: "ocsp.root.example.com", moved: "ocsp.example.com"} {
		want := "index.txt certs/ca.cert.pem certs/" + name + ".cert.pem private/" + name + ".key.pem"
		if got := find(dir); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	found, err := cadir.Find(moved, time.Now(), cadir.Given{})
	if err != nil {
		t.Fatal(err)
	}
	if want := "database in " + moved + "/openssl.cnf"; found.Index.Why != want {
		t.Errorf("the index was taken because of %s", found.Index.Why)
	}
}

// The real easy-rsa, which knows no certificates for OCSP of its own: one is
// made with a type that the user adds.
func TestEasyRSA(t *testing.T) {
	dir := t.TempDir()
	pki := filepath.Join(dir, "pki")
	easyrsa := func(args ...string) {
		t.Helper()
		cmd := exec.Command("/usr/share/easy-rsa/easyrsa", append([]string{"--batch", "--pki-dir=" + pki}, args...)...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "EASYRSA="+dir)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("easyrsa %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	if out, err := exec.Command("cp", "-r", "/usr/share/easy-rsa/x509-types", "/usr/share/easy-rsa/openssl-easyrsa.cnf", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	put(t, filepath.Join(dir, "x509-types", "ocsp"), "=basicConstraints = CA:FALSE\nextendedKeyUsage = OCSPSigning\nkeyUsage = digitalSignature\nnoCheck = ignored\n")
	easyrsa("init-pki")
	easyrsa("--req-cn=Example CA", "build-ca", "nopass")
	easyrsa("build-server-full", "www.example.com", "nopass")
	for _, at := range []string{dir, pki} {
		want := strings.ReplaceAll("PKI/index.txt PKI/ca.crt PKI/ca.crt PKI/private/ca.key", "PKI/", strings.TrimPrefix(pki+"/", at+"/"))
		if got := find(at); got != want {
			t.Errorf("before a delegate is made\ngot  %s\nwant %s", got, want)
		}
	}
	easyrsa("gen-req", "ocsp", "nopass")
	easyrsa("sign-req", "ocsp", "ocsp")
	if got, want := find(pki), "index.txt ca.crt issued/ocsp.crt private/ocsp.key"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Hand-made, as qpki writes it: versions of the CA and of its credentials, of
// which the metadata name the active one.
func TestQPKI(t *testing.T) {
	c := pkitest.NewCompany(t)
	next := c.OCSPSigner("next")
	const v1, v2 = "credentials/ocsp-responder/versions/v1/", "credentials/ocsp-responder/versions/v2/"
	dir := place(t,
		"ca/ca.meta.json", `={"subject": {"common_name": "x"}, "active": "v1", "versions": {"v1": {"algos": ["ecdsa-p256"]}}}`,
		"ca/index.txt", c.Index,
		"ca/versions/v1/certs/ca.ecdsa-p256.pem", c.Cert,
		"ca/versions/v1/keys/ca.ecdsa-p256.key", c.Key,
		"credentials/www/credential.meta.json", `={"active": "v1"}`,
		"credentials/www/versions/v1/certs/credential.ecdsa-p256.pem", c.Good.Cert,
		"credentials/www/versions/v1/keys/credential.ecdsa-p256.key", c.Good.Key,
	)
	ca := filepath.Join(dir, "ca")
	const caItself = "index.txt versions/v1/certs/ca.ecdsa-p256.pem versions/v1/certs/ca.ecdsa-p256.pem versions/v1/keys/ca.ecdsa-p256.key"
	if got := find(ca); got != caItself {
		t.Errorf("without a credential\ngot  %s\nwant %s", got, caItself)
	}
	for name, from := range map[string]string{
		"credential.meta.json":                        `={"id": "ocsp-responder", "active": "v1", "versions": {"v1": {}, "v2": {}}}`,
		"versions/v1/certs/credential.ecdsa-p256.pem": c.Signer.Cert, "versions/v1/keys/credential.ecdsa-p256.key": c.Signer.Key,
		"versions/v2/certs/credential.ecdsa-p256.pem": next.Cert, "versions/v2/keys/credential.ecdsa-p256.key": next.Key,
	} {
		put(t, filepath.Join(dir, "credentials/ocsp-responder", name), from)
	}
	for _, version := range []string{v1, v2} {
		want := "index.txt versions/v1/certs/ca.ecdsa-p256.pem " + dir + "/" + version + "certs/credential.ecdsa-p256.pem " + dir + "/" + version + "keys/credential.ecdsa-p256.key"
		if got := find(ca); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		put(t, filepath.Join(dir, "credentials/ocsp-responder/credential.meta.json"), `={"active": "v2"}`)
	}
	found, err := cadir.Find(ca, time.Now(), cadir.Given{})
	if err != nil {
		t.Fatal(err)
	}
	if hints := strings.Join(found.Hints, " "); !strings.Contains(hints, "ocsp-responder/credential.meta.json") || !strings.Contains(hints, "ca.meta.json") {
		t.Errorf("to be watched: %s", hints)
	}
}

// Hand-made: the old credential of two files, TinyCA with its names in base64,
// the files that XCA exports, and a configuration as the OpenSSL Cookbook has
// it, with names of its own and all of it below $home.
func TestOtherLayouts(t *testing.T) {
	c := pkitest.NewCompany(t)
	for _, l := range []struct {
		name, want string
		files      []string
	}{
		{"qpki, the first", "index.txt ca.crt credentials/ocsp/certificates.pem credentials/ocsp/private-keys.pem", []string{
			"index.txt", c.Index, "ca.crt", c.Cert, "credentials/ocsp/certificates.pem", c.Signer.Cert, "credentials/ocsp/private-keys.pem", c.Signer.Key}},
		{"TinyCA", "index.txt cacert.pem certs/b2NzcA==.pem keys/b2NzcA==.pem", []string{
			"index.txt", c.Index, "cacert.pem", c.Cert, "cacert.key", c.Key,
			"certs/b2NzcA==.pem", c.Signer.Cert, "keys/b2NzcA==.pem", c.Signer.Key, "certs/Z29vZA==.pem", c.Good.Cert, "keys/Z29vZA==.pem", c.Good.Key}},
		{"XCA", "index.txt Example_CA.crt ocsp.crt ocsp.pem", []string{
			"index.txt", c.Index, "Example_CA.crt", c.Cert, "ocsp.crt", c.Signer.Cert, "ocsp.pem", c.Signer.Key, "good.crt", c.Good.Cert}},
		{"the Cookbook", "db/index root-ca.crt root-ocsp.crt private/root-ocsp.key", []string{
			"root-ca.conf", "=[default]\nname = root-ca\ndefault_ca = ca_default\n[ca_default]\nhome = .\ndatabase = $home/db/index # here\ncertificate = $home/$name.crt\nprivate_key = $home/private/${name}.key\n",
			"db/index", c.Index, "root-ca.crt", c.Cert, "private/root-ca.key", c.Key, "root-ocsp.crt", c.Signer.Cert, "private/root-ocsp.key", c.Signer.Key}},
		{"one file for both", "index.txt ca.pem ocsp.pem ocsp.pem", []string{
			"index.txt", c.Index, "ca.pem", c.Cert, "ocsp.pem", "=" + read(t, c.Signer.Key) + read(t, c.Signer.Cert)}},
	} {
		t.Run(l.name, func(t *testing.T) {
			if got := find(place(t, l.files...)); got != l.want {
				t.Errorf("got  %s\nwant %s", got, l.want)
			}
		})
	}
}

// Between the two renames of openssl ca there is no index, and it is found all the same,
// not another one in its place: who looks it up waits until it is there.
func TestBetweenTheRenames(t *testing.T) {
	c, other := pkitest.NewCompany(t), pkitest.NewCompany(t)
	files := []string{"index.txt.old", c.Index, "index.txt.new", c.Index, "ca.crt", c.Cert, "ocsp.crt", c.Signer.Cert, "ocsp.key", c.Signer.Key}
	const want = "index.txt ca.crt ocsp.crt ocsp.key"
	for name, more := range map[string][]string{
		"alone":               nil,
		"with an openssl.cnf": {"openssl.cnf", "=[ca]\ndefault_ca=c\n[c]\ndatabase=./index.txt\ncertificate=./ca.crt\n"},
		"with another CA's":   {"pki/index.txt", other.Index, "pki/ca.crt", other.Cert, "pki/private/ca.key", other.Key},
	} {
		if got := find(place(t, append(files, more...)...)); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", name, got, want)
		}
	}
	if got := find(place(t, files[2:]...)); !strings.Contains(got, "no index") {
		t.Errorf("one that was never there is found: %s", got)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// What is not there, or could be one or the other, is an error with the names.
func TestFaults(t *testing.T) {
	c := pkitest.NewCompany(t)
	next := c.OCSPSigner("next")
	end := next.Certificate.NotAfter.Format("2006-01-02")
	over := c.OCSPSigner("over", pkitest.Expired())
	conf := func(index, ca string) string {
		return "=[ca]\ndefault_ca=c\n[c]\ndatabase=" + index + "\ncertificate=" + ca + "\n"
	}
	for _, l := range []struct {
		name, want string
		files      []string
	}{
		{"nothing", "ca-dir DIR: no index: there is none of index.txt, db/index.txt, db/index, index", nil},
		{"no CA", "ca-dir DIR: no certificate of the CA: there is none of ca.crt, ca.pem, ca.cert.pem, cacert.pem, ca-cert.pem, certs/ca.crt, certs/ca.pem, certs/ca.cert.pem, certs/cacert.pem",
			[]string{"index.txt", c.Index}},
		{"no signer", "ca-dir DIR: no signer: a certificate for OCSPSigning that this CA issued, with a key of the same name in private or keys\n" +
			"  DIR/ocsp.crt has no key of its name\n  DIR/over.crt is over since " + over.Certificate.NotAfter.Format("2006-01-02"),
			[]string{"index.txt", c.Index, "ca.crt", c.Cert, "ocsp.crt", c.Signer.Cert, "over.crt", over.Cert, "over.key", over.Key}},
		{"two signers", "ca-dir DIR: which is the signer? there are:\n  DIR/a.crt, \"CN=ocsp\" until " + end + ", with DIR/a.key\n  DIR/b.crt, \"CN=next\" until " + end +
			", with DIR/b.key\nsay which with -rsigner and -rkey, or give several of them so",
			[]string{"index.txt", c.Index, "ca.crt", c.Cert, "a.crt", c.Signer.Cert, "a.key", c.Signer.Key, "b.crt", next.Cert, "b.key", next.Key}},
		{"two indexes", "ca-dir DIR: which is the index? there are:\n  DIR/index.txt\n  DIR/db/index\nsay which with -index, -CA, -rsigner and -rkey instead of -ca-dir",
			[]string{"index.txt", c.Index, "db/index", c.Index, "ca.crt", c.Cert}},
		{"two CAs", "ca-dir DIR: which is the certificate of the CA? there are:\n  DIR/one.crt\n  DIR/two.crt\nsay which with -CA",
			[]string{"index.txt", c.Index, "one.crt", c.Cert, "two.crt", c.Cert}},
		{"two configurations", "ca-dir DIR: which is the configuration of the CA? there are:\n  DIR/a.cnf\n  DIR/b.cnf\nsay what to take with -index, -CA, -rsigner and -rkey instead of -ca-dir",
			[]string{"a.cnf", conf("a.txt", "ca.crt"), "b.cnf", conf("b.txt", "ca.crt"), "a.txt", c.Index, "b.txt", c.Index, "ca.crt", c.Cert}},
		{"a configuration of what is not there", "ca-dir DIR: database in [c] of DIR/a.cnf: it says /nowhere/index.txt, which is not there, nor below DIR",
			[]string{"a.cnf", conf("/nowhere/index.txt", "ca.crt"), "ca.crt", c.Cert}},
		{"a configuration of two places", "ca-dir DIR: database in [c] of DIR/a.cnf: it says " + c.Index + ", and there is DIR/index.txt as well; say which with -index, -CA, -rsigner and -rkey instead of -ca-dir",
			[]string{"a.cnf", conf(c.Index, "ca.crt"), "index.txt", c.Index, "ca.crt", c.Cert}},
	} {
		t.Run(l.name, func(t *testing.T) {
			if got := find(place(t, l.files...)); got != l.want {
				t.Errorf("got  %s\nwant %s", got, l.want)
			}
		})
	}
	if _, err := cadir.Find("/nowhere", time.Now(), cadir.Given{}); err == nil || err.Error() != "ca-dir: open /nowhere: no such file or directory" {
		t.Errorf("no directory: %v", err)
	}
}

// What is given is not looked for, and cannot be ambiguous.
func TestGiven(t *testing.T) {
	c := pkitest.NewCompany(t)
	dir := place(t, "index.txt", c.Index, "one.crt", c.Cert, "two.crt", c.Cert,
		"a.crt", c.Signer.Cert, "a.key", c.Signer.Key)
	ca := filepath.Join(dir, "two.crt")
	found, err := cadir.Find(dir, time.Now(), cadir.Given{CA: ca})
	if err != nil || found.CA.Path != ca || found.Signer.Path != filepath.Join(dir, "a.crt") {
		t.Errorf("with the CA given: %+v, %v", found, err)
	}
	found, err = cadir.Find(dir, time.Now(), cadir.Given{CA: ca, Signer: true})
	if err != nil || found.Index.Path != filepath.Join(dir, "index.txt") || found.Signer.Path != "" {
		t.Errorf("with both given: %+v, %v", found, err)
	}
}
