package ocsphttp

import (
	"bytes"
	"strconv"
)

// SetVariable puts a CGI meta-variable (RFC 3875 §4.1) into its place. One that
// nothing is made of is passed over.
func (r *Request) SetVariable(name, value []byte) {
	switch string(name) {
	case "REQUEST_METHOD":
		r.Method = value
	case "REQUEST_URI":
		r.URI = value
	case "SCRIPT_NAME":
		r.ScriptName = value
	case "PATH_INFO":
		r.PathInfo = value
	case "CONTENT_TYPE":
		r.ContentType = value
	case "HTTP_IF_NONE_MATCH":
		r.IfNoneMatch = value
	case "HTTP_IF_MODIFIED_SINCE":
		r.IfModifiedSince = value
	case "HTTP_HOST":
		r.Host = value
	case "REMOTE_ADDR":
		r.RemoteAddr = value
	}
}

// Variables returns the names that SetVariable makes something of.
func Variables() []string {
	return []string{"REQUEST_METHOD", "REQUEST_URI", "SCRIPT_NAME", "PATH_INFO", "CONTENT_TYPE",
		"HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_HOST", "REMOTE_ADDR"}
}

// UntilEnd is the length of a body that goes to the end of its stream.
const UntilEnd = -1

// BodyLength reads CONTENT_LENGTH (RFC 3875 §4.1.2). Absent, empty (Apache and
// nginx, for a chunked body) and negative (Caddy) mean UntilEnd. It is not ok
// for what is no number, or a larger one than can be.
func BodyLength(value []byte) (n int64, ok bool) {
	if len(value) == 0 {
		return UntilEnd, true
	}
	digits, negative := bytes.CutPrefix(value, []byte("-"))
	u, err := strconv.ParseUint(string(digits), 10, 63)
	if err != nil {
		return 0, false
	}
	if negative {
		return UntilEnd, true
	}
	return int64(u), true
}
