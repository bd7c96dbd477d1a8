package index

import (
	"bytes"
	"errors"
	"io/fs"
	"sync"
)

// large is the size in bytes of an index whose revocations are looked for before
// it is read, and whose records are worth huge pages.
const large = 64 << 20

// Foresee answers from the new revocations of the file if it has changed, and does
// not read it: for one whose Reload takes long, or has to wait. Until that is done,
// what was not found is in doubt. It tells whether all that the file revokes is answered
// now, which is nothing of one that is gone. It waits for no Reload, and is safe for
// concurrent use.
func (l *Live) Foresee() bool {
	s, err := open(l.Path)
	if err != nil {
		return errors.Is(err, fs.ErrNotExist) // what else it is, is for Reload to tell
	}
	defer s.file.Close()
	return l.ahead(s, true)
}

// ahead answers from the new revocations of a file that takes long to read,
// before it is read: lines that do not begin as such are passed by. What the
// file is worth is for its reading to tell, and of no account here: revocations
// hold from whatever file stands still, and are in doubt from any other one. It tells
// whether they all hold. Where that is done beside a reading, the file that is read may
// be accepted and free who is revoked for good: then all stand that this file revokes,
// and all that was foreseen before it.
func (l *Live) ahead(s *source, beside bool) bool {
	l.hurry.Lock()
	defer l.hurry.Unlock()
	if s.stamp == l.foreseen {
		return true
	}
	accepting := beside && l.accepting.Load() // before the state: once that is over, it is the new one
	old := l.state.Load()
	if old == nil || old.believed == nil {
		return false
	}
	l.change(doubt(l.Path, reasonNewer))
	var mu sync.Mutex
	var all pile
	if accepting {
		all.revoked(old.ahead)
	}
	hurried := *s // all are promised to be told within a second
	hurried.crew.size, hurried.crew.patient = everybody().size, false
	err := hurried.scan(func(b *block) bool {
		b.revocations(s.path, func(key []byte, f finding) {
			if !accepting && old.revokes(key) {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			all.add(key, f)
		})
		return false
	})
	if err != nil || !s.still() {
		l.suspect(all, s.crew)
		return false
	}
	l.foreseen = s.stamp
	found, _ := build(all, s.crew)
	l.become(func(now *state) *state {
		next := *now
		next.suspects = nil
		if beside {
			next.ahead = found
		}
		next.stand(s.crew, found)
		return &next
	})
	return true
}

// begin notes that a file is going to be opened: what is foreseen from now on may be of
// a later one.
func (l *Live) begin() {
	l.hurry.Lock()
	defer l.hurry.Unlock()
	if now := l.state.Load(); now == nil || now.ahead == nil {
		return
	}
	l.become(func(now *state) *state {
		next := *now
		next.ahead = nil
		return &next
	})
}

// opened notes that a file is being read: what another one revokes, that was foreseen
// before, may be answered no more after that.
func (l *Live) opened(s *source) {
	l.hurry.Lock()
	defer l.hurry.Unlock()
	if l.foreseen != s.stamp {
		l.foreseen = stamp{}
	}
}

// suspect has what a file revokes in doubt that was written meanwhile, or could not be
// read to its end: it may be half of one row and half of another, or be revoked for good.
func (l *Live) suspect(all pile, c crew) {
	found, _ := build(all, c)
	l.become(func(now *state) *state {
		next := *now
		next.suspects = found
		return &next
	})
}

// change says why nothing is surely missing now; nil: no file has changed.
func (l *Live) change(why *DoubtError) {
	l.become(func(now *state) *state {
		next := *now
		next.changed = why
		return &next
	})
}

// unchanged notes that the file is the one that was read, perhaps again.
func (l *Live) unchanged() {
	if s := l.state.Load(); s == nil || s.changed == nil {
		return
	}
	l.hurry.Lock()
	defer l.hurry.Unlock()
	if now, err := stampOf(l.Path); err == nil && now == l.seen {
		l.foreseen = now
		l.change(nil)
	}
}

// known notes that the revocations of a file that was read are answered.
func (l *Live) known(r reading, s *source) {
	l.hurry.Lock()
	defer l.hurry.Unlock()
	if r.still {
		l.foreseen = s.stamp
	}
}

// revokes tells whether a serial is revoked already, for good, and by what stays until
// a file is believed.
func (s *state) revokes(key []byte) bool {
	for _, t := range []*Table{s.believed, s.standing} {
		if r, _, ok := t.row(key); ok && r.rank() == final {
			return true
		}
	}
	return false
}

// revocations calls each with the rows of the block that revoke.
func (b *block) revocations(path string, each func(key []byte, f finding)) {
	var r row
	for len(b.text) > 0 {
		if b.text[0]|0x20 != 'r' {
			end := bytes.IndexByte(b.text, '\n')
			if end < 0 {
				return
			}
			b.line++
			b.text = b.text[end+1:]
			continue
		}
		if !b.next(&r) {
			return
		}
		if f := r.finding(path, b.line, nil); r.key != nil && f.entry.Status == Revoked {
			each(r.key, f)
		}
	}
}
