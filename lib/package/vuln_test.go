package packages_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What is known to be wrong fails make lint; that nobody can be asked does not, and
// is said in one line; whatever else goes wrong fails it.
func TestVuln(t *testing.T) {
	for _, test := range []struct {
		name, database, env string
		exit                int
		says                string
	}{
		{"nothing is known", vulnerable(t, ""), "", 0, "No vulnerabilities found."},
		{"of both builds", vulnerable(t, "golang.org/x/crypto/ocsp"), "", 3, "GO-2026-0001"},
		{"of the build with tokens", vulnerable(t, "github.com/miekg/pkcs11"), "", 3, "GO-2026-0001"},
		{"of nothing that is built", vulnerable(t, "golang.org/x/crypto/ssh"), "", 0, "No vulnerabilities found."},
		{"not reached", "", "HTTPS_PROXY=http://127.0.0.1:1", 0, "vuln: not checked, for the database cannot be asked: Get "},
		{"no such database", "file://" + t.TempDir() + "/none", "", 1, "creating client"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cmd := exec.Command(root+"/.ci/vuln", test.database)
			cmd.Env = append(os.Environ(), "NO_PROXY=", test.env)
			out, err := cmd.CombinedOutput()
			if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != test.exit || !strings.Contains(string(out), test.says) {
				t.Errorf("%v, want exit %d and %q:\n%s", err, test.exit, test.says, out)
			}
			if test.env != "" && strings.Count(string(out), "\n") != 1 {
				t.Errorf("not one line:\n%s", out)
			}
		})
	}
}

// vulnerable makes a database that knows of one fault, in a package, or of none,
// and returns its URL.
func vulnerable(t *testing.T, path string) (url string) {
	t.Helper()
	const stamp = `"modified":"2026-01-01T00:00:00Z"`
	files := map[string]string{"index/db.json": "{" + stamp + "}", "index/modules.json": "[]", "index/vulns.json": "[]"}
	if path != "" {
		module := strings.Join(strings.Split(path, "/")[:3], "/")
		files["index/modules.json"] = fmt.Sprintf(`[{"path":%q,"vulns":[{"id":"GO-2026-0001",%s}]}]`, module, stamp)
		files["index/vulns.json"] = `[{"id":"GO-2026-0001",` + stamp + `}]`
		files["ID/GO-2026-0001.json"] = fmt.Sprintf(`{"schema_version":"1.3.1","id":"GO-2026-0001",%s,"published":"2026-01-01T00:00:00Z",
			"summary":"made for a test","details":"made for a test","database_specific":{"url":"http://localhost/"},
			"affected":[{"package":{"name":%q,"ecosystem":"Go"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}],
			"ecosystem_specific":{"imports":[{"path":%q}]}}]}`, stamp, module, path)
	}
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return "file://" + dir
}
