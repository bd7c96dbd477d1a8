package wire_test

import (
	"strings"
	"testing"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/wire"
)

func TestReasons(t *testing.T) {
	for reason, want := range map[int]string{-1: "", 0: "unspecified", 1: "keyCompromise", 2: "CACompromise", 6: "certificateHold", 7: "", 8: "removeFromCRL", 10: "AACompromise", 11: ""} {
		if got := wire.ReasonName(reason); got != want {
			t.Errorf("%d is %q, want %q", reason, got, want)
		}
		if got, ok := wire.ParseReason(strings.ToUpper(want)); ok != (want != "") || ok && got != reason {
			t.Errorf("%q is %d (%v), want %d", want, got, ok, reason)
		}
	}
}

func TestStatusName(t *testing.T) {
	for status, want := range map[ocsp.ResponseStatus]string{0: "successful", 3: "tryLater", 6: "unauthorized", 4: "4, which is no status", 7: "7, which is no status", -1: "-1, which is no status"} {
		if got := wire.StatusName(status); got != want {
			t.Errorf("%d is %q, want %q", int(status), got, want)
		}
	}
}
