package watch

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/fsnotify/fsnotify"
	"golang.org/x/sys/unix"
)

// sight is what one Run knows of its files.
type sight struct {
	files []file
	log   func(error)
	told  map[string]bool // what log has been told

	watcher *fsnotify.Watcher // nil: the kernel gives none
	events  <-chan fsnotify.Event
	errors  <-chan error
	dirs    map[string]id    // directories that are watched
	places  map[string][]int // place or directory → files that hang on it
}

type file struct {
	name  string // as given
	path  string // absolute, not cleaned
	stamp stamp  // at the last look
	dirty bool   // may have changed since it was last taken
}

func newSight(names []string, log func(error)) (*sight, error) {
	s := &sight{log: log, told: map[string]bool{}, dirs: map[string]id{}}
	for _, name := range names {
		path, err := absolute(name)
		if err != nil {
			return nil, fmt.Errorf("watch %s: %w", name, err)
		}
		s.files = append(s.files, file{name: name, path: path, dirty: true})
	}
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		s.tell("", err)
		return s, nil
	}
	s.watcher, s.events, s.errors = watcher, watcher.Events, watcher.Errors
	return s, nil
}

func (s *sight) close() {
	if s.watcher == nil {
		return
	}
	if err := s.watcher.Close(); err != nil {
		s.tell("", err)
	}
}

// heard notes an event and reports whether it concerns any file.
func (s *sight) heard(e fsnotify.Event) bool {
	concerned := s.places[filepath.Clean(e.Name)] // what is in / begins with two slashes
	for _, i := range concerned {
		s.files[i].dirty = true
	}
	return len(concerned) > 0
}

// lost handles an error in place of events: all files may have changed.
func (s *sight) lost(err error) bool {
	if !errors.Is(err, fsnotify.ErrEventOverflow) {
		s.tell("", err)
	}
	for i := range s.files {
		s.files[i].dirty = true
	}
	return len(s.files) > 0
}

// look looks at the files and reports whether any has changed since the last
// look.
func (s *sight) look() bool {
	s.follow()
	news := false
	for i := range s.files {
		f := &s.files[i]
		if now := stampOf(f.path); now != f.stamp {
			f.stamp, f.dirty, news = now, true, true
		}
	}
	return news
}

// take returns the names of the files that may have changed. The watch is set
// before the stamps are taken, and both before anybody reads: what comes later
// is seen.
func (s *sight) take() []string {
	s.follow()
	var names []string
	for i := range s.files {
		f := &s.files[i]
		if f.dirty {
			f.stamp, f.dirty = stampOf(f.path), false
			names = append(names, f.name)
		}
	}
	return names
}

// follow watches the directories that the files are in now.
func (s *sight) follow() {
	if s.watcher == nil {
		return
	}
	s.places = map[string][]int{}
	wanted := map[string]bool{}
	for i, f := range s.files {
		for _, place := range trail(f.path) {
			dir := filepath.Dir(place)
			wanted[dir] = true
			s.places[place] = append(s.places[place], i)
			s.places[dir] = append(s.places[dir], i)
		}
	}
	watched := s.watcher.WatchList()
	for _, dir := range watched {
		if !wanted[dir] {
			s.unwatch(dir)
		}
	}
	for dir := range wanted {
		s.watch(dir, slices.Contains(watched, dir))
	}
}

// watch watches a directory that is new or has taken the name of another. One
// that is not there is left to the next look.
func (s *sight) watch(dir string, watched bool) {
	st := stampOf(dir)
	if watched && s.dirs[dir] == st.id {
		return
	}
	if watched {
		s.unwatch(dir)
	}
	if err := s.watcher.Add(dir); err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			s.tell(dir, err)
		}
		return
	}
	s.dirs[dir] = st.id
}

func (s *sight) unwatch(dir string) {
	delete(s.dirs, dir)
	err := s.watcher.Remove(dir)
	// The kernel drops the watch of a deleted directory by itself.
	gone := errors.Is(err, fsnotify.ErrNonExistentWatch) || errors.Is(err, unix.EINVAL)
	if err != nil && !gone {
		s.tell(dir, err)
	}
}

// tell logs an error that has not been logged before.
func (s *sight) tell(dir string, err error) {
	if dir != "" {
		err = fmt.Errorf("%s: %w", dir, err)
	}
	err = fmt.Errorf("no file events, polling instead: %w", err)
	if s.log == nil || s.told[err.Error()] {
		return
	}
	s.told[err.Error()] = true
	s.log(err)
}
