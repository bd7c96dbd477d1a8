package packages_test

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

var proven = flag.Bool("package", false, "prove what ships, as make package does; needs root")

const root = "../.."

// long skips what make package alone does.
func long(t *testing.T) {
	t.Helper()
	if !*proven {
		t.Skip("make package does this")
	}
}

// run runs a program at the root of the sources and returns what it prints.
func run(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// pack makes a package and returns its file.
func pack(t *testing.T, kind, version string) string {
	t.Helper()
	dir := t.TempDir()
	env := []string{"ARCH=" + runtime.GOARCH, "PKGVERSION=" + version, "SOURCE_DATE_EPOCH=1700000000"}
	run(t, env, "go", "tool", "-modfile=lib/package/nfpm.mod", "nfpm", "package",
		"-f", "lib/package/nfpm.yaml", "-p", kind, "-t", filepath.Join(dir, "ocspcgi."+kind))
	return filepath.Join(dir, "ocspcgi."+kind)
}

// The package is installed, used, upgraded and purged where systemd is process 1.
func TestDeb(t *testing.T) {
	long(t)
	dir := t.TempDir()
	for _, name := range []string{"guide", "over", "root"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for from, to := range map[string]string{
		pack(t, "deb", "1.0"): "one.deb", pack(t, "deb", "2.0"): "two.deb", "testdata/deb.sh": "follow.sh",
	} {
		data, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "guide", to), data, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	room, err := filepath.Abs(root + "/lib/guides/testdata/room.sh")
	if err != nil {
		t.Fatal(err)
	}
	out := run(t, nil, "sh", "-c", `unshare --mount --pid --net --ipc --uts --cgroup --fork --kill-child bash "$@" || true`, "sh", room, dir)
	if done, err := os.ReadFile(filepath.Join(dir, "guide/done")); err != nil || string(done) != "all of it\n" {
		followed, _ := os.ReadFile(filepath.Join(dir, "guide/follow.out"))
		t.Errorf("%v\n%s\n%s", err, out, followed)
	}
}

// The same bytes come of the same sources.
func TestDebAgain(t *testing.T) {
	long(t)
	one, err := os.ReadFile(pack(t, "deb", "1.0"))
	two, err2 := os.ReadFile(pack(t, "deb", "1.0"))
	if err != nil || err2 != nil || string(one) != string(two) {
		t.Error("two packages differ", err, err2)
	}
}

func TestLintian(t *testing.T) {
	long(t)
	run(t, nil, "lintian", "--allow-root", "--fail-on", "error,warning,info", "--tag-display-limit", "0", pack(t, "deb", "1.0"))
}

// shipped are files that each package has.
var shipped = []string{
	"/usr/bin/ocspcgi", "/usr/bin/ocspcgi-deliver", "/usr/lib/cgi-bin/ocspcgi", "/usr/lib/cgi-bin/ocsp.cgi",
	"/etc/ocspcgi/ocspcgi.toml", "/etc/logrotate.d/ocspcgi",
	"/usr/lib/systemd/system/ocspcgi.service", "/usr/lib/systemd/system/ocspcgi.socket",
	"/usr/lib/systemd/system/ocspcgi-signer.service", "/usr/lib/systemd/system/ocspcgi-signer.socket",
	"/usr/share/man/man8/ocspcgi.8.gz", "/usr/share/man/man8/ocspcgi-check.8.gz", "/usr/share/man/man5/ocspcgi.toml.5.gz",
	"/usr/share/bash-completion/completions/ocspcgi", "/usr/share/fish/vendor_completions.d/ocspcgi.fish",
	"/usr/share/doc/ocspcgi/copyright", "/usr/share/doc/ocspcgi/ocspcgi.cdx.json", "/usr/share/doc/ocspcgi/ocsp.cgi.cdx.json", "/usr/share/doc/ocspcgi/examples/nginx/host.conf",
	"/usr/share/doc/ocspcgi/examples/apache/cgi-path.conf", "/usr/share/doc/ocspcgi/examples/servers/haproxy.cfg",
}

// Packages for other systems have the same files, and the same scripts.
func TestOthers(t *testing.T) {
	long(t)
	rpm := pack(t, "rpm", "1.0")
	apk := pack(t, "apk", "1.0")
	for name, list := range map[string]string{
		"rpm":      run(t, nil, "rpm", "-qlp", rpm),
		"rpm cpio": run(t, nil, "sh", "-c", `rpm2cpio "$1" | cpio -t --quiet`, "sh", rpm),
		"apk":      run(t, nil, "tar", "-tzf", apk),
	} {
		// A name begins with a slash, a dot and a slash, or neither.
		have := regexp.MustCompile(`(?m)^(\./|/)?`).ReplaceAllString(list, "/")
		for _, file := range shipped {
			if !strings.Contains(have, file+"\n") {
				t.Errorf("%s has no %s:\n%s", name, file, have)
			}
		}
		if strings.Contains(have, "/etc/apache2") || strings.Contains(have, "lintian") {
			t.Errorf("%s has what is Debian's:\n%s", name, have)
		}
	}
	for _, script := range []string{"useradd --system", "systemctl stop ocspcgi.socket"} {
		if said := run(t, nil, "rpm", "-qp", "--scripts", rpm); !strings.Contains(said, script) {
			t.Errorf("rpm: no %q in its scripts", script)
		}
	}
	if config := run(t, nil, "rpm", "-qpc", rpm); !strings.Contains(config, "/etc/ocspcgi/ocspcgi.toml") {
		t.Errorf("rpm: the settings are no configuration: %s", config)
	}
	if scripts := run(t, nil, "tar", "-tzf", apk); !strings.Contains(scripts, ".post-install") {
		t.Errorf("apk has no .post-install:\n%s", scripts)
	}
}

// What install writes, uninstall takes away, and nothing else is touched.
func TestInstall(t *testing.T) {
	long(t)
	dir := t.TempDir()
	run(t, nil, "make", "-s", "install", "DESTDIR="+dir, "PREFIX=/usr")
	for _, file := range shipped {
		if strings.HasPrefix(file, "/etc/") || strings.HasPrefix(file, "/usr/share/doc/") {
			continue // a person's, or a package's
		}
		if _, err := os.Stat(dir + file); err != nil {
			t.Error(err)
		}
	}
	if err := os.WriteFile(dir+"/usr/bin/other", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, nil, "make", "-s", "uninstall", "DESTDIR="+dir, "PREFIX=/usr")
	if left := run(t, nil, "find", dir, "-type", "f"); left != dir+"/usr/bin/other\n" {
		t.Errorf("left:\n%s", left)
	}
}
