package watch

import (
	"os"
	"path/filepath"
	"strings"
)

// absolute makes a name absolute and leaves its .. alone: behind a symbolic link
// they mean another directory than they seem to.
func absolute(name string) (string, error) {
	if filepath.IsAbs(name) {
		return name, nil
	}
	here, err := os.Getwd()
	return here + "/" + name, err
}

// maxLinks is how many symbolic links the kernel follows in one path.
const maxLinks = 40

// trail returns every place on the way to the file that an absolute path leads
// to at which a change of one directory entry would lead it elsewhere: each
// symbolic link on the way, and the file itself. No place has a link among its
// directories. Directories that are not there count as plain ones.
func trail(path string) []string {
	var places []string
	rest := strings.Split(path, "/")
	at := "/"
	for links := 0; len(rest) > 0; {
		name := rest[0]
		rest = rest[1:]
		if name == "" || name == "." {
			continue
		}
		here := filepath.Join(at, name)
		target, err := os.Readlink(here)
		if err != nil { // No link. Whether it can be read, the reader will find.
			at = here
			continue
		}
		places = append(places, here)
		if links++; links > maxLinks {
			return places
		}
		if filepath.IsAbs(target) {
			at = "/"
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return append(places, at)
}
