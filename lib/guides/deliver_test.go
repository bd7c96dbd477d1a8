package guides_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const deliver = "../package/ocspcgi-deliver"

// Whoever reads the index while it is delivered finds one of the two, whole.
func TestDeliverWhole(t *testing.T) {
	dir := t.TempDir()
	to := filepath.Join(dir, "to.txt")
	old, new := filepath.Join(dir, "old"), filepath.Join(dir, "new")
	texts := map[string]string{
		old: strings.Repeat("V\t301231235959Z\t\t1000\tunknown\t/CN=one\n", 20000),
		new: strings.Repeat("R\t301231235959Z\t260101000000Z\t1000\tunknown\t/CN=one\n", 20000),
	}
	for path, text := range texts {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run(t, old, to)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 20 {
			run(t, new, to)
			run(t, old, to)
		}
	}()
	reads := 0
	for ended := false; !ended; reads++ {
		select {
		case <-done:
			ended = true
		default:
		}
		got, err := os.ReadFile(to)
		if err != nil {
			t.Fatal(err)
		}
		if s := string(got); s != texts[old] && s != texts[new] {
			t.Fatalf("read %d bytes that are neither", len(s))
		}
	}
	if info, err := os.Stat(to); err != nil || info.Mode() != 0o640 {
		t.Errorf("%v, mode %v; want 0640", err, info.Mode())
	}
	if left, err := filepath.Glob(to + ".*"); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func run(t *testing.T, args ...string) {
	if out, err := exec.Command(deliver, args...).CombinedOutput(); err != nil {
		t.Errorf("%v: %v\n%s", args, err, out)
	}
}

func TestDeliverRefuses(t *testing.T) {
	dir := t.TempDir()
	half := filepath.Join(dir, "half.txt")
	if err := os.WriteFile(half, []byte("V\t301231"), 0o600); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(dir, "to.txt")
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{half, to}, "its last line is not complete"},
		{[]string{filepath.Join(dir, "none"), to}, "not there"},
		{[]string{dir, to}, "not a file"},
		{[]string{"-by", "pigeon", half + "x", "host:" + to}, "not there"},
		{[]string{half}, "usage"},
		{nil, "usage"},
	} {
		out, err := exec.Command(deliver, c.args...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), c.says) {
			t.Errorf("%v: %v, %q; want %q", c.args, err, out, c.says)
		}
	}
	if _, err := os.Stat(to); !os.IsNotExist(err) {
		t.Errorf("%s: %v", to, err)
	}
}

// Whatever shell it is run by.
func TestShellcheck(t *testing.T) {
	if !*follow {
		t.Skip("make guides does")
	}
	if out, err := exec.Command("shellcheck", deliver, "testdata/room.sh", "testdata/package.sh", "testdata/source.sh", "../../.ci/openssl35", "../../.ci/vuln").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
