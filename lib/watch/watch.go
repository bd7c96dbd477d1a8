// Package watch tells when files have changed.
//
// Files that are replaced by a rename, as `openssl ca` does with index.txt, are
// seen as well as those written in place, through symbolic links too. What the
// kernel tells is a hurry-up only: every file is also looked at by its name, so
// that an event that never came costs time and nothing else.
package watch

import (
	"cmp"
	"context"
	"time"
)

// Watcher says how to watch. The zero value is ready for use.
type Watcher struct {
	// Quiet is how long nothing must have happened to the files before they
	// are said to have changed; 0 means 50 ms.
	Quiet time.Duration
	// Longest is how long a file that is written without a pause can put that
	// off; 0 means 250 ms.
	Longest time.Duration
	// Poll is the time between two looks at size, times, inode and device of
	// the files, for where no events come (NFS, a directory that is not
	// there, a full queue); 0 means 500 ms.
	Poll time.Duration
	// Log is told, once each, why events do not come; nil means that nobody
	// is. The files are polled all the same.
	Log func(error)
}

// Run watches files until ctx is done, and then returns nil. It first calls
// changed with all of them, once they are watched: whoever reads them there
// misses nothing. From then on it calls changed with those that may have
// changed, named as they were given, in that order. It may name files that are
// as they were, or are not there. Changed is called from this goroutine alone;
// what happens to the files while it runs leads to another call.
//
// The error is that of a relative name in a working directory that is gone.
// Several Run of one Watcher may go on at once if Log can bear it.
func (w *Watcher) Run(ctx context.Context, files []string, changed func(files []string)) error {
	s, err := newSight(files, w.Log)
	if err != nil {
		return err
	}
	defer s.close()
	poll := time.NewTicker(cmp.Or(w.Poll, 500*time.Millisecond))
	defer poll.Stop()
	lull := newLull(cmp.Or(w.Quiet, 50*time.Millisecond), cmp.Or(w.Longest, 250*time.Millisecond))
	defer lull.over()

	changed(s.take())
	for {
		news := false
		select {
		case <-ctx.Done():
			return nil
		case e := <-s.events:
			news = s.heard(e)
		case err := <-s.errors:
			news = s.lost(err)
		case <-poll.C:
			news = s.look()
		case <-lull.quiet.C:
			lull.over()
			changed(s.take())
		case <-lull.longest.C:
			lull.over()
			changed(s.take())
		}
		if news {
			lull.wait()
		}
	}
}
