package servers_test

import (
	"os/exec"
	"strings"
	"testing"

	"ocspcgi/lib/servertest"
)

// TestCheck has the verb check ask the program behind every server, where it
// finds nothing to complain of.
func TestCheck(t *testing.T) {
	r := servertest.NewResponder(t, program)
	for _, f := range forms {
		t.Run(f.name, func(t *testing.T) {
			site, _ := f.site(t, r)
			out, err := exec.Command(program, "check", "-url", site.URL, "-issuer", r.Cert, "-cert", r.Slashes.Cert).CombinedOutput()
			if err != nil || !strings.Contains(string(out), "0 errors, 0 warnings") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
