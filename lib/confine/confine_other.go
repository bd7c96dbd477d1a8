//go:build !linux && !openbsd

package confine

func (n *Needs) enforce(_, _ []string) (by string, err error) { return "", ErrUnsupported }

// Refused reports false: nothing is confined.
func Refused(string) bool { return false }
