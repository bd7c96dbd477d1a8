package metrics

import (
	"cmp"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ContentType is that of Text.
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// text is metrics in the text format of Prometheus, version 0.0.4.
type text struct {
	strings.Builder
	name string              // of the family
	told map[string]struct{} // its samples: one that came twice would spoil all
}

// family begins a metric. The help has no line end and no backslash.
func (t *text) family(name, kind, help string) {
	t.name, t.told = name, map[string]struct{}{}
	t.WriteString("# HELP " + name + " " + help + "\n# TYPE " + name + " " + kind + "\n")
}

var escape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// sample writes a value; suffix is that of a histogram's series, labels are
// names and values in turn.
func (t *text) sample(suffix string, value float64, labels ...string) {
	var b strings.Builder
	b.WriteString(t.name + suffix)
	for i := 0; i+1 < len(labels); i += 2 {
		b.WriteByte("{,"[min(i, 1)])
		b.WriteString(labels[i] + `="` + escape.Replace(strings.ToValidUTF8(labels[i+1], "\uFFFD")) + `"`)
	}
	if len(labels) > 0 {
		b.WriteByte('}')
	}
	if _, twice := t.told[b.String()]; twice {
		return
	}
	t.told[b.String()] = struct{}{}
	t.WriteString(b.String() + " " + strconv.FormatFloat(value, 'f', -1, 64) + "\n")
}

// count writes a family of one counter.
func (t *text) count(name, help string, value uint64) {
	t.family(name, "counter", help)
	t.sample("", float64(value))
}

// Text returns all metrics in the text format of Prometheus.
func (m *Metrics) Text() string {
	var t text
	m.writeRequests(&t)
	m.writeDurations(&t)
	t.count("ocspcgi_connection_faults_total", "Faults of connections, and panics; the log tells them.", m.faults.Load())
	m.writeReads(&t)
	m.writeSigning(&t)
	m.writeIndexes(&t)
	m.writeSigners(&t)
	t.family("ocspcgi_build_info", "gauge", "The program's version; the value is 1.")
	t.sample("", 1, "version", m.Version, "goversion", runtime.Version())
	t.family("go_goroutines", "gauge", "Goroutines of the process: connections, and a few of its own.")
	t.sample("", float64(runtime.NumGoroutine()))
	t.family("process_start_time_seconds", "gauge", "When the process was started, in seconds since 1970.")
	t.sample("", seconds(m.Started))
	return t.String()
}

func (m *Metrics) writeRequests(t *text) {
	t.family("ocspcgi_requests_total", "counter", "Requests answered, by what was said: good, revoked, unknown, mixed, page, or the OCSP status that is not successful.")
	counts, ways := map[request]uint64{}, map[how]uint64{}
	for r, n := range m.requests.counts() {
		ways[r.how] += n
		r.how = neither
		counts[r] += n
	}
	for _, r := range slices.SortedFunc(maps.Keys(counts), func(a, b request) int {
		return cmp.Or(cmp.Compare(a.transport, b.transport), cmp.Compare(a.code, b.code), cmp.Compare(a.issuer, b.issuer), cmp.Compare(a.status, b.status))
	}) {
		t.sample("", float64(counts[r]), "transport", r.transport, "code", strconv.Itoa(r.code), "issuer", r.issuer, "status", r.status)
	}
	t.family("ocspcgi_refused_total", "counter", "Requests without a status in their answer, by reason: malformed, unsigned, not_served, index, overload, signer, stopping, fault, and of HTTP method, size, type.")
	refused := m.refused.counts()
	for _, reason := range slices.Sorted(maps.Keys(refused)) {
		t.sample("", float64(refused[reason]), "reason", reason)
	}
	t.count("ocspcgi_cache_hits_total", "Answers given again that were signed before.", ways[kept])
	t.count("ocspcgi_cache_misses_total", "Answers signed that may be given again.", ways[made])
}

func (m *Metrics) writeDurations(t *text) {
	t.family("ocspcgi_request_duration_seconds", "histogram", "From a request that was read to its answer.")
	sum, counts, below := m.took.sum.Load(), m.took.counts(), uint64(0)
	for i, bound := range bounds {
		below += counts[i]
		t.sample("_bucket", float64(below), "le", strconv.FormatFloat(bound.Seconds(), 'f', -1, 64))
	}
	below += counts[len(bounds)]
	t.sample("_bucket", float64(below), "le", "+Inf")
	t.sample("_sum", time.Duration(sum).Seconds())
	t.sample("_count", float64(below))
}

// writeReads writes counters of zero too, for who looks for an increase.
func (m *Metrics) writeReads(t *text) {
	counts := m.reads.counts()
	for _, f := range [][3]string{
		{"index", "ocspcgi_index_reads_total", "Readings of an index, by whether it was believed (used) or not (refused)."},
		{"issuer", "ocspcgi_issuer_reads_total", "Readings of changed certificates and keys, by whether they were used or refused."},
	} {
		t.family(f[1], "counter", f[2])
		label := map[string]string{"index": "index", "issuer": "where"}[f[0]]
		for _, r := range slices.SortedFunc(maps.Keys(counts), func(a, b read) int { return cmp.Compare(a.where, b.where) }) {
			if r.what == f[0] {
				t.sample("", float64(counts[read{r.where, r.what, true}]), label, r.where, "result", "used")
				t.sample("", float64(counts[read{r.where, r.what, false}]), label, r.where, "result", "refused")
			}
		}
	}
}

// seconds since 1970; 0 for the zero time.
func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}
