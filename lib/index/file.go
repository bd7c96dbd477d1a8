package index

import (
	"bytes"
	"errors"
	"io/fs"
	"sync/atomic"
	"time"
)

// File looks serials up by one scan of the file each: the way of a CGI process,
// which has no memory but what is Believed. It is safe for concurrent use.
type File struct {
	Path string
	Now  func() time.Time    // nil: time.Now
	Wait func(time.Duration) // nil: time.Sleep

	// Places spares the scan where they hold; nil: there are none.
	Places *Places
	// Believed tells what an index has forgotten; nil: nobody does.
	Believed *Believed

	scanned atomic.Bool
	renew   atomic.Bool           // what is Believed is of another state
	stood   atomic.Pointer[stamp] // the state in which two looks have found a young file
}

const (
	young    = time.Second            // a file of this age may still be being written
	lookWait = 50 * time.Millisecond  // between two looks at a young file
	openWait = 10 * time.Millisecond  // between two tries to open
	openFor  = 100 * time.Millisecond // `openssl ca` renames twice: the name is gone for a moment

	mostLooks = 3 // while a CA is at work each may find another file
)

// Lookup returns the entry of a serial, [ErrNotFound], or a [*DoubtError]. A
// revocation is returned from whatever state the file is in, where it is written
// meanwhile if two looks have it; anything else only from a file that ends in a complete
// line and stood still. An empty file does not: it may be about to be written anew.
//
// What is Believed of a serial that the index has forgotten is returned for it.
func (f *File) Lookup(serial []byte) (Entry, error) {
	serial = minimal(serial)
	last := f.lookAgain(serial)
	if f.Believed == nil {
		return last.answer()
	}
	says, renew := f.Believed.holds(f.Path, last.finding, serial, last.stamp, f.now())
	if renew && last.stamp != (stamp{}) { // there is a file
		f.renew.Store(true)
	}
	return says.answer()
}

// lookAgain looks until it sees a file that nobody is writing.
func (f *File) lookAgain(serial []byte) look {
	last := f.look(serial)
	for n := 1; n < mostLooks && !last.settled && last.entry.Status != Revoked; n++ {
		pause(f.Wait, lookWait)
		next := f.look(serial)
		if next.sameFile(last.stamp) {
			if next.stamp == last.stamp {
				f.stood.Store(&next.stamp)
			}
			return last.then(next, f.Path)
		}
		last = next // another file, which may be in the making as the one before
	}
	return last
}

// Place makes the Places where a look-up had to do without them. It takes about as long
// as a few scans.
func (f *File) Place() error {
	if f.Places == nil || !f.scanned.Load() {
		return nil
	}
	return f.Places.Make(f.Path, f.now())
}

// Remember renews what is Believed where a look-up saw another state of the index. It
// takes about as long as a few scans, and its error is that of [Believed.Renew].
func (f *File) Remember() error {
	if f.Believed == nil || !f.renew.Load() {
		return nil
	}
	return f.Believed.Renew(f.Path, f.now())
}

// look is what one scan saw.
type look struct {
	finding
	stamp
	settled bool    // a second look would see the same
	half    finding // a revocation in a file that was written meanwhile, until a second look has it too
}

// then is what a look and the next one at the same file say together.
func (l look) then(next look, path string) look {
	if next.stamp != l.stamp {
		next.finding = limits{whole: doubt(path, reasonMoved)}.apply(next.finding)
	}
	if l.half.rank() >= held && next.half.rank() >= held {
		next.finding = next.half
	}
	return next
}

func (f *File) look(serial []byte) look {
	s, err := f.open()
	if err != nil {
		return look{finding: finding{doubt: doubt(f.Path, reasonOf(err))}, settled: true}
	}
	defer s.file.Close()
	if f.Places != nil {
		if found, ok := f.Places.find(s, serial); ok {
			return look{finding: found, stamp: s.stamp, settled: f.settled(s.stamp)}
		}
		f.scanned.Store(true)
	}
	s.blockSize = lookSize
	found, whole := s.find(serial)
	l := look{finding: found, stamp: s.stamp, settled: whole == nil && f.settled(s.stamp)}
	if found.rank() >= held && whole != nil && s.written() {
		l.finding, l.half = finding{doubt: doubt(f.Path, reasonMoved)}, found
	}
	return l
}

// settled tells whether nobody writes a file any more that is in that state.
func (f *File) settled(s stamp) bool {
	stood := f.stood.Load()
	return s.rested(f.now()) || stood != nil && *stood == s
}

// open waits for a file that is absent.
func (f *File) open() (*source, error) {
	for waited := time.Duration(0); ; waited += openWait {
		s, err := open(f.Path)
		if !errors.Is(err, fs.ErrNotExist) || waited >= openFor {
			return s, err
		}
		pause(f.Wait, openWait)
	}
}

func (f *File) now() time.Time {
	if f.Now == nil {
		return time.Now()
	}
	return f.Now()
}

// pause waits; wait is time.Sleep where it is nil.
func pause(wait func(time.Duration), d time.Duration) {
	if wait == nil {
		wait = time.Sleep
	}
	wait(d)
}

// reasonOf is an error without the path, which a DoubtError has already, and
// what to do about it.
func reasonOf(err error) string {
	reason := err.Error()
	var p *fs.PathError
	if errors.As(err, &p) {
		reason = p.Op + ": " + p.Err.Error()
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		reason += "; is the path right?"
	case errors.Is(err, fs.ErrPermission):
		reason += "; let the user read it that the program runs as (ocspcgi check -as USER tells who can)"
	}
	return reason
}

// part is what one block says of the serial.
type part struct {
	lines int
	found finding
	blind *DoubtError
	torn  bool
}

// find scans the file for a serial. Besides what it finds it returns why only
// a revocation counts, if so.
func (s *source) find(serial []byte) (found finding, whole *DoubtError) {
	parts := make([]part, s.blocks())
	err := s.scan(func(b *block) bool {
		p := &parts[b.number]
		p.find(s.path, b, serial)
		return p.found.rank() == final
	})
	line := 0
	var all limits
	for _, p := range parts {
		if p.found.doubt != nil {
			p.found.doubt.Line += line
		}
		if p.blind != nil && all.blind == nil {
			all.blind = p.blind
			all.blind.Line += line
		}
		if p.torn {
			all.whole = doubt(s.path, reasonTorn)
		}
		found = stricter(found, p.found)
		line += p.lines
	}
	switch {
	case err != nil:
		all.whole = doubt(s.path, reasonOf(err))
	case !s.still():
		all.whole = doubt(s.path, reasonMoved)
	case s.stamp.size == 0:
		// ext4 shows a file empty, under its old time, for as long as it takes to
		// be emptied: who has no memory cannot tell that from a new CA's.
		all.whole = doubt(s.path, reasonEmpty)
	}
	return all.apply(found), all.whole
}

// find looks for the serial in a block, up to the first row that revokes it for good.
func (p *part) find(path string, b *block, serial []byte) {
	var r row
	p.torn = b.torn
	for {
		b.pass(serial)
		if !b.next(&r) {
			break
		}
		if r.flaw != sound && p.blind == nil {
			p.blind = r.flaw.doubt(path, b.line)
		}
		if r.key == nil || !bytes.Equal(r.key, serial) {
			continue
		}
		p.found = stricter(p.found, r.finding(path, b.line, nil))
		if p.found.rank() == final {
			return
		}
	}
	p.lines = b.line
}
