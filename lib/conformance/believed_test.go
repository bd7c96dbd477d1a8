package conformance_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ocspcgi/lib/servertest"
	"ocspcgi/lib/wire"
)

// An older index is put back in place of one that revokes: with a cache, a CGI process
// knows what the ones before it have read, until what they have left is removed, as the
// log says. A change of the settings makes nobody forget.
func TestBelievedOfCGI(t *testing.T) {
	k, dir := newKit(t).caching(t)
	older := servertest.ReadFile(t, k.Index)
	der, _, good := k.question()
	revoked := good
	revoked.said = []wire.CertStatus{wire.Revoked}
	ask := func(when string, says want) (log string) {
		t.Helper()
		r, log := run(t, k.command(variables(len(der))...), der)
		if err := says.check(r, false); err != nil {
			t.Errorf("%s: %v", when, err)
		}
		return log
	}
	k.rested(t)
	ask("at first", good)
	k.revokeInPlace(t)
	k.rested(t)
	ask("revoked", revoked)
	if err := os.WriteFile(k.Index, []byte(older), 0); err != nil {
		t.Fatal(err)
	}
	k.rested(t)
	left, err := filepath.Glob(filepath.Join(dir, "believed-*[0-9a-f]"))
	if err != nil || len(left) != 1 {
		t.Fatalf("%v, left are %s", err, left)
	}
	if log := ask("the older one", revoked); !strings.Contains(log, "index not believed") || !strings.Contains(log, "if this is meant, remove "+left[0]) {
		t.Errorf("the log says %q", log)
	}
	servertest.WriteFile(t, k.config, "log_remote = false\n"+servertest.ReadFile(t, k.config))
	if log := ask("the older one, with other settings", revoked); log != "" {
		t.Errorf("the log says it again: %q", log)
	}
	if err := os.Remove(left[0]); err != nil {
		t.Fatal(err)
	}
	ask("accepted", good)
}
