package index

import "time"

// What a response can hold are the years 0 to 9999, in seconds from 1970.
const (
	earliest = -62167219200
	latest   = 253402300799
)

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
	year, month, day := 100*f[0]+f[1], f[2], f[3]
	if month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || f[4] > 23 || f[5] > 59 || f[6] > 59 {
		return time.Time{}, false
	}
	seconds := int64(86400*daysTo(year, month, day) + 3600*f[4] + 60*f[5] + f[6] - zone)
	if seconds < earliest || seconds > latest {
		return time.Time{}, false // by its zone
	}
	t := time.Unix(seconds, 0).UTC()
	return t, !t.IsZero() // the year 1 is how an Entry says that there is no time
}

func daysIn(year, month int) int {
	if month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		return 29
	}
	return int("\x1f\x1c\x1f\x1e\x1f\x1e\x1f\x1f\x1e\x1f\x1e\x1f"[month-1])
}

// daysTo counts the days from 1970-01-01. It takes a fifth of the time that
// [time.Date] does, which shows in an index of millions of rows.
func daysTo(year, month, day int) int {
	year += 400 // no quotient below is negative
	if month < 3 {
		year, month = year-1, month+12 // the leap day ends a year that begins in March
	}
	return 365*year + year/4 - year/100 + year/400 + (153*month-457)/5 + day - 865566
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
