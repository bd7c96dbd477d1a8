package fcgi

import (
	"errors"

	"ocspcgi/lib/ocsphttp"
)

var errParams = errors.New("PARAMS with a length that is not true")

// untilEnd is the length of a body that goes to the end of its stream.
const untilEnd = -1

// readParams fills req from the PARAMS stream, where the last of a repeated
// name counts, and returns the value of CONTENT_LENGTH.
func readParams(params []byte, req *ocsphttp.Request) (contentLength []byte, err error) {
	for len(params) > 0 {
		name, value, rest, ok := nextPair(params)
		if !ok {
			return nil, errParams
		}
		params = rest
		switch string(name) {
		case "REQUEST_METHOD":
			req.Method = value
		case "REQUEST_URI":
			req.URI = value
		case "SCRIPT_NAME":
			req.ScriptName = value
		case "PATH_INFO":
			req.PathInfo = value
		case "CONTENT_TYPE":
			req.ContentType = value
		case "CONTENT_LENGTH":
			contentLength = value
		case "HTTP_IF_NONE_MATCH":
			req.IfNoneMatch = value
		case "HTTP_IF_MODIFIED_SINCE":
			req.IfModifiedSince = value
		case "REMOTE_ADDR":
			req.RemoteAddr = value
		}
	}
	return contentLength, nil
}

// bodyLength reads CONTENT_LENGTH (RFC 3875 §4.1.2). Absent, empty (nginx) and
// negative (Caddy, for a chunked body) mean untilEnd. It is not ok for what is
// no number and for one of more than 18 digits.
func bodyLength(value []byte) (n int64, ok bool) {
	digits := value
	if len(value) > 0 && value[0] == '-' {
		digits = value[1:]
	}
	for _, d := range digits {
		if d < '0' || d > '9' {
			return 0, false
		}
		n = n*10 + int64(d-'0')
	}
	switch {
	case len(value) == 0:
		return untilEnd, true
	case len(digits) == 0 || len(digits) > 18:
		return 0, false
	case len(digits) < len(value):
		return untilEnd, true
	}
	return n, true
}
