package command

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"ocspcgi/lib/reload"
)

// account is a user with the groups that files may be open to.
type account struct {
	name   string
	uid    uint32
	groups []uint32
}

func lookUpAccount(name string) (*account, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	ids, err := u.GroupIds()
	if err != nil {
		return nil, err
	}
	a := &account{name: name, uid: uint32(uid)}
	for _, id := range ids {
		gid, err := strconv.ParseUint(id, 10, 32)
		if err != nil {
			return nil, err
		}
		a.groups = append(a.groups, uint32(gid))
	}
	return a, nil
}

// Permission bits, as those for others.
const (
	mayRead  = 4
	maySeek  = 1 // look up a name in a directory
	mayWrite = 2
)

// may tells whether the permission bits allow it, as the kernel reads them: of
// owner, group and others the first that fits decides. Access control lists are
// not looked at.
func (a *account) may(info fs.FileInfo, bit fs.FileMode) bool {
	owner := info.Sys().(*syscall.Stat_t)
	mode := info.Mode().Perm()
	switch {
	case a.uid == 0:
		return true
	case owner.Uid == a.uid:
		return mode&(bit<<6) != 0
	case slices.Contains(a.groups, owner.Gid):
		return mode&(bit<<3) != 0
	}
	return mode&bit != 0
}

// obstacle returns what keeps the user from reading a file: itself or a
// directory above it; "" when nothing does.
func (a *account) obstacle(path string) (string, fs.FileMode, error) {
	path, err := filepath.EvalSymlinks(path)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return "", 0, err
	}
	bit := fs.FileMode(mayRead)
	for at := path; ; at, bit = filepath.Dir(at), maySeek {
		info, err := os.Stat(at)
		if err != nil {
			return "", 0, err
		}
		if !a.may(info, bit) {
			return at, info.Mode().Perm(), nil
		}
		if at == filepath.Dir(at) {
			return "", 0, nil
		}
	}
}

// access checks the modes of an issuer's files.
func (c *Checker) access(source *reload.Source) {
	files := append(source.Files.Paths(), source.Index)
	slices.Sort(files)
	files = slices.Compact(files)
	for _, path := range files {
		c.replaceable(path)
	}
	for _, pair := range source.Files.Signers {
		c.private(cmp.Or(pair.Key, pair.Certificate))
	}
	if c.as == nil {
		return
	}
	before := len(c.rows)
	for _, path := range files {
		at, mode, err := c.as.obstacle(path)
		switch {
		case err != nil:
			continue // its absence is told of already
		case at != "":
			c.add(row{Level: fault, File: path, Text: fmt.Sprintf("%s may not read it: %s has mode %#o", c.as.name, at, mode), Remedy: unlock(c.as.name, at, path, source.Index)})
		case path == source.Index:
			c.easyRSA(path)
		}
	}
	if len(c.rows) == before {
		c.ok("", "%s may read all of it", c.as.name)
	}
}

func unlock(name, at, path, index string) string {
	if path == index && isEasyRSA(path) {
		return "easy-rsa writes it anew with mode 0600 each time: answer as the user who runs it, or copy it after each change"
	}
	bits := "g+r"
	if info, err := os.Stat(at); err == nil && info.IsDir() {
		bits = "g+x"
	}
	return fmt.Sprintf("chgrp to a group of %s, and chmod %s %s", name, bits, at)
}

// easyRSA warns of an index that can be read now, but not for long.
func (c *Checker) easyRSA(path string) {
	info, err := os.Stat(path)
	if err != nil || !isEasyRSA(path) {
		return
	}
	if owner := info.Sys().(*syscall.Stat_t); owner.Uid != c.as.uid && c.as.uid != 0 {
		c.add(row{Level: warning, File: path, Text: fmt.Sprintf("easy-rsa will write it anew with mode 0600, and %s may not read it then", c.as.name),
			Remedy: "answer as the user who runs easy-rsa, or copy it after each change"})
	}
}

func isEasyRSA(index string) bool {
	_, err := os.Stat(filepath.Join(filepath.Dir(index), "openssl-easyrsa.cnf"))
	return err == nil
}

// private hints at a folder that shows everybody that it has keys.
func (c *Checker) private(key string) {
	dir := filepath.Dir(key)
	info, err := os.Stat(dir)
	if err == nil && info.Mode().Perm()&(mayRead|maySeek) != 0 {
		c.add(row{Level: hint, File: key, Text: fmt.Sprintf("everybody may look into %s (mode %#o)", dir, info.Mode().Perm()),
			Remedy: "chmod o= " + dir})
	}
}

// replaceable reports a file or a folder that everybody may write to.
func (c *Checker) replaceable(path string) {
	for _, at := range []string{path, filepath.Dir(path)} {
		info, err := os.Stat(at)
		if err != nil || info.Mode().Perm()&mayWrite == 0 || info.Mode()&fs.ModeSticky != 0 {
			continue
		}
		c.add(row{Level: fault, File: path, Text: fmt.Sprintf("everybody may change it: %s has mode %#o", at, info.Mode().Perm()), Remedy: "chmod o-w " + at})
	}
}
