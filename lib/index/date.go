package index

import "time"

// parseTime reads a UTCTime (with or without seconds) or a GeneralizedTime
// (with or without a fraction, which is dropped), ended by Z or by +hhmm or
// -hhmm. Two-digit years from 50 on are 19yy (RFC 5280 §4.1.2.5.1).
func parseTime(b []byte) (time.Time, bool) {
	var f [7]int // pairs: century, year, month, day, hour, minute, second
	n := 0
	for n < len(b) && '0' <= b[n] && b[n] <= '9' {
		n++
	}
	zone, ok := parseZone(b[n:], n == 14)
	if !ok || n != 10 && n != 12 && n != 14 {
		return time.Time{}, false
	}
	first := 1
	if n == 14 {
		first = 0
	}
	for i := range n / 2 {
		f[first+i] = pair(b[2*i:])
	}
	if first == 1 {
		f[0] = 20
		if f[1] >= 50 {
			f[0] = 19
		}
	}
	if f[2] < 1 || f[2] > 12 || f[4] > 23 || f[5] > 59 || f[6] > 59 {
		return time.Time{}, false
	}
	t := time.Date(100*f[0]+f[1], time.Month(f[2]), f[3], f[4], f[5], f[6], 0, time.UTC)
	if t.Day() != f[3] {
		return time.Time{}, false
	}
	t = time.Unix(t.Unix()-int64(zone), 0).UTC()
	return t, !t.IsZero() // the year 1 is how an Entry says that there is no time
}

// parseZone returns the seconds that a time is ahead of UTC.
func parseZone(b []byte, fraction bool) (int, bool) {
	if len(b) == 1 && b[0] == 'Z' {
		return 0, true
	}
	if fraction && len(b) > 2 && (b[0] == '.' || b[0] == ',') && isDigits(b[1:2]) {
		i := 2
		for i < len(b) && isDigits(b[i:i+1]) {
			i++
		}
		return parseZone(b[i:], false)
	}
	if len(b) != 5 || b[0] != '+' && b[0] != '-' || !isDigits(b[1:]) {
		return 0, false
	}
	hours, minutes := pair(b[1:]), pair(b[3:])
	if hours > 14 || minutes > 59 {
		return 0, false
	}
	if b[0] == '-' {
		return -3600*hours - 60*minutes, true
	}
	return 3600*hours + 60*minutes, true
}

func pair(b []byte) int { return 10*int(b[0]-'0') + int(b[1]-'0') }

func isDigits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
