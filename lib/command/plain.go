package command

import (
	"io"
	"strings"
	"unicode"
)

// plain writes text for a terminal: names in certificates and what a server says
// are other people's, and might hold sequences that a terminal obeys. Each Write
// is whole text.
type plain struct{ io.Writer }

func (p plain) Write(text []byte) (int, error) {
	clean := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return unicode.ReplacementChar
		}
		return r
	}, string(text))
	if _, err := io.WriteString(p.Writer, clean); err != nil {
		return 0, err
	}
	return len(text), nil
}
