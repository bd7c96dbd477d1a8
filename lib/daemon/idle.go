package daemon

import (
	"context"
	"runtime/debug"
	"time"
)

// lull is how long nothing must have been asked for the daemon to be idle.
const lull = 2 * time.Second

// rest gives memory that is not needed back to the system whenever the daemon
// becomes idle: what a busy minute has taken is not held all night.
func (d *Daemon) rest(ctx context.Context) {
	tick := time.NewTicker(lull)
	defer tick.Stop()
	last, rested := int64(0), int64(-1)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			answered := d.answered.Load()
			if answered == last && answered != rested {
				debug.FreeOSMemory()
				rested = answered
			}
			last = answered
		}
	}
}
