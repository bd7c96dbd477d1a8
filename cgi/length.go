package cgi

import (
	"strconv"
	"strings"
)

// untilEnd is the length of a body that goes to the end of stdin.
const untilEnd = -1

// bodyLength reads CONTENT_LENGTH (RFC 3875 §4.1.2). Absent, empty (Apache and
// nginx, for a chunked body) and negative (Caddy) mean untilEnd. It is not ok
// for what is no number, or a larger one than can be.
func bodyLength(value string) (n int64, ok bool) {
	if value == "" {
		return untilEnd, true
	}
	digits, negative := strings.CutPrefix(value, "-")
	u, err := strconv.ParseUint(digits, 10, 63)
	if err != nil {
		return 0, false
	}
	if negative {
		return untilEnd, true
	}
	return int64(u), true
}
