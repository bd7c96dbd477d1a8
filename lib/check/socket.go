package check

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"ocspcgi/lib/config"
)

// sockets looks at where the program is to listen, and at what else it writes.
func (c *Checker) sockets(cfg *config.Config) {
	c.issuer = "sockets and files of the program"
	before := len(c.rows)
	if cfg.ListenGroup != "" {
		if _, err := user.LookupGroup(cfg.ListenGroup); err != nil {
			c.add(row{Level: fault, Text: "listen_group: " + err.Error(), Remedy: "name the group of the web server, such as www-data"})
		}
	}
	for _, address := range cfg.Listen {
		switch kind, rest, _ := strings.Cut(address, ":"); kind {
		case "unix":
			c.socket(cfg, rest)
		case "tcp", "http":
			c.port(kind, rest)
		}
	}
	if cfg.Cache != "" {
		c.writable(cfg.Cache, "-cache")
	}
	if cfg.Log != "" && cfg.Log != "syslog" {
		c.writable(filepath.Dir(cfg.Log), "-log")
	}
	if len(c.rows) == before {
		c.issuer = ""
	}
}

// writable checks a directory that the program is to write to.
func (c *Checker) writable(dir, flag string) {
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		c.add(row{Level: fault, File: dir, Text: flag + ": " + err.Error(), Remedy: "mkdir " + dir})
	case !info.IsDir():
		c.add(row{Level: fault, File: dir, Text: flag + ": not a directory"})
	case c.as != nil:
		c.writes(dir, flag)
	}
}

// writes tells whether the user may make files in a directory.
func (c *Checker) writes(dir, what string) {
	at, mode, err := c.as.obstacle(dir, mayWrite|maySeek)
	switch {
	case err != nil:
		c.add(row{Level: fault, File: dir, Text: what + ": " + err.Error()})
	case at != "":
		c.add(row{Level: fault, File: dir, Text: fmt.Sprintf("%s: %s may not write there: %s has mode %#o", what, c.as.name, at, mode), Remedy: "chown " + c.as.name + " " + dir})
	default:
		c.ok(dir, "%s: %s may write there", what, c.as.name)
	}
}

// socket looks at a unix socket: whether somebody listens, who may connect, and
// whether it can be made.
func (c *Checker) socket(cfg *config.Config, path string) {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		c.unmade(path)
		return
	}
	if err != nil {
		c.add(row{Level: fault, File: path, Text: err.Error()})
		return
	}
	if info.Mode().Type() != fs.ModeSocket {
		c.add(row{Level: fault, File: path, Text: "there is something else than a socket", Remedy: "move it away, or listen elsewhere"})
		return
	}
	owner := info.Sys().(*syscall.Stat_t)
	group := groupName(owner.Gid)
	conn, err := net.DialTimeout("unix", path, patience)
	switch {
	case err == nil:
		conn.Close()
		c.ok(path, "somebody listens; group %s, mode %#o", group, info.Mode().Perm())
	case errors.Is(err, syscall.ECONNREFUSED):
		c.add(row{Level: hint, File: path, Text: "nobody listens: what is there was left behind", Remedy: "start the program, which takes its place"})
		return
	default:
		c.add(row{Level: warning, File: path, Text: err.Error()})
		return
	}
	if c.as != nil {
		c.connects(path)
	} else if group == "root" && info.Mode().Perm()&mayWrite == 0 {
		c.add(row{Level: warning, File: path, Text: "only root and its group may connect, and no web server is of it", Remedy: "listen_group = \"www-data\", or the group that the web server has; -as USER tells whether he may connect"})
	}
}

// connects tells whether the user may connect, which needs the right to write.
func (c *Checker) connects(path string) {
	at, mode, err := c.as.obstacle(path, mayWrite)
	switch {
	case err != nil:
		c.add(row{Level: warning, File: path, Text: err.Error()})
	case at != "":
		c.add(row{Level: fault, File: path, Text: fmt.Sprintf("%s may not connect: %s has mode %#o", c.as.name, at, mode), Remedy: "listen_group = a group of " + c.as.name + ", and listen_mode = 0660; folders above it open to that group"})
	default:
		c.ok(path, "%s may connect", c.as.name)
	}
}

// unmade looks at where a socket is to be made.
func (c *Checker) unmade(path string) {
	dir := filepath.Dir(path)
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.add(row{Level: fault, File: path, Text: dir + " is not there", Remedy: "mkdir " + dir + ", or RuntimeDirectory=" + filepath.Base(dir) + " in the unit of systemd"})
	case err != nil:
		c.add(row{Level: fault, File: path, Text: err.Error()})
	case info.Mode().Perm()&mayWrite != 0 && info.Mode()&fs.ModeSticky == 0:
		c.add(row{Level: fault, File: path, Text: fmt.Sprintf("everybody may put a socket of his own there: %s has mode %#o", dir, info.Mode().Perm()), Remedy: "chmod o-w " + dir})
	case c.as != nil:
		c.writes(dir, "nobody listens yet")
	default:
		c.ok(path, "nobody listens yet")
	}
}

// port looks at a TCP port.
func (c *Checker) port(kind, address string) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		c.add(row{Level: fault, Text: kind + ":" + address + ": " + err.Error()})
		return
	}
	if number, err := strconv.Atoi(port); err == nil && number > 0 && number < 1024 && c.as != nil && c.as.uid != 0 {
		c.add(row{Level: hint, Text: fmt.Sprintf("%s:%s: %s may not listen below port 1024 by itself", kind, address, c.as.name), Remedy: "AmbientCapabilities=CAP_NET_BIND_SERVICE in the unit of systemd, or another port"})
	}
	conn, err := net.DialTimeout("tcp", net.JoinHostPort(host, port), time.Second)
	if err != nil {
		c.ok("", "%s:%s: nobody listens yet", kind, address)
		return
	}
	conn.Close()
	c.ok("", "%s:%s: somebody listens", kind, address)
}

func groupName(gid uint32) string {
	id := strconv.FormatUint(uint64(gid), 10)
	if g, err := user.LookupGroupId(id); err == nil {
		return g.Name
	}
	return id
}
