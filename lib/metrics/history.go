package metrics

import (
	"context"
	"sync"
	"time"
)

// Span is how long is remembered what was counted in each minute.
const Span = 6 * time.Hour

const (
	minutes = int64(Span / time.Minute)
	// sampling is how often what was counted is put into its minute.
	sampling = 5 * time.Second
)

// Totals are requests by what they were answered with.
type Totals struct {
	Good    uint64 `json:"good"`
	Revoked uint64 `json:"revoked"`
	Unknown uint64 `json:"unknown"`
	Mixed   uint64 `json:"mixed"`   // several certificates of more than one status
	Refused uint64 `json:"refused"` // an unsuccessful OCSP answer
	Other   uint64 `json:"other"`   // the page, or an HTTP status alone
}

// All is how many they are together.
func (t *Totals) All() uint64 {
	return t.Good + t.Revoked + t.Unknown + t.Mixed + t.Refused + t.Other
}

// Minute is what was counted in a minute, or since the start.
type Minute struct {
	Start    time.Time
	Answers  Totals
	Took     Durations
	Believed uint64 // files that were read and used
	Doubted  uint64 // files that were read and not used
}

// history is a ring of minutes.
type history struct {
	mu   sync.Mutex
	ring [minutes]Minute
	last Minute // what was counted when it was looked at last
}

// Run puts what is counted into its minute until ctx is done.
func (m *Metrics) Run(ctx context.Context) {
	tick := time.NewTicker(sampling)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			m.Minutes()
		}
	}
}

// Minutes returns the minutes of the Span up to now, the oldest first. What was
// counted since the last call is taken for this minute's.
func (m *Metrics) Minutes() []Minute {
	h := &m.history
	h.mu.Lock()
	defer h.mu.Unlock()
	now := m.now().Unix() / 60
	total := m.Total()
	slot := h.slot(now)
	if start := minuteOf(now); !slot.Start.Equal(start) {
		*slot = Minute{Start: start}
	}
	slot.add(&total, &h.last)
	h.last = total
	out := make([]Minute, 0, minutes)
	for minute := now - minutes + 1; minute <= now; minute++ {
		if s := h.slot(minute); s.Start.Equal(minuteOf(minute)) {
			out = append(out, *s)
		} else {
			out = append(out, Minute{Start: minuteOf(minute)})
		}
	}
	return out
}

func (h *history) slot(minute int64) *Minute { return &h.ring[(minute%minutes+minutes)%minutes] }

func minuteOf(minute int64) time.Time { return time.Unix(minute*60, 0).UTC() }

// Total returns what was counted since the start.
func (m *Metrics) Total() Minute {
	t := Minute{Start: m.Started, Took: m.took.counts()}
	for r, n := range m.requests.counts() {
		*t.Answers.of(r.status) += n
	}
	for r, n := range m.reads.counts() {
		if r.used {
			t.Believed += n
		} else {
			t.Doubted += n
		}
	}
	return t
}

func (t *Totals) of(status string) *uint64 {
	switch status {
	case "good":
		return &t.Good
	case "revoked":
		return &t.Revoked
	case "unknown":
		return &t.Unknown
	case mixed:
		return &t.Mixed
	case page:
		return &t.Other
	}
	return &t.Refused
}

// add adds what total has more than last.
func (t *Minute) add(total, last *Minute) {
	t.Answers.Good += total.Answers.Good - last.Answers.Good
	t.Answers.Revoked += total.Answers.Revoked - last.Answers.Revoked
	t.Answers.Unknown += total.Answers.Unknown - last.Answers.Unknown
	t.Answers.Mixed += total.Answers.Mixed - last.Answers.Mixed
	t.Answers.Refused += total.Answers.Refused - last.Answers.Refused
	t.Answers.Other += total.Answers.Other - last.Answers.Other
	for i := range t.Took {
		t.Took[i] += total.Took[i] - last.Took[i]
	}
	t.Believed += total.Believed - last.Believed
	t.Doubted += total.Doubted - last.Doubted
}

// Merge makes one of several minutes.
func Merge(minutes []Minute) (sum Minute) {
	for i := range minutes {
		if i == 0 {
			sum.Start = minutes[0].Start
		}
		sum.add(&minutes[i], &Minute{})
	}
	return sum
}
