package command_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"ocspcgi/lib/command"
)

func TestProgress(t *testing.T) {
	var out strings.Builder
	var now time.Time
	p := &command.Progress{Out: &out, Now: func() time.Time { return now }}
	for _, step := range []struct {
		at   time.Duration
		read int64
		want string
	}{
		{0, 1, ""},
		{900 * time.Millisecond, 20, ""},
		{1000 * time.Millisecond, 30, "\rreading index.txt: 30 %"},
		{1050 * time.Millisecond, 40, ""},
		{1200 * time.Millisecond, 50, "\rreading index.txt: 50 %"},
		{1300 * time.Millisecond, 5, "\rreading index.txt: 5 % "},
		{1400 * time.Millisecond, 100, "\r" + strings.Repeat(" ", len("reading index.txt: 5 %")) + "\r"},
		{9 * time.Second, 10, ""},          // it is read again, and
		{9100 * time.Millisecond, 100, ""}, // that is fast
	} {
		out.Reset()
		now = time.Time{}.Add(time.Hour + step.at)
		p.Show("/srv/ca/index.txt", step.read, 100)
		if out.String() != step.want {
			t.Errorf("%v, %d bytes: %q, not %q", step.at, step.read, out.String(), step.want)
		}
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if command.ProgressOn(&out) != nil || command.ProgressOn(null) != nil {
		t.Error("shown where there is no terminal")
	}
}
