package journal

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Plain is text for a terminal: names in certificates and files, and what others
// say, might hold sequences that a terminal obeys, or turn the direction of what is
// read. Lines and tabs stay.
func Plain(text string) string {
	return strings.Map(func(r rune) rune {
		if obeyed(r) && r != '\n' && r != '\t' {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

// obeyed tells whether a terminal does something else with r than show it.
func obeyed(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }

// colored writes text in which what is ASCII is obeyed on purpose.
type colored struct{ io.Writer }

func (c colored) Write(text []byte) (int, error) {
	clean := strings.Map(func(r rune) rune {
		if obeyed(r) && r > '~' {
			return unicode.ReplacementChar
		}
		return r
	}, string(text))
	if _, err := io.WriteString(c.Writer, clean); err != nil {
		return 0, err
	}
	return len(text), nil
}

// Escaped is JSON in which nothing is left that a terminal obeys. It is
// text itself where that is ASCII, as most is: of ASCII, JSON escapes it all.
func Escaped(text []byte) []byte {
	for i, c := range text {
		if c < utf8.RuneSelf {
			continue
		}
		out := append([]byte(nil), text[:i]...)
		for _, r := range string(text[i:]) {
			if obeyed(r) && r >= utf8.RuneSelf {
				out = fmt.Appendf(out, `\u%04x`, r)
			} else {
				out = utf8.AppendRune(out, r)
			}
		}
		return out
	}
	return text
}
