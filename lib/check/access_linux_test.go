package check

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

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
