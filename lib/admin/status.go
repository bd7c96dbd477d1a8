package admin

import (
	"time"

	"ocspcgi/lib/metrics"
	"ocspcgi/lib/reload"
)

// Status is what /status tells, as JSON. Times are RFC 3339 in UTC.
type Status struct {
	Version    string         `json:"version"`
	Started    time.Time      `json:"started"`
	Now        time.Time      `json:"now"`
	Ready      bool           `json:"ready"`
	Missing    []string       `json:"missing"`  // what /readyz lists
	Requests   metrics.Totals `json:"requests"` // since the start
	Signatures Signatures     `json:"signatures"`
	CacheBytes int64          `json:"cache_bytes"`
	Issuers    []Issuer       `json:"issuers"`
}

// Signatures counts those of answers since the start.
type Signatures struct {
	Made   uint64 `json:"made"`
	Failed uint64 `json:"failed"`
}

// Issuer is one CA that is answered for.
type Issuer struct {
	Name    string   `json:"name"`
	Able    bool     `json:"able"` // a signer is valid now
	Signers []Signer `json:"signers"`
	Index   Index    `json:"index"`
}

// Signer is who signs for an Issuer.
type Signer struct {
	Path     string    `json:"path"`
	NotAfter time.Time `json:"not_after"`
	DaysLeft int       `json:"days_left"` // whole days; negative: expired
}

// Index is what came of looking at an index last.
type Index struct {
	Path       string     `json:"path"`
	Believed   bool       `json:"believed"`
	Error      string     `json:"error,omitempty"` // why not
	Rows       int        `json:"rows"`
	Faults     int        `json:"faults"` // rows that are doubtful or forgotten
	Generation uint64     `json:"generation"`
	Modified   *time.Time `json:"modified"` // null: none was read
}

func (a *Admin) status() *Status {
	m := a.Metrics
	missing := a.missing()
	if missing == nil {
		missing = []string{} // not null
	}
	s := &Status{
		Version: m.Version, Started: m.Started.UTC(), Now: a.now().UTC(),
		Ready: len(missing) == 0, Missing: missing,
		Requests: m.Total().Answers, CacheBytes: m.Keeper.Responder.Kept(), Issuers: []Issuer{},
	}
	s.Signatures.Made, s.Signatures.Failed = m.Keeper.Responder.Signatures()
	for _, state := range m.Keeper.States() {
		s.Issuers = append(s.Issuers, issuerOf(state, a.now()))
	}
	return s
}

func issuerOf(state reload.State, now time.Time) Issuer {
	report := state.Index
	i := Issuer{
		Name: state.Issuer.Name, Able: state.Issuer.Able(now) == nil, Signers: []Signer{},
		Index: Index{Path: report.Path, Believed: report.Believed, Rows: report.Rows, Faults: report.Count, Generation: report.Generation},
	}
	if report.Err != nil {
		i.Index.Error = oneLine(report.Err.Error())
	}
	if !report.Modified.IsZero() {
		i.Index.Modified = &report.Modified
	}
	for _, s := range state.Issuer.Signers() {
		i.Signers = append(i.Signers, Signer{s.Path, s.Certificate.NotAfter.UTC(), daysLeft(s.Certificate.NotAfter, now)})
	}
	return i
}

// daysLeft counts whole days, down: the last hours of a certificate are 0.
func daysLeft(end, now time.Time) int {
	left := end.Sub(now)
	days := int(left / (24 * time.Hour))
	if left < 0 {
		days--
	}
	return days
}
