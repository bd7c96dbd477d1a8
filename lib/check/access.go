package check

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"ocspcgi/lib/reload"
	"ocspcgi/lib/signer"
)

// access checks the modes of an issuer's files.
func (c *Checker) access(source *reload.Source) {
	files, socket := append(source.Files.Paths(), source.Index), ""
	for _, pair := range source.Files.Signers {
		switch key := cmp.Or(pair.Key, pair.Certificate); {
		case strings.HasPrefix(key, "unix:"):
			socket = signer.Guard(key)
		case signer.Guard(key) != "" && shown(key):
			files = append(files, signer.Guard(key))
			c.private(signer.Guard(key))
		}
	}
	slices.Sort(files)
	files = slices.DeleteFunc(slices.Compact(files), func(path string) bool { return !shown(path) })
	for _, path := range files {
		c.replaceable(path)
	}
	if c.as == nil {
		return
	}
	if !c.as.asks {
		c.add(row{Level: hint, Text: "only the modes of files are looked at for " + c.as.name + ", no access control lists", Remedy: "run it as root, which can ask the kernel"})
	}
	before := len(c.rows)
	for _, path := range files {
		at, mode, err := c.as.obstacle(path, mayRead)
		switch {
		case err != nil:
			continue // its absence is told of already
		case at != "":
			c.add(row{Level: fault, File: path, Text: fmt.Sprintf("%s may not read it: %s has mode %#o", c.as.name, at, mode), Remedy: unlock(c.as.name, at, path, source.Index)})
		case path == source.Index:
			c.easyRSA(path)
			c.regrouped(path)
		}
	}
	if socket != "" {
		c.asks(socket)
	}
	if len(c.rows) == before {
		c.ok("", "%s may read all of it", c.as.name)
	}
}

// shown tells whether a path may be. A key that stands where the name of its file
// should is told of already, and nobody is to read it on a terminal.
func shown(path string) bool { return !strings.Contains(path, "-----BEGIN ") }

// asks checks that the user may have signatures of a signer process.
func (c *Checker) asks(socket string) {
	if at, mode, err := c.as.obstacle(socket, mayWrite); err == nil && at != "" {
		c.add(row{Level: fault, File: socket, Text: fmt.Sprintf("%s may not ask for signatures: %s has mode %#o", c.as.name, at, mode),
			Remedy: "start ocspcgi signer with -listen_group and a group of " + c.as.name})
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

// regrouped hints at an index that the user may read because of its group, which
// the next change by openssl ca takes away: a new file has the group of whoever
// runs it, unless the folder says otherwise.
func (c *Checker) regrouped(path string) {
	info, err := os.Stat(path)
	dir, dirErr := os.Stat(filepath.Dir(path))
	if err != nil || dirErr != nil || dir.Mode()&fs.ModeSetgid != 0 || isEasyRSA(path) || info.Mode().Perm()&mayRead != 0 {
		return
	}
	owner := info.Sys().(*syscall.Stat_t)
	u, err := user.LookupId(strconv.FormatUint(uint64(owner.Uid), 10))
	if err != nil || owner.Uid == c.as.uid || u.Gid == strconv.FormatUint(uint64(owner.Gid), 10) {
		return
	}
	c.add(row{Level: warning, File: path, Text: fmt.Sprintf("%s may read it by its group, and openssl ca will write it anew with the group of %s", c.as.name, u.Username),
		Remedy: "chmod g+s " + filepath.Dir(path)})
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
