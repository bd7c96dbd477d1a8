package conformance_test

import (
	"testing"
	"time"
)

// The whole table, twice over one process: it answers as before, and no
// descriptor and no goroutine is left over.
func TestOneProcess(t *testing.T) {
	t.Run("REQ-47 the whole table twice", func(t *testing.T) {
		// One goroutine that is at its end is counted still, and one that has not begun
		// is not yet, in a process that is stopped at that moment; one that leaks is
		// there in each.
		const tries = 5
		var once, left []int
		for i := range tries {
			k := newKit(t)
			k.ask(t, k.bodies()[:1])
			k.quiet(t)
			once, left = append(once, k.goroutines(t)), append(left, twice(t))
			if left[i] <= once[i] {
				return
			}
		}
		t.Errorf("%v goroutines are left, %v of processes that were asked once", left, once)
	})
}

// twice asks a process the whole table two times, and returns how many goroutines
// are left.
func twice(t *testing.T) int {
	t.Helper()
	k := newKit(t)
	k.ask(t, k.bodies())
	files := k.quiet(t)
	k.ask(t, k.bodies())
	if now := k.quiet(t); now > files {
		t.Errorf("%d descriptors are open, %d before", now, files)
	}
	return k.goroutines(t)
}

// ask sends bodies to the one process that stays.
func (k *kit) ask(t *testing.T, bodies []body) {
	t.Helper()
	for _, b := range bodies {
		for _, way := range over[:2] {
			if err := b.want.check(way.post(k.served, t, b.der), false); err != nil {
				t.Errorf("%s over %s: %v", b.row, way.name, err)
			}
		}
	}
}

// quiet waits until the program has no socket but those it listens on, for it
// closes a connection a moment after the client did. It returns how many
// descriptors are open then.
func (s *served) quiet(t *testing.T) int {
	t.Helper()
	const listening = 2
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		files, sockets := s.files(t)
		if sockets == listening {
			return files
		}
		if time.Now().After(end) {
			t.Fatalf("%d sockets are open", sockets)
		}
	}
}
