package packages_test

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sources copies the sources to another place.
func sources(t *testing.T) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "sources")
	run(t, nil, "sh", "-c", `mkdir "$1" && git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$1"`, "sh", dir)
	return dir
}

// programs are all that is built for Linux.
var programs = []string{"ocspcgi", "ocsp.cgi", "ocspcgi-pkcs11"}

// build has make build all programs from the sources at a place, and returns where
// they are.
func build(t *testing.T, from string, env ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	run(t, env, "make", "-C", from, "build", "pkcs11", "VERSION=1.0", "BIN="+dir+"/ocspcgi", "CGI="+dir+"/ocsp.cgi")
	return dir
}

// Sources at another place, compiled anew with modules of another place, come to the
// same bytes.
func TestReproducible(t *testing.T) {
	modules := strings.TrimSpace(run(t, nil, "go", "env", "GOMODCACHE"))
	path := t.TempDir()
	here := build(t, ".")
	there := build(t, sources(t), "GOPATH="+path, "GOMODCACHE="+path+"/modules", "GOCACHE="+path+"/cache",
		"GOPROXY=file://"+modules+"/cache/download", "GOFLAGS=-modcacherw")
	for _, name := range programs {
		if !bytes.Equal(read(t, here, name), read(t, there, name)) {
			t.Errorf("%s has other bytes at another place", name)
		}
	}
}

func read(t *testing.T, dir, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// The list of what a program is made of names its modules and Go, nothing else, and
// is the same each time and wherever the program lies.
func TestSBOM(t *testing.T) {
	dir, other := build(t, "."), t.TempDir()
	for _, name := range programs {
		if err := os.WriteFile(filepath.Join(other, name), read(t, dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		run(t, nil, "lib/package/sbom", "1.0", filepath.Join(dir, name))
		run(t, []string{"GOFLAGS=-trimpath"}, "lib/package/sbom", "1.0", filepath.Join(other, name))
		text := read(t, dir, name+".cdx.json")
		if !bytes.Equal(text, read(t, other, name+".cdx.json")) {
			t.Errorf("%s: another one the second time", name)
		}
		if got, want := named(t, text), made(t, filepath.Join(dir, name)); !slices.Equal(got, want) {
			t.Errorf("%s names\n%s\nand is made of\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// named returns the names and versions in a list of CycloneDX, sorted.
func named(t *testing.T, text []byte) (list []string) {
	t.Helper()
	type component struct{ Name, Version string }
	var bom struct {
		BomFormat  string
		Metadata   struct{ Component component }
		Components []component
	}
	if err := json.Unmarshal(text, &bom); err != nil || bom.BomFormat != "CycloneDX" {
		t.Fatalf("%v: %s", err, text)
	}
	for _, c := range append(bom.Components, bom.Metadata.Component) {
		list = append(list, c.Name+" "+c.Version)
	}
	slices.Sort(list)
	return list
}

// made returns what Go has written into a program, in the same way.
func made(t *testing.T, program string) (list []string) {
	t.Helper()
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	list = []string{"ocspcgi 1.0", "std " + info.GoVersion}
	for _, module := range info.Deps {
		list = append(list, module.Path+" "+module.Version)
	}
	slices.Sort(list)
	return list
}
