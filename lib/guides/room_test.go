package guides_test

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var follow = flag.Bool("follow", false, "follow the guides, as make guides does; needs root")

// TestGuides follows each guide in a machine of its own.
func TestGuides(t *testing.T) {
	if !*follow {
		t.Skip("make guides follows them")
	}
	for _, name := range names(t) {
		t.Run(name, func(t *testing.T) { enter(t, "package.sh", whole(t, name)) })
	}
}

// whole is what a guide says to do, after what is to be done before.
func whole(t *testing.T, name string) (steps []step) {
	t.Helper()
	for name != "" {
		g := read(t, name)
		steps, name = append(g.steps, steps...), g.begins
	}
	return steps
}

// TestSource follows the way from make install, as README says it.
func TestSource(t *testing.T) {
	if !*follow {
		t.Skip("make guides does it")
	}
	user := step{text: "adduser --system --group --no-create-home ocspcgi\n"}
	if g := read(t, "nginx"); !strings.Contains(g.text, "`"+strings.TrimSpace(user.text)+"`") {
		t.Fatalf("nginx.md does not say: %s", user.text)
	}
	enter(t, "source.sh", append([]step{user}, whole(t, "nginx")...))
}

// enter follows the steps where testdata/install has installed the program, and
// checks what came of each.
func enter(t *testing.T, install string, steps []step) {
	t.Helper()
	r := newRoom(t, steps)
	r.run(t, install)
	for i, s := range steps {
		if s.path == "" {
			r.check(t, i, s)
		}
	}
}

// room is the directory that a guide is followed with; see testdata/room.sh.
type room string

func newRoom(t *testing.T, steps []step) room {
	t.Helper()
	r := room(t.TempDir())
	for _, dir := range []string{"guide", "over", "root"} {
		if err := os.Mkdir(filepath.Join(string(r), dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	script, err := os.ReadFile("testdata/follow.sh")
	if err != nil {
		t.Fatal(err)
	}
	r.write(t, "follow.sh", string(script))
	for i, s := range steps {
		if s.path == "" {
			r.write(t, file(i, "sh"), s.text)
		} else {
			r.write(t, file(i, "file"), s.text)
			r.write(t, file(i, "path"), s.path)
		}
		if s.wants {
			r.write(t, file(i, "want"), s.want)
		}
	}
	return r
}

// file is the name of what belongs to a step.
func file(i int, kind string) string { return fmt.Sprintf("%03d.%s", i, kind) }

func (r room) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(string(r), "guide", name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (r room) read(name string) (text string, there bool) {
	data, err := os.ReadFile(filepath.Join(string(r), "guide", name))
	return string(data), err == nil
}

// run runs all steps, until one fails.
func (r room) run(t *testing.T, install string) {
	t.Helper()
	testdata, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "unshare", "--mount", "--pid", "--net", "--ipc", "--uts", "--cgroup",
		"--fork", "--kill-child", "bash", filepath.Join(testdata, "room.sh"), string(r), filepath.Join(testdata, install))
	cmd.Dir = "../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// check compares what a step did with what the guide says.
func (r room) check(t *testing.T, i int, s step) {
	t.Helper()
	got, ran := r.read(file(i, "out"))
	failed, isFailed := r.read(file(i, "failed"))
	wrong := ""
	switch {
	case !ran:
		wrong = "nobody came here"
	case s.wants:
		wrong = differs(s.want, got)
	case isFailed:
		wrong = failed + got
	}
	if wrong != "" {
		journal, _ := r.read("journal")
		out, _ := r.read("follow.out")
		t.Fatalf("the block at line %d, which is\n%s\n%s\n%s\nThe journal ends with:\n%s", s.line, s.text, wrong, out, journal)
	}
	if took, _ := r.read(file(i, "took")); cmp.Or(strings.TrimSpace(took), "0") != "0" {
		t.Logf("line %d: %s seconds", s.line, strings.TrimSpace(took))
	}
}
