//go:build !linux

package check

import "errors"

// become is for systems where a thread can have the ids of its own for files.
func (a *account) become() error { return errors.ErrUnsupported }
