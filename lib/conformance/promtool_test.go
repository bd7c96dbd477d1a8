//go:build browser

package conformance_test

import (
	"os/exec"
	"strings"
	"testing"
)

// Prometheus' own tool finds nothing wrong with the metrics and the alerts.
func TestBrowserPromtool(t *testing.T) {
	a := newAdministered(t)
	a.http(t, []byte("none"))
	_, text := a.get(t, "/metrics")
	metrics := exec.Command("promtool", "check", "metrics")
	metrics.Stdin = strings.NewReader(text)
	for _, cmd := range []*exec.Cmd{metrics, exec.Command("promtool", "check", "rules", "../package/prometheus-rules.yml")} {
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v: %v\n%s", cmd.Args, err, out)
		}
	}
}
