package packages_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// systems are what each release is built for.
var systems = []string{
	"linux-amd64", "linux-arm64", "linux-armv7", "linux-riscv64", "freebsd-amd64", "freebsd-arm64",
	"openbsd-amd64", "openbsd-arm64", "netbsd-amd64", "netbsd-arm64", "darwin-amd64", "darwin-arm64",
}

// dist builds for all systems from the sources at a place, and returns the sums.
func dist(t *testing.T, from string) (dir, sums string) {
	t.Helper()
	dir = t.TempDir()
	share, err := filepath.Abs(root + "/bin/share")
	if err != nil {
		t.Fatal(err)
	}
	run(t, []string{"SOURCE_DATE_EPOCH=1700000000"}, from+"/lib/package/dist", dir, "1.0", share,
		"-trimpath", "-buildvcs=false", "-ldflags", "-s -w -X main.version=1.0")
	text, err := os.ReadFile(filepath.Join(dir, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	return dir, string(text)
}

// Each system has its tarball, and sources at another place come to the same bytes.
func TestDist(t *testing.T) {
	long(t)
	dir, here := dist(t, ".")
	for _, system := range systems {
		name := "ocspcgi-1.0-" + system
		list := strings.Fields(run(t, nil, "tar", "-tzf", filepath.Join(dir, name+".tar.gz")))
		for _, file := range []string{"ocspcgi", "ocsp.cgi", "ocspcgi.cdx.json", "ocsp.cgi.cdx.json", "README.md", "LICENSE", "man/ocspcgi.8.gz", "completions/ocspcgi.bash", "examples/nginx/host.conf", "examples/servers/ocspcgi.service"} {
			if !slices.Contains(list, name+"/"+file) {
				t.Errorf("%s has no %s", name, file)
			}
		}
	}
	if n := strings.Count(here, "\n"); n != len(systems) {
		t.Errorf("%d tarballs:\n%s", n, here)
	}
	if _, there := dist(t, sources(t)); there != here {
		t.Errorf("here:\n%s\nelsewhere:\n%s", here, there)
	}
}

// vet finds nothing wrong, whichever system the sources are for.
func TestVet(t *testing.T) {
	long(t)
	for _, system := range []string{"linux arm", "freebsd amd64", "openbsd amd64", "netbsd amd64", "darwin arm64"} {
		name, arch, _ := strings.Cut(system, " ")
		run(t, []string{"GOOS=" + name, "GOARCH=" + arch, "CGO_ENABLED=0"}, "go", "vet", "./...")
	}
}
