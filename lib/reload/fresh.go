package reload

import (
	"context"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"ocspcgi/lib/index"
)

const (
	// between is the least time between two looks at a file by those who ask.
	between = 2 * time.Millisecond
	// small is the size of an index that is read while somebody waits, a large one or
	// who asks.
	small = 4 << 20
	// longest is how long who asks waits for a look at the file: its disk may hang.
	longest = 500 * time.Millisecond
)

// fresh is an index that is looked up in after a look at its file: who revokes
// and asks at once is told so, before the file's watcher has slept over it.
// Only a file that has come by a rename, which is whole, and that is read in no
// time, is read so.
// While nobody can look at the file it says what is revoked alone.
type fresh struct {
	*index.Live
	now    func() time.Time
	read   func() // reads the index again
	looked atomic.Int64
	slow   atomic.Int32 // readings under way, or waited for, that began with a large file
	begun  atomic.Int64 // all readings, with those under way
	ended  atomic.Int64 // those that are over
	hung   atomic.Bool  // nobody could look at the file for so long that it may say anything

	turn atomic.Pointer[func()] // ends the turn to read that it has or had; nil: it never had one

	mu   sync.Mutex
	file os.FileInfo // that was there at the last look; nil: none
}

// Lookup is [index.Live.Lookup].
func (f *fresh) Lookup(serial []byte) (index.Entry, error) {
	f.lookSometimes(f.now())
	entry, err := f.Live.Lookup(serial)
	if f.hung.Load() && entry.Status != index.Revoked {
		return index.Entry{}, f.hangs()
	}
	return entry, err
}

// Epoch is [index.Live.Epoch], and 0 while the file's disk hangs.
func (f *fresh) Epoch(now time.Time) uint64 {
	f.lookSometimes(now)
	if f.hung.Load() {
		return 0
	}
	return f.Live.Epoch(now)
}

// Report is [index.Live.Report], and that nothing is believed while the file's disk
// hangs.
func (f *fresh) Report() index.Report {
	r := f.Live.Report()
	if f.hung.Load() {
		r.Believed, r.Err = false, f.hangs()
	}
	return r
}

func (f *fresh) hangs() error {
	return &index.DoubtError{Path: f.Path, Reason: "cannot be looked at: its disk hangs"}
}

// lookSometimes looks if nobody has for a while.
func (f *fresh) lookSometimes(now time.Time) {
	at := now.UnixNano()
	if last := f.looked.Load(); (at-last >= int64(between) || at < last) && f.looked.CompareAndSwap(last, at) {
		f.lookFor(longest)
	}
}

// lookFor looks, and waits for that no longer than that. A panic is one of who waits,
// who answers a request and answers that too.
func (f *fresh) lookFor(longest time.Duration) {
	looked := make(chan any, 1)
	go func() {
		defer func() { looked <- recover() }()
		f.look()
	}()
	over := time.NewTimer(longest)
	defer over.Stop()
	select {
	case fallen := <-looked:
		if fallen != nil {
			panic(fallen)
		}
	case <-over.C:
	}
}

// look reads the index if another file has taken its place.
func (f *fresh) look() {
	if !f.mu.TryLock() {
		return // somebody is at it, perhaps on a disk that hangs
	}
	defer f.mu.Unlock()
	info, err := os.Stat(f.Path)
	if err != nil {
		return // absent between two renames, or worse: the watcher sees to that
	}
	another := f.file != nil && !os.SameFile(f.file, info) && info.Size() <= small
	if another && f.slow.Load() > 0 {
		return // it would have to wait: it is foreseen, and looked at again
	}
	if f.file = info; another {
		f.read()
	}
}

// readIndex looks at an index, and waits for no key. Of large ones one is read at a
// time, as each takes memory for another table and the processors for itself.
func (k *Keeper) readIndex(idx *fresh, accept bool) {
	idx.begun.Add(1)
	defer idx.ended.Add(1)
	if idx.isLarge() {
		idx.slow.Add(1)
		defer idx.slow.Add(-1)
		defer k.takeTurn(idx)()
	}
	if report := idx.Reload(accept); report.Changed {
		k.tell(Event{Where: idx.Path, Index: &report, Err: report.Err})
	}
}

// takeTurn waits until it is a large index's turn to be read. While its disk hangs it
// has none: no other one is to wait for that.
func (k *Keeper) takeTurn(idx *fresh) (end func()) {
	k.large <- struct{}{}
	end = sync.OnceFunc(func() { <-k.large })
	if idx.turn.Store(&end); idx.hung.Load() {
		end()
	}
	return end
}

// mostLooks is how many looks at an index may be left out before its disk hangs.
const mostLooks = 10

// foresee has what an index revokes told from time to time, where its reading takes
// long, or has since the look before: it may have to wait until another one is read, or
// one from before it. What is read in no time is not foreseen, for until it is read that
// makes tryLater of what is not found. Once a look takes as long as many of them, the
// file may revoke anything, until it was read or foreseen as it is.
func (k *Keeper) foresee(ctx context.Context, idx *fresh) {
	tell := func(hung bool) {
		if idx.hung.Swap(hung) != hung {
			if end := idx.turn.Load(); hung && end != nil {
				(*end)()
			}
			report := idx.Report()
			k.tell(Event{Where: idx.Path, Index: &report, Err: report.Err})
		}
	}
	hang := time.AfterFunc(mostLooks*k.look(), func() { tell(true) })
	defer hang.Stop()
	var begun int64 // at the look before
	k.often(ctx, func() {
		if idx.isLarge() || idx.slow.Load() > 0 || idx.ended.Load() < begun {
			idx.Foresee()
		}
		begun = idx.begun.Load()
		if idx.hung.Load() && !idx.Foresee() {
			return
		}
		hang.Reset(mostLooks * k.look())
		tell(false)
	})
}

func (f *fresh) isLarge() bool {
	size, err := f.Size()
	return err == nil && size > small
}
