package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"
)

// obeying is what terminals obey: a colour, a title, the same by one octet of C1, a
// carriage return over what was said, text from right to left, and what is no UTF-8.
const obeying = "a\x1b[31mb\x1b]0;c\x07\u009b31md\re\u202ef\u0085g\x7fh\xffi"

// harmful is what of that is left in a text, but for the end of its line.
func harmful(text string) string {
	const obeyed = "\x1b\x07\u009b\r\u202e\u0085\x7f"
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return !strings.ContainsRune(obeyed, r) }), "")
}

func TestPlain(t *testing.T) {
	if got, want := Plain(obeying+"\n\tü"), "a\ufffd[31mb\ufffd]0;c\ufffd\ufffd31md\ufffde\ufffdf\ufffdg\ufffdh\ufffdi\n\tü"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// In a file as on a terminal, a line shows what is in it and does nothing.
func TestLinesAreText(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	j, err := Open(Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	var shown bytes.Buffer
	terminal := zerolog.New(console(&shown, false))
	for _, log := range []*zerolog.Logger{&j.Logger, &terminal} {
		log.Warn().Str("index", obeying).Bytes("method", []byte(obeying)).Err(errors.New(obeying)).Strs("more", []string{obeying}).Msg(obeying + " ü")
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for where, text := range map[string]string{"file": string(file), "terminal": shown.String()} {
		if bad := harmful(text); bad != "" || strings.Count(text, "\n") != 1 || !strings.Contains(text, "ü") {
			t.Errorf("%s: %q in %q", where, bad, text)
		}
	}
	var fields map[string]any
	if err := json.Unmarshal(file, &fields); err != nil || fields["index"] != strings.ToValidUTF8(obeying, "\ufffd") {
		t.Errorf("%v, %q", err, fields["index"])
	}
}
