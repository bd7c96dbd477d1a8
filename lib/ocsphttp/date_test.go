package ocsphttp

import (
	"testing"
	"time"
)

// The fast path writes what the plain way writes.
func FuzzHTTPDate(f *testing.F) {
	for _, seconds := range []int64{0, -1, 951782400, 951868799, 1795219200, 253402300799, 253402300800, -62167219201, 4102444799,
		-62135596800, -2208988800, 68169599, 68169600, 946684799, 946684800, 1234567890, 1<<31 - 1, 1 << 31, 1582934400, 1709164799,
		2524607999, 2524608000, 4107542399, 4107542400, 1<<40 - 1} {
		f.Add(seconds)
	}
	f.Fuzz(func(t *testing.T, seconds int64) {
		at := time.Unix(seconds%(1<<40), 0).UTC()
		if got, want := string(appendHTTPDate(nil, at)), at.Format(httpDate); got != want {
			t.Errorf("%d is %q, want %q", seconds, got, want)
		}
	})
}

func TestHTTPDate(t *testing.T) {
	at := time.Date(1999, 12, 31, 23, 59, 59, 0, time.UTC)
	for range 5000 { // more than a cycle of leap years, at all times of day
		if got, want := string(appendHTTPDate(nil, at)), at.Format(httpDate); got != want {
			t.Fatalf("%q, want %q", got, want)
		}
		at = at.Add(31*time.Hour + 7*time.Minute + 11*time.Second)
	}
}
