//go:build browser

package conformance_test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ocspcgi/lib/servertest"
)

const shipped = "../package/"

func promtool(t *testing.T, stdin string, args ...string) {
	t.Helper()
	cmd := exec.Command("promtool", args...)
	cmd.Stdin = strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %v: %v\n%s", args, err, out)
	}
}

// Prometheus' own tool finds nothing wrong with the metrics, the alerts, and
// what the dashboard asks for.
func TestBrowserPromtool(t *testing.T) {
	a := newAdministered(t)
	a.http(t, []byte("none"))
	_, text := a.get(t, "/metrics")
	promtool(t, text, "check", "metrics")
	promtool(t, "", "check", "rules", shipped+"prometheus-rules.yml")
	var dashboard struct {
		Panels []struct{ Targets []struct{ Expr string } }
	}
	if err := json.Unmarshal([]byte(servertest.ReadFile(t, shipped+"grafana.json")), &dashboard); err != nil {
		t.Fatal(err)
	}
	rules := "groups:\n- name: dashboard\n  rules:\n"
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			expr := strings.ReplaceAll(target.Expr, "$__rate_interval", "5m")
			rules += fmt.Sprintf("  - record: n%d\n    expr: %q\n", len(rules), expr)
		}
	}
	file := filepath.Join(t.TempDir(), "dashboard.yml")
	servertest.WriteFile(t, file, rules)
	promtool(t, "", "check", "rules", file)
}

// Each alert is given when it should be, and not before.
func TestBrowserAlerts(t *testing.T) {
	rules, err := filepath.Abs(shipped + "prometheus-rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ alert, series, sound, broken, at string }{
		{"OCSPSignerExpires", `ocspcgi_signer_not_after_timestamp_seconds{issuer="CA"}`, "1300000x200", "1200000x200", "2h"},
		{"OCSPNobodySigns", `ocspcgi_issuer_able{issuer="CA"}`, "1x200", "0x200", "2h"},
		{"OCSPIndexRefused", `ocspcgi_index_believed{index="i"}`, "1x200", "0x200", "2h"},
		{"OCSPIndexFaulty", `ocspcgi_index_faults{index="i"}`, "0x200", "2x200", "2h"},
		{"OCSPIndexOld", `ocspcgi_index_modified_timestamp_seconds{index="i"}`, "1+60x12000", "1x12000", "180h"},
		{"OCSPErrors", `ocspcgi_requests_total{status="tryLater"}`, "0x200", "0+60x200", "2h"},
		{"OCSPSigningFails", `ocspcgi_signatures_total{result="failed"}`, "7x200", "0+1x200", "2h"},
		{"OCSPFaults", `ocspcgi_connection_faults_total`, "0+1x200", "0+60x200", "2h"},
	} {
		for values, samples := range map[string]string{test.sound: "[]", test.broken: "[{labels: '{}', value: 1}]"} {
			file := filepath.Join(t.TempDir(), "test.yml")
			servertest.WriteFile(t, file, fmt.Sprintf(`rule_files: [%q]
tests:
- interval: 1m
  input_series:
  - {series: '%s', values: %q}
  - {series: 'ocspcgi_requests_total{status="good"}', values: '0+60x200'}
  promql_expr_test:
  - {eval_time: %s, expr: 'count(ALERTS{alertname="%s",alertstate="firing"})', exp_samples: %s}
`, rules, test.series, values, test.at, test.alert, samples))
			promtool(t, "", "test", "rules", file)
		}
	}
}
