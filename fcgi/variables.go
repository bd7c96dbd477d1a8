package fcgi

import (
	"errors"

	"ocspcgi/lib/ocsphttp"
)

var errParams = errors.New("PARAMS with a length that is not true")

// readParams fills req from the PARAMS stream, where the last of a repeated
// name counts, and returns the value of CONTENT_LENGTH.
func readParams(params []byte, req *ocsphttp.Request) (contentLength []byte, err error) {
	for len(params) > 0 {
		name, value, rest, ok := nextPair(params)
		if !ok {
			return nil, errParams
		}
		params = rest
		if string(name) == "CONTENT_LENGTH" {
			contentLength = value
			continue
		}
		req.SetVariable(name, value)
	}
	return contentLength, nil
}
