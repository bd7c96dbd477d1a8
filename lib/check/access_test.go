package check

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"ocspcgi/lib/reload"
	"ocspcgi/lib/responder"
)

// owned is a file of user 10 and group 20.
type owned struct {
	fs.FileInfo
	mode fs.FileMode
}

func (o owned) Mode() fs.FileMode { return o.mode }
func (owned) Sys() any            { return &syscall.Stat_t{Uid: 10, Gid: 20} }

// Of owner, group and others the first that fits decides, even if a later one
// would allow more.
func TestMay(t *testing.T) {
	for _, c := range []struct {
		uid    uint32
		groups []uint32
		mode   fs.FileMode
		want   bool
	}{
		{10, nil, 0o400, true},
		{10, []uint32{20}, 0o044, false},
		{11, []uint32{19, 20}, 0o040, true},
		{11, []uint32{20}, 0o604, false},
		{11, []uint32{21}, 0o004, true},
		{11, []uint32{21}, 0o660, false},
		{0, nil, 0, true},
	} {
		a := &account{uid: c.uid, groups: c.groups}
		if got := a.reads(owned{mode: c.mode}, mayRead); got != c.want {
			t.Errorf("user %d of %v, mode %#o: %v", c.uid, c.groups, c.mode, got)
		}
	}
}

// checked returns what access finds in the files of an index and a CA.
func checked(as *account, dir string) string {
	c := &Checker{as: as}
	c.access(&reload.Source{Index: filepath.Join(dir, "index.txt"), Files: responder.Files{CA: filepath.Join(dir, "ca.pem")}})
	var out []string
	for _, r := range c.rows {
		out = append(out, string(r.Level)+" "+r.File+" "+r.Text+" -> "+r.Remedy)
	}
	return strings.ReplaceAll(strings.Join(out, "\n"), dir, "DIR")
}

func TestAccess(t *testing.T) {
	dir := t.TempDir()
	for at := dir; strings.Count(at, "/") > 1; at = filepath.Dir(at) {
		if err := os.Chmod(at, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"index.txt", "ca.pem"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	me, other := &account{name: "me", uid: uint32(os.Getuid())}, &account{name: "other", uid: 54321}
	chmod := func(name string, mode fs.FileMode) {
		t.Helper()
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(as *account, want string) {
		t.Helper()
		if got := checked(as, dir); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	const bitsAlone = "hint  only the modes of files are looked at for other, no access control lists -> run it as root, which can ask the kernel\n"
	me.asks = true
	expect(nil, "")
	expect(me, "ok  me may read all of it -> ")
	expect(other, bitsAlone+"error DIR/ca.pem other may not read it: DIR/ca.pem has mode 0600 -> chgrp to a group of other, and chmod g+r DIR/ca.pem\n"+
		"error DIR/index.txt other may not read it: DIR/index.txt has mode 0600 -> chgrp to a group of other, and chmod g+r DIR/index.txt")
	chmod("ca.pem", 0o644)
	chmod("index.txt", 0o644)
	expect(other, bitsAlone+"ok  other may read all of it -> ")
	chmod("", 0o700)
	expect(other, bitsAlone+"error DIR/ca.pem other may not read it: DIR has mode 0700 -> chgrp to a group of other, and chmod g+x DIR\n"+
		"error DIR/index.txt other may not read it: DIR has mode 0700 -> chgrp to a group of other, and chmod g+x DIR")
	chmod("", 0o755)
	chmod("ca.pem", 0o666)
	expect(nil, "error DIR/ca.pem everybody may change it: DIR/ca.pem has mode 0666 -> chmod o-w DIR/ca.pem")
	chmod("ca.pem", 0o644)

	// What can be read now, and will not be after the next certificate.
	if err := os.WriteFile(filepath.Join(dir, "openssl-easyrsa.cnf"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	expect(other, bitsAlone+"warning DIR/index.txt easy-rsa will write it anew with mode 0600, and other may not read it then -> answer as the user who runs easy-rsa, or copy it after each change")
	chmod("index.txt", 0o600)
	expect(other, bitsAlone+"error DIR/index.txt other may not read it: DIR/index.txt has mode 0600 -> easy-rsa writes it anew with mode 0600 each time: answer as the user who runs it, or copy it after each change")
}

// An index that is open to a group stays so only where its folder hands the
// group on.
func TestRegrouped(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root may give files away")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "index.txt")
	if err := os.WriteFile(path, nil, 0o640); err != nil {
		t.Fatal(err)
	}
	found := func() string {
		c := &Checker{as: &account{name: "web", uid: 54321, gid: 1}}
		c.regrouped(path)
		return fmt.Sprint(c.rows)
	}
	if got := found(); got != "[]" {
		t.Errorf("the owner's own group: %s", got)
	}
	if err := os.Chown(path, 0, 1); err != nil {
		t.Fatal(err)
	}
	want := "web may read it by its group, and openssl ca will write it anew with the group of root"
	if got := found(); !strings.Contains(got, want) || !strings.Contains(got, "chmod g+s "+dir) {
		t.Errorf("another group: %s", got)
	}
	if err := os.Chmod(dir, 0o755|fs.ModeSetgid); err != nil {
		t.Fatal(err)
	}
	if got := found(); got != "[]" {
		t.Errorf("a folder that hands it on: %s", got)
	}
}

// Each message of the form FILE: TEXT; REMEDY is taken apart.
func TestRows(t *testing.T) {
	c := &Checker{}
	c.say(fault, "/a/b.pem: expired; renew it", "/a", "/a/b.pem")
	c.say(warning, "no such; thing\nin two lines", "/a")
	want := []row{{Level: fault, File: "/a/b.pem", Text: "expired", Remedy: "renew it"}, {Level: warning, Text: "no such; thing\nin two lines"}}
	for i := range want {
		if c.rows[i] != want[i] {
			t.Errorf("%+v, want %+v", c.rows[i], want[i])
		}
	}
	var out bytes.Buffer
	c.Stdout = &out
	if err := c.print(); err != nil || !strings.HasSuffix(out.String(), "1 error, 1 warning\n") || strings.Contains(out.String(), "\x1b") {
		t.Errorf("%v: %s", err, out.String())
	}
}

// A key that stands where the name of its file should is shown to nobody, with what is
// found out about the folder that it would be in.
func TestAccessShowsNoKey(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(dir, "-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----\n")
	c := &Checker{as: &account{name: "other", uid: 54321}}
	c.access(&reload.Source{Index: filepath.Join(dir, "index.txt"), Files: responder.Files{CA: filepath.Join(dir, "ca.pem"),
		Signers: []responder.SignerFiles{{Certificate: filepath.Join(dir, "ocsp.pem"), Key: key}}}})
	if said := fmt.Sprint(c.rows); strings.Contains(said, "MIGH") || !strings.Contains(said, "ocsp.pem") {
		t.Error(said)
	}
}
