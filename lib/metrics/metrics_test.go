package metrics_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/index"
	"ocspcgi/lib/metrics"
	"ocspcgi/lib/ocsphttp"
	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/reload"
	"ocspcgi/lib/responder"
)

var start = time.Date(2026, 11, 21, 12, 0, 30, 0, time.UTC)

// newMetrics counts for issuers of a CA with a name that needs care.
func newMetrics(t *testing.T, now *time.Time) (*metrics.Metrics, *pkitest.CA) {
	t.Helper()
	ca := pkitest.New(t, pkitest.Subject(`/CN=a "quoted" <b>\\name`))
	signer := ca.OCSPSigner("ocsp", pkitest.Valid(start.Add(-time.Hour), start.Add(time.Hour)))
	keeper := &reload.Keeper{Responder: &responder.Responder{CacheBytes: 1 << 20}, Sources: []reload.Source{{Index: ca.Index, Files: responder.Files{
		Where: "here", CA: ca.Cert, Lifetime: time.Hour, Signers: []responder.SignerFiles{{Certificate: signer.Cert, Key: signer.Key}},
	}}}}
	m := &metrics.Metrics{Version: "1.2\n\"x\"", Keeper: keeper, Now: func() time.Time { return *now }, Started: start}
	keeper.Log = m.Reload
	if err := keeper.Open(); err != nil {
		t.Fatal(err)
	}
	return m, ca
}

// record is what is known of a request that was answered.
func record(answer *responder.Answer, code int, took time.Duration) *ocsphttp.Record {
	return &ocsphttp.Record{Request: &ocsphttp.Request{Transport: "fcgi"}, Status: code, Answer: answer,
		Now: func() time.Time { return time.Time{}.Add(took) }}
}

func about(issuer string, statuses ...string) *responder.Answer {
	a := &responder.Answer{}
	for _, s := range statuses {
		a.Certs = append(a.Certs, responder.Cert{Issuer: issuer, Status: s})
	}
	return a
}

func refused(status ocsp.ResponseStatus, err error) *responder.Answer {
	return &responder.Answer{Status: status, Err: err}
}

func TestCounts(t *testing.T) {
	now := start
	m, ca := newMetrics(t, &now)
	cached := about("CA", "good")
	cached.Cached = true
	kept := about("CA", "revoked")
	kept.Renewal = start
	for _, rec := range []*ocsphttp.Record{
		record(cached, 200, 8*time.Microsecond), record(cached, 304, 8*time.Microsecond), record(kept, 200, 2*time.Millisecond),
		record(about("CA", "unknown"), 200, time.Minute), record(about("CA", "good", "good"), 200, 0), record(about("CA", "good", "revoked"), 200, 0),
		record(nil, 200, 0), record(nil, 405, 0), record(nil, 413, 0), record(nil, 415, 0),
		record(refused(ocsp.Malformed, errors.New("x")), 200, 0), record(refused(ocsp.SignatureRequired, errors.New("x")), 200, 0),
		record(refused(ocsp.Unauthorized, errors.New("x")), 200, 0), record(refused(ocsp.InternalError, errors.New("x")), 200, 0),
		record(refused(ocsp.TryLater, fmt.Errorf("serial: %w", &index.DoubtError{})), 200, 0), record(refused(ocsp.TryLater, errors.New("expired")), 200, 0),
		record(refused(ocsp.TryLater, responder.ErrOverloaded), 200, 0),
	} {
		m.Request(rec)
	}
	m.Fault(errors.New("reset"))
	got := parse(t, m.Text())
	if got["go_goroutines"] < 1 {
		t.Error("the process has no goroutine")
	}
	for sample, want := range map[string]float64{
		`ocspcgi_requests_total{transport="fcgi",code="200",issuer="CA",status="good"}`:        2,
		`ocspcgi_requests_total{transport="fcgi",code="304",issuer="CA",status="good"}`:        1,
		`ocspcgi_requests_total{transport="fcgi",code="200",issuer="CA",status="revoked"}`:     1,
		`ocspcgi_requests_total{transport="fcgi",code="200",issuer="CA",status="unknown"}`:     1,
		`ocspcgi_requests_total{transport="fcgi",code="200",issuer="CA",status="mixed"}`:       1,
		`ocspcgi_requests_total{transport="fcgi",code="200",issuer="",status="page"}`:          1,
		`ocspcgi_requests_total{transport="fcgi",code="405",issuer="",status="page"}`:          1,
		`ocspcgi_requests_total{transport="fcgi",code="200",issuer="",status="tryLater"}`:      3,
		`ocspcgi_requests_total{transport="fcgi",code="200",issuer="",status="internalError"}`: 1,
		`ocspcgi_refused_total{reason="method"}`:                                               1,
		`ocspcgi_refused_total{reason="size"}`:                                                 1,
		`ocspcgi_refused_total{reason="type"}`:                                                 1,
		`ocspcgi_refused_total{reason="malformed"}`:                                            1,
		`ocspcgi_refused_total{reason="unsigned"}`:                                             1,
		`ocspcgi_refused_total{reason="not_served"}`:                                           1,
		`ocspcgi_refused_total{reason="fault"}`:                                                1,
		`ocspcgi_refused_total{reason="index"}`:                                                1,
		`ocspcgi_refused_total{reason="signer"}`:                                               1,
		`ocspcgi_refused_total{reason="overload"}`:                                             1,
		`ocspcgi_request_duration_seconds_bucket{le="0.00001"}`:                                15,
		`ocspcgi_request_duration_seconds_bucket{le="0.0025"}`:                                 16,
		`ocspcgi_request_duration_seconds_bucket{le="10"}`:                                     16,
		`ocspcgi_request_duration_seconds_bucket{le="+Inf"}`:                                   17,
		`ocspcgi_request_duration_seconds_count`:                                               17,
		`ocspcgi_request_duration_seconds_sum`:                                                 60.002016,
		`ocspcgi_cache_hits_total`:                                                             2,
		`ocspcgi_cache_misses_total`:                                                           1,
		`ocspcgi_connection_faults_total`:                                                      1,
		`ocspcgi_index_believed{index="` + ca.Index + `"}`:                                     1,
		`ocspcgi_index_rows{index="` + ca.Index + `"}`:                                         1,
		`ocspcgi_index_reads_total{index="` + ca.Index + `",result="used"}`:                    1,
		`ocspcgi_index_reads_total{index="` + ca.Index + `",result="refused"}`:                 0,
		`ocspcgi_issuer_able{issuer="a \"quoted\" <b>\\name"}`:                                 1,
		`process_start_time_seconds`:                                                           float64(start.Unix()),
	} {
		if value, there := got[sample]; !there || value != want {
			t.Errorf("%s is %v (%v), want %v", sample, value, there, want)
		}
	}
}

// parse reads the text format of Prometheus as strictly as it is described, and
// returns the samples.
func parse(t *testing.T, text string) map[string]float64 {
	t.Helper()
	const label = `[a-z_]+="(?:[^"\\\n]|\\[\\"n])*"`
	line := regexp.MustCompile(`^([a-z_]+)((?:\{` + label + `(?:,` + label + `)*\})?) (-?[0-9.]+)$`)
	samples, families, family, kind := map[string]float64{}, map[string]bool{}, "", ""
	if !strings.HasSuffix(text, "\n") {
		t.Error("the last line has no end")
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		if name, ok := strings.CutPrefix(lines[i], "# HELP "); ok {
			family, _, _ = strings.Cut(name, " ")
			i++
			if kind, ok = strings.CutPrefix(lines[i], "# TYPE "+family+" "); !ok || families[family] {
				t.Errorf("%q follows the help of %s", lines[i], family)
			}
			families[family] = true
			if (kind == "counter") != strings.HasSuffix(family, "_total") {
				t.Errorf("%s is a %s", family, kind)
			}
			continue
		}
		m := line.FindStringSubmatch(lines[i])
		if m == nil {
			t.Errorf("no sample: %q", lines[i])
			continue
		}
		name := m[1]
		if kind == "histogram" {
			name = regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "")
		}
		value, err := strconv.ParseFloat(m[3], 64)
		if _, twice := samples[m[1]+m[2]]; twice || err != nil || name != family {
			t.Errorf("twice, no number, or not of %s: %q", family, lines[i])
		}
		samples[m[1]+m[2]] = value
	}
	return samples
}

func TestCountingDoesNotAllocate(t *testing.T) {
	now := start
	m, _ := newMetrics(t, &now)
	rec := record(about("CA", "good"), 200, time.Millisecond)
	m.Request(rec)
	if n := testing.AllocsPerRun(100, func() { m.Request(rec) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestCountingTogether(t *testing.T) {
	now := start
	m, _ := newMetrics(t, &now)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 1000 {
				m.Request(record(about(fmt.Sprint("CA ", (i+j)%5), "good"), 200, 0))
				if j%100 == 0 {
					m.Minutes()
				}
			}
		})
	}
	all.Wait()
	if n := m.Total().Answers.Good; n != 8000 {
		t.Errorf("counted %d of 8000", n)
	}
	var sum uint64
	for _, minute := range m.Minutes() {
		sum += minute.Answers.Good
	}
	if sum != 8000 {
		t.Errorf("remembers %d of 8000", sum)
	}
}

func TestMinutes(t *testing.T) {
	now := start
	m, _ := newMetrics(t, &now)
	ask := func(n int) {
		for range n {
			m.Request(record(about("CA", "good"), 200, 30*time.Microsecond))
		}
		m.Minutes()
	}
	last := func(n int) uint64 {
		minutes := m.Minutes()
		return minutes[len(minutes)-n].Answers.Good
	}
	ask(3)
	now = now.Add(time.Minute)
	ask(5)
	ask(2)
	if minutes := m.Minutes(); len(minutes) != int(metrics.Span/time.Minute) || !minutes[len(minutes)-1].Start.Equal(start.Add(30*time.Second)) {
		t.Errorf("%d minutes, the last from %v", len(minutes), minutes[len(minutes)-1].Start)
	}
	if last(1) != 7 || last(2) != 3 || last(3) != 0 {
		t.Errorf("%d, %d, %d in the last minutes, want 7, 3, 0", last(1), last(2), last(3))
	}
	now = now.Add(metrics.Span - time.Minute)
	if minutes := m.Minutes(); minutes[0].Answers.Good != 7 || last(1) != 0 {
		t.Errorf("%d in the oldest minute, %d in the newest", minutes[0].Answers.Good, last(1))
	}
	now = now.Add(time.Minute)
	if minutes := m.Minutes(); minutes[0].Answers.Good != 0 {
		t.Errorf("%d in a minute that is over", minutes[0].Answers.Good)
	}
	total := m.Total()
	if q := total.Took.Quantile(0.5); q != 50*time.Microsecond {
		t.Errorf("half of the answers took %v", q)
	}
}

var metric = regexp.MustCompile(`\b(?:ocspcgi|process)_[a-z_]+\b`)

// What the dashboard and the alerts speak of is told.
func TestDashboardAndAlerts(t *testing.T) {
	now := start
	m, _ := newMetrics(t, &now)
	m.Request(record(nil, 405, 0))
	m.Reload(reload.Event{Where: "here", Err: errors.New("x")})
	var told []string
	for sample := range parse(t, m.Text()) {
		name, _, _ := strings.Cut(sample, "{")
		told = append(told, name)
	}
	for file, least := range map[string]int{"../package/grafana.json": 15, "../package/prometheus-rules.yml": 7, "../command/help/admin.txt": 15} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, ".json") && !json.Valid(text) {
			t.Errorf("%s is no JSON", file)
		}
		names := slices.Sorted(slices.Values(metric.FindAllString(string(text), -1)))
		names = slices.Compact(names)
		if len(names) < least {
			t.Errorf("%s names %d metrics", file, len(names))
		}
		for _, name := range names {
			if !slices.Contains(told, name) && !slices.Contains(told, name+"_count") {
				t.Errorf("%s names %s, which is not told", file, name)
			}
		}
	}
}

// BenchmarkRequest is what counting adds to each answer.
func BenchmarkRequest(b *testing.B) {
	m := &metrics.Metrics{}
	answer := about("Example CA", "good")
	answer.Cached = true
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		rec := record(answer, 200, 7*time.Microsecond)
		for pb.Next() {
			m.Request(rec)
		}
	})
}
