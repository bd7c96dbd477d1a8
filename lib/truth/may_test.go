package truth_test

import (
	"slices"
	"testing"
	"time"

	"ocspcgi/lib/wire"
)

// TestMay asks before, while and after a certificate is revoked, and released.
func TestMay(t *testing.T) {
	zero := time.Now()
	at := func(seconds float64) time.Time { return zero.Add(time.Duration(seconds * float64(time.Second))) }
	off := claim{status: wire.Revoked, revoked: 1, reason: 6}
	h := history{states: map[string][]state{"01": {
		{claim: never},
		{claim: good, began: at(0), finished: at(0)},
		{claim: off, began: at(10), finished: at(12)},
		{claim: good, began: at(20)},
	}}}
	for _, test := range []struct {
		name            string
		serial          string
		asked, answered float64
		grace           time.Duration
		want            []claim
	}{
		{"never issued", "02", 1, 2, 0, []claim{never}},
		{"issued", "01", 1, 2, 0, []claim{good}},
		{"issued a moment ago", "01", 0.5, 0.6, time.Second, []claim{never, good}},
		{"before it is revoked", "01", 9, 9.9, 0, []claim{good}},
		{"asked before, answered meanwhile", "01", 9, 11, 0, []claim{good, off}},
		{"meanwhile", "01", 11, 13, 0, []claim{good, off}},
		{"once it is revoked", "01", 12.1, 13, 0, []claim{off}},
		{"within a second", "01", 12.9, 14, time.Second, []claim{good, off}},
		{"after a second", "01", 13.1, 14, time.Second, []claim{off}},
		{"while it is released", "01", 30, 31, time.Second, []claim{off, good}},
	} {
		if got := h.may(test.serial, at(test.asked), at(test.answered), test.grace); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}
