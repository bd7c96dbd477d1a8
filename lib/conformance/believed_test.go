package conformance_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ocspcgi/lib/servertest"
	"ocspcgi/lib/wire"
)

// An older index is put back in place of one that revokes: with a cache, a CGI process
// knows what the ones before it have read, until what they have left is removed, as the
// log says. Neither other settings nor other signers make it forget; what is damaged is
// not taken for nothing.
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
	cached := fmt.Sprintf("cache = %q\n", dir)
	servertest.WriteFile(t, k.config, "log_remote = false\n"+cached+k.settings(k.Signer))
	if log := ask("the older one, with other settings", revoked); log != "" {
		t.Errorf("the log says it again: %q", log)
	}
	servertest.WriteFile(t, k.config, cached+k.settings(k.Signer, k.rsa))
	ask("the older one, with another signer, too", revoked)
	if err := os.Chmod(k.rsa.Key, 0o604); err != nil {
		t.Fatal(err)
	}
	if log := ask("the older one, with a signer whose answers are not shared", revoked); !strings.Contains(log, "chmod o-r") {
		t.Errorf("the log says %q", log)
	}
	if err := os.Chmod(k.rsa.Key, 0o600); err != nil {
		t.Fatal(err)
	}
	aside := left[0] + ".aside"
	if err := os.Rename(left[0], aside); err != nil {
		t.Fatal(err)
	}
	servertest.WriteFile(t, left[0], "half of it")
	if log := ask("the older one, and what was believed is damaged", later); !strings.Contains(log, "is damaged; if that index is right, remove this file") {
		t.Errorf("the log says %q", log)
	}
	if err := os.Rename(aside, left[0]); err != nil {
		t.Fatal(err)
	}
	ask("the older one, and what was believed is whole again", revoked)
	if err := os.Remove(left[0]); err != nil {
		t.Fatal(err)
	}
	ask("accepted", good)
}
