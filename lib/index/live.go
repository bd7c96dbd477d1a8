package index

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Live is the index of a long-lived process. It answers from the last file that
// it believed, and besides takes from a newer file that it does not believe
// whatever is stricter: revocations above all. While there is a file that cannot be
// read at all, only revocations are answered.
//
// A file is believed when it ends in a complete line, stood still while it was
// read, and has not forgotten: no row has vanished before its expiry, no
// revocation other than a hold has been taken back. What was issued in one that was whole,
// and is not believed, is in doubt where it is missing later, until SIGHUP.
type Live struct {
	Path string
	Now  func() time.Time    // nil: time.Now
	Wait func(time.Duration) // nil: time.Sleep
	// Progress is told how many bytes of size are read while a file is, by
	// several goroutines at once; nil: nobody is.
	Progress func(read, size int64)

	state    atomic.Pointer[state]
	changing sync.Mutex             // held while state is replaced
	told     atomic.Pointer[Report] // the last one

	accepting atomic.Bool // whoever is revoked for good may be so no longer, once the file is read

	hurry    sync.Mutex // held by ahead, guards what follows
	foreseen stamp      // of a file whose revocations are all answered

	mutex  sync.Mutex // held by Reload, guards what follows
	seen   stamp      // of the file that was read last
	readAt time.Time  // when that was
	again  bool       // its stamp may be the same though it is another file: it was too young, or elsewhere for a moment
	report Report     // of that file
	count  uint64     // of files that were believed
	lost   string     // why it could not be read since; empty: it could
	held   bool       // since then only revocations are answered
}

// manyRows is an index whose table is worth a collection once it is replaced.
const manyRows = 100_000

// huge is the size in bytes of an index that takes so long to read that whoever
// asks meanwhile goes first. A smaller one is read as soon as can be.
const huge = 256 << 20

// Report is what came of a Reload, for the log and for health.
type Report struct {
	Path     string
	Rows     int     // in the file that was read last
	Changed  bool    // there is something new to report
	Believed bool    // the file as it is now is what is answered from
	Faults   []Fault // the first ones, what has been forgotten before all
	Count    int     // of all faults
	Err      error   // why the file is not believed, a *DoubtError; nil: it is

	Took       time.Duration // to read it, by the clock
	Modified   time.Time     // when the file that was read last was written; zero: none was read
	Generation uint64        // how many files were believed so far
}

// state is what is answered from. It does not change.
type state struct {
	limits
	epoch    uint64 // counts up from 1
	believed *Table // nil: nothing yet
	newer    *Table // what is stricter in the last file, which is not believed; nil: it is
	standing *Table // revocations in all files since the one believed that stood still
	ahead    *Table // those of the file foreseen last beside a reading, but for what was revoked for good
	suspects *Table // the same of a file that did not stand still: they are in doubt
	issued   *Table // what no file has but whole ones that were not believed; whole says why it is in doubt
}

// Lookup returns the entry of a serial, [ErrNotFound], or a [*DoubtError]: also
// until a file was believed. It is safe for concurrent use, with Reload too, and
// does not allocate once Reload was called.
func (l *Live) Lookup(serial []byte) (Entry, error) {
	s := l.state.Load()
	if s == nil {
		return Entry{}, doubt(l.Path, reasonUnread)
	}
	key := minimal(serial)
	f := s.believed.find(key)
	if s.newer != nil {
		f = stricter(f, s.newer.find(key))
	}
	if s.standing != nil {
		f = stricter(f, s.standing.find(key))
	}
	if s.suspects != nil {
		if _, _, ok := s.suspects.row(key); ok {
			f = stricter(f, finding{doubt: s.changed})
		}
	}
	if s.issued != nil && f.rank() == missing {
		if _, _, ok := s.issued.row(key); ok {
			f.doubt = s.issued.whole
		}
	}
	return s.apply(f).answer()
}

// Epoch is a number that has gone up since a look-up if its answer may be
// another one now: to be read before that look-up, and compared later. 0 is
// before the first Reload. It is safe for concurrent use; the time is of no
// account here.
func (l *Live) Epoch(time.Time) uint64 {
	if s := l.state.Load(); s != nil {
		return s.epoch
	}
	return 0
}

// become makes what next makes of it what is answered from.
func (l *Live) become(next func(now *state) *state) {
	l.changing.Lock()
	defer l.changing.Unlock()
	now := l.state.Load()
	if now == nil {
		now = &state{}
	}
	n := next(now)
	n.epoch = now.epoch + 1
	l.state.Store(n)
}

// Reload reads the file if it has changed, which costs a stat and an open if it has
// not, and answers from it as far as it is believed. With accept, as for SIGHUP, a
// file is believed whatever it has forgotten. It is safe for concurrent use.
func (l *Live) Reload(accept bool) Report {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.accepting.Store(accept)
	defer l.accepting.Store(false)
	report := l.reload(accept, l.now())
	l.told.Store(&report)
	return report
}

// Report returns what came of the last Reload, and the zero Report before the
// first. It waits for nobody.
func (l *Live) Report() Report {
	if r := l.told.Load(); r != nil {
		return *r
	}
	return Report{Path: l.Path}
}

// Size opens the file, and returns its size in bytes. It is where a file is opened that
// an NFS client asks its server how it is, which stat, here and later, tells from memory
// for up to a minute (nfs(5), close-to-open), or for ever of a disk that hangs. It is
// safe for concurrent use.
func (l *Live) Size() (int64, error) {
	s, err := open(l.Path)
	if err != nil {
		return 0, err
	}
	defer s.file.Close()
	return s.stamp.size, nil
}

func (l *Live) reload(accept bool, now time.Time) Report {
	seen, err := stampOf(l.Path)
	if err == nil && seen == l.seen && !l.held && !l.doubtful(now) && !(accept && l.resists()) {
		// Of a file that cannot be opened any more stat may tell from memory. Where there
		// are no descriptors to see that with, stat is believed.
		_, err = l.Size()
		if err == nil || errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) {
			l.unchanged()
			r := l.report
			r.Changed, l.lost = l.lost != "", ""
			return r
		}
	}
	if err != nil {
		return l.unread(err)
	}
	l.begin()
	s, err := open(l.Path)
	if err != nil {
		return l.unread(err)
	}
	defer s.file.Close()
	l.opened(s)
	if l.report.Believed && s.stamp.size > huge {
		s.crew = fewer()
	}
	if s.stamp.size > large {
		l.ahead(s, false)
	}
	s.progress = l.Progress
	old := l.state.Load()
	r := s.loadAgain(s.load(now), now)
	if r.failed != nil {
		return l.unread(r.failed)
	}
	if accept || old == nil || old.believed == nil {
		l.settle(s, &r, now)
	}
	before, twice, lost := l.report, s.stamp == l.seen, l.lost != ""
	l.again = !r.still || s.stamp.age(now) < s.stamp.grain() && !(twice && l.doubtful(now))
	l.seen, l.readAt, l.lost, l.held = s.stamp, now, "", false
	l.report = l.judge(r, old, accept, now)
	l.known(r, s)
	l.unchanged() // if it was this file that was foreseen
	if l.report.Rows > manyRows {
		runtime.GC() // or the next reload would find three tables in memory
	}
	l.report.Took = l.now().Sub(now)
	report := l.report
	report.Changed = lost || !(twice && report.repeats(before))
	return report
}

// resists tells whether there is something that the file has not, and would not be without
// those before it.
func (l *Live) resists() bool {
	s := l.state.Load()
	return !l.report.Believed || s != nil && s.issued != nil
}

// settle looks once more at a young file that no other one is held against: it may be
// cut off between two rows. At an empty one it looks for as long as a file is young,
// whatever its time is: ext4 shows a file empty, under its old time, while it is emptied.
// It is the file that is looked at, not its name: one whose place another has taken was
// whole.
func (l *Live) settle(s *source, r *reading, now time.Time) {
	looks := 1
	switch {
	case s.stamp.size == 0:
		looks = int(young / lookWait)
	case s.stamp.rested(now):
		looks = 0
	}
	for ; looks > 0 && r.still; looks-- {
		pause(l.Wait, lookWait)
		if s.written() {
			r.still, r.table.whole = false, doubt(s.path, reasonMoved)
		}
	}
}

// repeats tells whether a file that was read once more is as little to be believed as
// before: the log has that already.
func (r *Report) repeats(before Report) bool {
	return r.Err != nil && before.Err != nil && r.Err.Error() == before.Err.Error() &&
		r.Rows == before.Rows && r.Count == before.Count
}

// doubtful tells whether the file may have changed behind the back of its stamp
// since it was read: then it is read once more.
func (l *Live) doubtful(now time.Time) bool {
	return l.again && now.Sub(l.readAt) >= l.seen.grain()
}

// unread reports that the file could not be read. One that is there may revoke
// anything, so that of what is known only revocations hold until it is read; one
// that is gone revokes nothing.
func (l *Live) unread(err error) Report {
	why := doubt(l.Path, reasonOf(err))
	s := l.state.Load()
	if s == nil {
		s = &state{}
	}
	known := s.believed != nil || s.newer != nil
	if gone := errors.Is(err, fs.ErrNotExist); !l.held && !(gone && known) {
		l.held = true
		l.become(func(now *state) *state {
			next := *now
			next.whole = why
			return &next
		})
	}
	r := l.report
	r.Path, r.Believed, r.Err = l.Path, false, why
	r.Changed, l.lost = l.lost != why.Reason, why.Reason
	return r
}

// judge decides whether what was read is believed, and answers from it. The state is
// the one from before the reading; nil: there was none.
func (l *Live) judge(r reading, old *state, accept bool, now time.Time) Report {
	if old == nil {
		old = &state{}
	}
	why := r.table.whole
	var found faults
	if why == nil && !accept {
		found.forgets(old.believed, r.table, now)
		found.forgets(old.standing, r.table, now)
		if found.count > 0 {
			why = doubt(l.Path, fmt.Sprintf("has forgotten %d rows or revocations", found.count))
		}
	}
	next := &state{limits: r.table.limits, believed: r.table}
	if why != nil {
		next = old.resist(r, why)
	} else {
		l.count++
	}
	if why != nil || !accept {
		next.issue(r, old.issued, doubt(l.Path, reasonVanished), now)
	}
	if why == nil {
		found.lacks(next.issued)
	}
	found.append(r.faults)
	l.become(func(now *state) *state { return next.since(old, now) })
	report := Report{Path: l.Path, Believed: why == nil, Rows: r.table.rows(), Faults: found.first, Count: found.count,
		Modified: time.Unix(0, l.seen.mtime).UTC(), Generation: l.count}
	if why != nil {
		report.Err = why
	}
	return report
}

func (l *Live) now() time.Time {
	if l.Now == nil {
		return time.Now()
	}
	return l.Now()
}
