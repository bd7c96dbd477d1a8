package confine

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxLinks is how many symbolic links the kernel follows in one path.
const maxLinks = 40

// readable returns the directories that are to be read.
func (n *Needs) readable() ([]string, error) {
	var w walk
	for _, file := range n.Files {
		path, err := absolute(file)
		if err != nil {
			return nil, err
		}
		w.file(path)
	}
	for _, folder := range n.Folders {
		path, err := absolute(folder)
		if err != nil {
			return nil, err
		}
		w.file(path + "/.")
	}
	return w.folders(), nil
}

// removable returns the directories that something is to be removed from.
func (n *Needs) removable() ([]string, error) {
	var w walk
	for _, file := range n.Removed {
		path, err := absolute(file)
		if err != nil {
			return nil, err
		}
		w.folder(parent(path))
	}
	return w.folders(), nil
}

// absolute makes a name absolute and leaves its .. alone: behind a symbolic link
// they mean another directory than they seem to.
func absolute(name string) (string, error) {
	if filepath.IsAbs(name) {
		return name, nil
	}
	here, err := os.Getwd()
	return here + "/" + name, err
}

// parent cuts the last name off an absolute path.
func parent(path string) string {
	return path[:strings.LastIndexByte(path, '/')] + "/"
}

// walk finds the directories that paths lead through.
type walk struct {
	found []string
	links int // followed on the way of one file
}

// file notes the directory of a file, and of what it is a link to.
func (w *walk) file(path string) {
	for w.links = 0; w.links <= maxLinks; w.links++ {
		w.folder(parent(path))
		w.beside(parent(path))
		target, ok := follow(path)
		if !ok {
			return
		}
		path = target
	}
}

// beside notes where the targets lie of links among the directories of a path:
// a link may come to lead to another one there, but for the root of all.
func (w *walk) beside(path string) {
	for i := 1; i < len(path); i++ {
		if path[i] != '/' {
			continue
		}
		target, ok := follow(path[:i])
		if !ok {
			continue
		}
		if w.links++; w.links > maxLinks {
			return
		}
		target = strings.TrimRight(target, "/")
		if target != "" && resolved(parent(target)) != "/" {
			w.folder(parent(target))
		}
		w.beside(target + "/")
	}
}

// follow returns what a symbolic link leads to.
func follow(path string) (target string, ok bool) {
	target, err := os.Readlink(path)
	if err == nil && !filepath.IsAbs(target) {
		target = parent(path) + target
	}
	return target, err == nil
}

// folder notes a directory or, where it is not there, the next above that is,
// but for the root of all.
func (w *walk) folder(path string) {
	dir := resolved(path)
	for up := path; dir == ""; dir = resolved(up) {
		up = parent(strings.TrimRight(up, "/"))
		if resolved(up) == "/" {
			return
		}
	}
	w.found = append(w.found, dir)
}

// resolved is a directory's name without links; empty: it is not there.
func resolved(path string) string {
	dir, err := filepath.EvalSymlinks(path)
	if err != nil {
		return ""
	}
	return dir
}

// folders returns what was noted, without what lies below another.
func (w *walk) folders() []string {
	slices.Sort(w.found)
	var top []string
	for _, dir := range w.found {
		covers := func(above string) bool {
			return dir == above || strings.HasPrefix(dir, strings.TrimRight(above, "/")+"/")
		}
		if !slices.ContainsFunc(top, covers) {
			top = append(top, dir)
		}
	}
	return top
}
