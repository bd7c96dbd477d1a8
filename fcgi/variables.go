package fcgi

import (
	"bytes"
	"errors"
	"strconv"

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
// no number, or a larger one than can be.
func bodyLength(value []byte) (n int64, ok bool) {
	if len(value) == 0 {
		return untilEnd, true
	}
	digits, negative := bytes.CutPrefix(value, []byte("-"))
	u, err := strconv.ParseUint(string(digits), 10, 63)
	if err != nil {
		return 0, false
	}
	if negative {
		return untilEnd, true
	}
	return int64(u), true
}
