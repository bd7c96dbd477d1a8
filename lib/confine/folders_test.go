package confine

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestFolders(t *testing.T) {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"ca/private", "rel/5", "rel/6", "mnt/far", "run"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{
		"ca/index.txt": "../mnt/far/index.txt", "now": "rel/5", "newest": "now", "loop": "loop", "top": "/", "dangling": "gone/x", "abs": root + "/rel/6", "usr": "/usr",
	} {
		if err := os.Symlink(target, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string][]string{
		"ca/ca.pem":       {"ca"},
		"ca/index.txt":    {"ca", "mnt/far"},
		"now/index.txt":   {"rel"},        // now may lead to rel/6 tomorrow
		"newest/a":        {""},           // and newest to what lies beside now
		"now/../6/a":      {"rel"},        // .. of the link's target
		"abs/a":           {"rel"},        // absolute
		"dangling":        {""},           // a file that is not there, in gone, which is not either
		"dangling/a":      {""},           //
		"gone/by/a":       {""},           // comes later, perhaps
		"loop":            {""},           // leads nowhere
		"loop/a":          {""},           //
		"usr/a":           {"/usr"},       // not all that lies beside /usr
		"top/nowhere/x/a": {},             // nor the root
		"ca/private/":     {"ca/private"}, // a directory
	} {
		for i := range want {
			if !filepath.IsAbs(want[i]) {
				want[i] = filepath.Join(root, want[i])
			}
		}
		got, err := (&Needs{Files: []string{root + "/" + name}}).readable()
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v, want %q", name, got, err, want)
		}
	}
	all := Needs{Files: []string{root + "/ca/private/x", root + "/ca/x", root + "/ca/x"}, Folders: []string{root + "/run"}, Removed: []string{root + "/run/s", "here"}}
	if got, err := all.readable(); err != nil || !slices.Equal(got, []string{root + "/ca", root + "/run"}) {
		t.Errorf("%q, %v", got, err)
	}
	t.Chdir(root + "/now")
	if got, err := all.removable(); err != nil || !slices.Equal(got, []string{root + "/rel/5", root + "/run"}) {
		t.Errorf("%q, %v", got, err)
	}
}
