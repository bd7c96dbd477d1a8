package config

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxFile is far above every configuration and below what would hurt.
const maxFile = 4 << 20

// readConfigured reads the file that was named, else the default one, which may
// be absent, and when issuers are still to be found the issuers.d beside it.
func readConfigured(flags, env told, fallback string) told {
	name, named := fallback, false
	if name == "" {
		name = DefaultFile
	}
	for _, given := range [][]value{env.global["config"], flags.global["config"]} {
		if len(given) > 0 {
			name, named = given[0].text, true
		}
	}
	t := told{global: values{}, named: func(name string) string { return name }}
	data, err := readLimited(name)
	switch {
	case err == nil:
		readTOML(&t, name, data)
	case named || !errors.Is(err, fs.ErrNotExist):
		t.faults.addf("configuration: %w", err)
	}
	if len(flags.groups)+len(env.groups) == 0 {
		readFolder(&t, filepath.Join(filepath.Dir(name), "issuers.d"))
	}
	return t
}

// readFolder reads one issuer from each .toml file, in the order of the names.
func readFolder(t *told, folder string) {
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.faults.addf("configuration: %w", err)
	}
	for _, e := range entries {
		name := filepath.Join(folder, e.Name())
		if !strings.HasSuffix(name, ".toml") || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		data, err := readLimited(name)
		if err != nil {
			t.faults.addf("configuration: %w", err)
			continue
		}
		readIssuerTOML(t, name, data)
	}
}

func readLimited(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = &fs.PathError{Op: "read", Path: name, Err: errors.New("larger than 4 MiB")}
	}
	return data, err
}
