package responder

import "time"

// Renewed waits for the answers that are being renewed.
func (r *Responder) Renewed() { r.background.Wait() }

// Rewritten reads a record and writes it again.
func Rewritten(data []byte) (again []byte, ok bool) {
	var rec record
	if !rec.unmarshal(data) {
		return nil, false
	}
	again, err := rec.marshal()
	return again, err == nil
}

// Turns are turns to sign, so many at a time.
type Turns struct{ turns }

func (t *Turns) Limit(most int)                             { t.limit(most) }
func (t *Turns) Take(forMany bool, cost time.Duration) bool { return t.take(forMany, cost) }
func (t *Turns) Give()                                      { t.give() }

// AtATime is how many signatures are made at a time.
func (r *Responder) AtATime() int { return r.turns.most }

// Waiting is how many wait for their turn.
func (t *Turns) Waiting() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.lines[0].waiting) + len(t.lines[1].waiting)
}

// Cost is what a signature of a key is found to take.
type Cost struct{ cost }

func NewCost(elsewhere bool) *Cost       { return &Cost{cost{elsewhere: elsewhere}} }
func (c *Cost) Learn(took time.Duration) { c.learn(took) }
func (c *Cost) Expected() time.Duration  { return c.expected() }
