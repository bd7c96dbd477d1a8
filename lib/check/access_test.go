package check

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

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

// An access control list lets in whom the permission bits would not, and the
// other way round: the kernel is asked.
func TestAccessControlList(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root may ask on behalf of others")
	}
	a, err := lookUpAccount("nobody")
	if err != nil {
		t.Fatal(err)
	}
	if !a.asks {
		t.Fatal("root does not ask the kernel")
	}
	path := filepath.Join(t.TempDir(), "key.pem")
	for at := filepath.Dir(path); strings.Count(at, "/") > 1; at = filepath.Dir(at) {
		if err := os.Chmod(at, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		mode fs.FileMode
		acl  uint16 // what the list gives the user
		bits fs.FileMode
		want bool
	}{
		{0o640, 4, mayRead, true},
		{0o644, 0, mayRead, false},
		{0o640, 4, mayWrite, false},
	} {
		if err := os.WriteFile(path, nil, c.mode); err != nil {
			t.Fatal(err)
		}
		err := unix.Setxattr(path, "system.posix_acl_access", accessList(c.mode, a.uid, c.acl), 0)
		if errors.Is(err, unix.EOPNOTSUPP) {
			t.Skip("the file system knows no access control lists")
		} else if err != nil {
			t.Fatal(err)
		}
		if at, _, err := a.obstacle(path, c.bits); (at == "") != c.want || err != nil {
			t.Errorf("mode %#o, list %d: %q %v", c.mode, c.acl, at, err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.ReadFile("/etc/shadow"); err != nil {
		t.Errorf("the rights of other threads are gone: %v", err)
	}
}

// accessList is a file's list as the kernel takes it (acl(5)): version 2, then
// tag, permissions and id of each entry.
func accessList(mode fs.FileMode, user uint32, bits uint16) []byte {
	const none = 1<<32 - 1
	b := binary.LittleEndian.AppendUint32(nil, 2)
	for _, e := range []struct {
		tag, bits uint16
		id        uint32
	}{{1, uint16(mode >> 6 & 7), none}, {2, bits, user}, {4, uint16(mode >> 3 & 7), none}, {16, 7, none}, {32, uint16(mode & 7), none}} {
		b = binary.LittleEndian.AppendUint16(b, e.tag)
		b = binary.LittleEndian.AppendUint16(b, e.bits)
		b = binary.LittleEndian.AppendUint32(b, e.id)
	}
	return b
}
