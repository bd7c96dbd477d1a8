package index_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"ocspcgi/lib/index"
)

// ca is an `openssl ca` in a directory.
type ca struct {
	t   *testing.T
	dir string
}

const caConfig = `
[ca]
default_ca = here
[here]
dir = %s
database = $dir/index.txt
serial = $dir/serial
new_certs_dir = $dir
certificate = $dir/ca.crt
private_key = $dir/ca.key
default_md = sha256
default_days = 30
policy = any
unique_subject = no
[any]
commonName = supplied
[req]
distinguished_name = name
prompt = no
[name]
CN = Test CA
`

func newCA(t *testing.T, serial string) *ca {
	t.Helper()
	c := &ca{t, t.TempDir()}
	for name, text := range map[string]string{
		"ca.conf": fmt.Sprintf(caConfig, c.dir), "index.txt": "", "serial": serial + "\n",
	} {
		if err := os.WriteFile(c.path(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c.openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", c.path("ca.key"))
	c.openssl("req", "-config", c.path("ca.conf"), "-x509", "-new", "-key", c.path("ca.key"), "-days", "3650", "-out", c.path("ca.crt"))
	return c
}

func (c *ca) path(name string) string { return filepath.Join(c.dir, name) }

func (c *ca) openssl(args ...string) string {
	c.t.Helper()
	cmd := exec.Command("openssl", args...)
	cmd.Env = append(os.Environ(), "OPENSSL_CONF="+c.path("ca.conf"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		c.t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (c *ca) issue(name string, args ...string) {
	c.t.Helper()
	c.openssl("req", "-config", c.path("ca.conf"), "-new", "-key", c.path("ca.key"), "-subj", "/CN="+name, "-out", c.path(name+".csr"))
	c.ca(append([]string{"-in", c.path(name + ".csr"), "-out", c.path(name + ".crt")}, args...)...)
}

func (c *ca) ca(args ...string) {
	c.t.Helper()
	c.openssl(append([]string{"ca", "-config", c.path("ca.conf"), "-batch", "-notext"}, args...)...)
}

// look looks a serial up in every way, in the index as it is.
func (c *ca) look(serial string) index.Entry {
	c.t.Helper()
	var got index.Entry
	for name, look := range ways(c.t, c.path("index.txt")) {
		e, err := look(octets(c.t, serial))
		if err != nil {
			c.t.Fatalf("%s of %s: %v", name, serial, err)
		}
		if got != (index.Entry{}) && e != got {
			c.t.Errorf("%s says %s of %s, another way %s", name, said(e, nil), serial, said(got, nil))
		}
		got = e
	}
	return got
}

// ocsp asks `openssl ocsp` about a serial, and returns status and reason.
func (c *ca) ocsp(serial string) (status, reason, date string) {
	c.t.Helper()
	out := c.openssl("ocsp", "-index", c.path("index.txt"), "-CA", c.path("ca.crt"), "-rsigner", c.path("ca.crt"), "-rkey", c.path("ca.key"),
		"-issuer", c.path("ca.crt"), "-serial", "0x"+serial, "-noverify", "-no_nonce", "-resp_text", "-resp_no_certs")
	field := func(pattern string) string {
		m := regexp.MustCompile(`(?m)` + pattern).FindStringSubmatch(out)
		if m == nil {
			return ""
		}
		return m[1]
	}
	return field(`^\s+Cert Status: (\w+)`), field(`^\s+Revocation Reason: (\w+)`), field(`^\s+Revocation Time: (.*)$`)
}

// TestOpenSSL reads what `openssl ca` writes, and compares with what
// `openssl ocsp` answers from it.
func TestOpenSSL(t *testing.T) {
	c := newCA(t, "9E")
	for _, row := range []struct {
		revoke []string
		reason int8
		name   string // as openssl prints it
		hold   string
	}{
		{nil, 0, "", ""},
		{[]string{}, -1, "", ""},
		{[]string{"-crl_reason", "unspecified"}, -1, "unspecified", ""},
		{[]string{"-crl_reason", "keyCompromise"}, 1, "keyCompromise", ""},
		{[]string{"-crl_reason", "CACompromise"}, 2, "cACompromise", ""},
		{[]string{"-crl_reason", "affiliationChanged"}, 3, "affiliationChanged", ""},
		{[]string{"-crl_reason", "superseded"}, 4, "superseded", ""},
		{[]string{"-crl_reason", "cessationOfOperation"}, 5, "cessationOfOperation", ""},
		{[]string{"-crl_reason", "certificateHold"}, 6, "certificateHold", ""},
		{[]string{"-crl_reason", "removeFromCRL"}, -1, "removeFromCRL", ""},
		{[]string{"-crl_hold", "1.2.840.10040.2.2"}, 6, "certificateHold", "1.2.840.10040.2.2"},
		{[]string{"-crl_hold", "holdInstructionReject"}, 6, "certificateHold", "1.2.840.10040.2.3"},
		{[]string{"-crl_compromise", "20261001000000Z"}, 1, "keyCompromise", ""},
		{[]string{"-crl_CA_compromise", "20261001000000Z"}, 2, "cACompromise", ""},
	} {
		name := strings.Join(append([]string{"RSP-22 revoked"}, row.revoke...), " ")
		if row.revoke == nil {
			name = "RSP-16 good"
		}
		t.Run(name, func(t *testing.T) {
			c.t = t
			cn := regexp.MustCompile(`\W`).ReplaceAllString(name, "_")
			serial := strings.TrimSpace(read(t, c.path("serial")))
			c.issue(cn)
			if e := c.look(serial); e.Status != index.Valid || e.Expires.Before(time.Now()) {
				t.Errorf("issued: %s", said(e, nil))
			}
			if row.revoke == nil {
				return
			}
			c.ca(append([]string{"-revoke", c.path(cn + ".crt")}, row.revoke...)...)
			e := c.look(serial)
			status, reason, date := c.ocsp(serial)
			if e.Status != index.Revoked || status != "revoked" {
				t.Errorf("%s, openssl says %s", said(e, nil), status)
			}
			if e.Reason != row.reason || !strings.EqualFold(reason, row.name) {
				t.Errorf("reason %d, openssl says %s", e.Reason, reason)
			}
			if got := e.Revoked.Format("Jan _2 15:04:05 2006") + " GMT"; got != date {
				t.Errorf("revoked %s, openssl says %s", got, date)
			}
			if e.Hold != row.hold {
				t.Errorf("hold instruction is %q", e.Hold)
			}
			if timed := slices.Contains(row.revoke, "20261001000000Z"); timed == e.Invalid.IsZero() {
				t.Errorf("time of compromise is %v", e.Invalid)
			}
		})
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestUpdateDB lets `openssl ca` mark what has expired.
func TestUpdateDB(t *testing.T) {
	c := newCA(t, "1000")
	c.issue("gone", "-startdate", "20200101000000Z", "-enddate", "20210101000000Z")
	c.issue("revoked", "-startdate", "20200101000000Z", "-enddate", "20210101000000Z")
	c.issue("late", "-enddate", "20600101000000Z")
	c.ca("-revoke", c.path("revoked.crt"))
	l := &index.Live{Path: c.path("index.txt")} // by the clock that openssl revokes by
	l.Reload(false)
	c.ca("-updatedb")
	if r := l.Reload(false); !r.Believed || !r.Changed || r.Count != 0 {
		t.Errorf("report is %+v", r)
	}
	for serial, want := range map[string]string{
		"1000": "E to 2021-01-01T00:00:00Z", "1001": "R to 2021-01-01T00:00:00Z", "1002": "V to 2060-01-01T00:00:00Z",
	} {
		if got := said(c.look(serial), nil); !strings.HasPrefix(got, want) {
			t.Errorf("%s is %q, want %q", serial, got, want)
		}
	}
}

// TestSameAsOpenSSL asks openssl about rows that it does not write, where it
// answers as it should.
func TestSameAsOpenSSL(t *testing.T) {
	c := newCA(t, "1000")
	rows := []string{
		"V\t271119120000Z\t\t10\tunknown\t/CN=a",
		"V\t271119120000Z\t\t0011\tunknown\t/CN=b",
		"V\t271119120000Z\t\t9F\tunknown\t/CN=c",
		"V\t200101000000Z\t\t12\tunknown\t/CN=d",
		"V\tx\t\t13\tunknown\t/CN=e",
		"V\t271119120000Z\t261119120000Z\t14\tunknown\t/CN=f",
		"V\t271119120000Z\t\t15\tunknown\t/CN=g\\\th",
		"V\t271119120000Z\t\t016\tunknown\t/CN=i",
		"Valid\t271119120000Z\t\t1C\tunknown\t/CN=o",
		"R\t271119120000Z\t251119120000Z,aliens\t17\tunknown\t/CN=j",
		"R\t271119120000Z\t251119120000Z, keyCompromise\t18\tunknown\t/CN=k",
		"R\t271119120000Z\t251119120000Z,holdInstruction\t19\tunknown\t/CN=l",
		"R\t271119120000Z\t251119120000Z,holdInstruction,1.2.x\t1A\tunknown\t/CN=m",
		"R\t271119120000Z\t251119120000Z,keyTime,x\t1B\tunknown\t/CN=n",
		"R\t271119120000Z\t500101000000Z,SUPERSEDED\t1D\tunknown\t/CN=p",
		"R\t271119120000Z\t2511191200Z\t1E\tunknown\t/CN=q",
		"R\t271119120000Z\t251119120000+0100\t1F\tunknown\t/CN=r",
		"# V\t271119120000Z\t\t20\tunknown\t/CN=s",
	}
	rewrite(t, c.path("index.txt"), strings.Join(rows, "\n")+"\n")
	words := map[string]index.Status{"good": index.Valid, "revoked": index.Revoked, "unknown": 0}
	codes := map[string]int8{"": -1, "superseded": 4}
	for _, serial := range strings.Fields("10 11 12 13 14 15 16 17 18 19 1A 1B 1C 1D 1E 1F 20 9F FFFF") {
		status, reason, date := c.ocsp(serial)
		want, known := words[status]
		if !known {
			t.Fatalf("openssl says %q of %s", status, serial)
		}
		e, err := file(c.path("index.txt")).Lookup(octets(t, serial))
		if e.Status != want || (err != nil) != (want == 0) {
			t.Errorf("%s: %s, openssl says %s", serial, said(e, err), status)
		}
		if want != index.Revoked {
			continue
		}
		if code, known := codes[reason]; !known || e.Reason != code {
			t.Errorf("%s: %s, openssl says for %q", serial, said(e, err), reason)
		}
		if got := e.Revoked.Format("Jan _2 15:04:05 2006") + " GMT"; got != date {
			t.Errorf("%s: revoked %s, openssl says %s", serial, got, date)
		}
	}
}
