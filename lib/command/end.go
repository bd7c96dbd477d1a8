package command

import (
	"context"
	"time"
)

// mostToEnd is how long a process takes at the most that is told to end. Running
// requests have five seconds of it.
const mostToEnd = 7 * time.Second

// untilEnd does what ends with ctx, and returns its error. What has not ended in time is
// left: it hangs, such as on a log that nobody reads, where no word of it can be told.
func untilEnd(ctx context.Context, do func() error) error {
	ended := make(chan error, 1)
	go func() { ended <- do() }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	late := time.NewTimer(mostToEnd)
	defer late.Stop()
	select {
	case err := <-ended:
		return err
	case <-late.C:
		return nil
	}
}
