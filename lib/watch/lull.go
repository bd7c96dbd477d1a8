package watch

import "time"

// lull waits until nothing has happened for a while, but not for ever.
type lull struct {
	quiet, longest *time.Timer // each fires once after wait

	quietFor, longestFor time.Duration
	waiting              bool
}

func newLull(quiet, longest time.Duration) *lull {
	l := &lull{time.NewTimer(quiet), time.NewTimer(longest), quiet, longest, true}
	l.over()
	return l
}

// wait begins to wait or, when something else has happened, waits anew.
func (l *lull) wait() {
	l.quiet.Reset(l.quietFor)
	if !l.waiting {
		l.longest.Reset(l.longestFor)
	}
	l.waiting = true
}

// over ends the wait.
func (l *lull) over() {
	l.quiet.Stop()
	l.longest.Stop()
	l.waiting = false
}
