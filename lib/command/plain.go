package command

import (
	"io"

	"ocspcgi/lib/journal"
)

// plain writes text for a terminal: names in certificates and what a server says
// are other people's, and might hold sequences that a terminal obeys. Each Write
// is whole text.
type plain struct{ io.Writer }

func (p plain) Write(text []byte) (int, error) {
	if _, err := io.WriteString(p.Writer, journal.Plain(string(text))); err != nil {
		return 0, err
	}
	return len(text), nil
}
