// Package confine takes from a process what it does not need any more.
//
// What is taken never comes back, and no thread is left out. It is taken by
// Landlock on Linux, by pledge and unveil on OpenBSD; other systems have nothing
// of the kind that a process can do to itself without privileges.
package confine

import "errors"

// ErrUnsupported is in the error of Enforce on a system that cannot confine
// files and connections: the process goes on as it was.
var ErrUnsupported = errors.New("this system confines no process")

// Needs is what a process goes on doing. Paths that are relative are so to the
// working directory.
type Needs struct {
	Files    []string // files to be read, also when others have taken their names
	Folders  []string // directories to be listed, with all below them to be read
	Removed  []string // files and sockets to be removed at the end
	Abstract bool     // whether it connects to abstract unix sockets of others
}

// Bounds is what holds for the process from Enforce on. Directories stand for all
// that is in them and below, as they are named without symbolic links.
type Bounds struct {
	By    string   // what enforces it, and what it takes away
	Read  []string // directories with files that may be read
	Clear []string // directories in which files and sockets may be removed
}

// Enforce confines the process to its needs: from then on it reads in the
// directories of its files alone, removes in those of what it removes, makes,
// writes and executes nothing but what is open already, listens on and connects to
// no TCP port, and gets no new privileges. Out of Landlock's reach are multipath TCP,
// UDP, TCP that connects by sending or listens at no port of its choice, and the modes
// of files. It is called once, when all else is open.
//
// A symbolic link may later lead to what lies beside its target of now, and a
// directory that is not there may come, in one that is. In the place of a
// directory another one may not be put: its files cannot be opened, by EACCES
// (ENOENT with unveil), which [Refused] tells from others.
//
// With an error no more than part of this holds: with [ErrUnsupported] that no
// privileges come, where the system has that.
func (n *Needs) Enforce() (*Bounds, error) {
	read, err := n.readable()
	if err != nil {
		return nil, err
	}
	clear, err := n.removable()
	if err != nil {
		return nil, err
	}
	by, err := n.enforce(read, clear)
	if err != nil {
		return nil, err
	}
	return &Bounds{By: by, Read: read, Clear: clear}, nil
}
