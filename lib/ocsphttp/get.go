package ocsphttp

import (
	"bytes"
	"encoding/base64"
	"iter"
)

// A GET carries its request as base64 behind the responder's address (RFC 6960
// A.1). Where that address ends is not known: no web server tells the program
// its mount reliably. But a DER SEQUENCE begins with M in base64, and says its
// own length: each place behind a slash that begins with M is tried, and the
// one counts whose DER is as long as the path.

// leastAttempt is how many characters of base64 a path ends in, from an M on,
// for it to be a request that failed, not a page that somebody looks for.
const leastAttempt = 16

// attempt is what was found in the path of a GET.
type attempt int

const (
	noAttempt attempt = iota // a page is asked for
	failed                   // a request, but not one that can be decoded
	decoded                  // a request
)

// requestInPath finds the OCSPRequest in the path of a GET. The DER lies in
// resp's room, as does the decoded path.
func requestInPath(req *Request, resp *Response) ([]byte, attempt) {
	if len(req.URI) > 0 {
		resp.path = unescape(append(resp.path[:0], pathOf(req.URI)...))
	} else {
		resp.path = unescape(append(append(resp.path[:0], req.ScriptName...), req.PathInfo...))
	}
	found := noAttempt
	from, to := decodable(resp.path)
	for start := range candidates(resp.path) {
		suffix := resp.path[start:]
		if start >= from {
			if der, ok := decodeExact(suffix, to-start, resp.decoded[:0]); ok {
				resp.decoded = der
				return der, decoded
			}
		}
		if len(suffix) >= leastAttempt {
			found = failed
		}
	}
	return nil, found
}

// pathOf cuts a request target down to its path: without query, fragment, and
// the scheme and authority of an absolute form.
func pathOf(uri []byte) []byte {
	if i := bytes.IndexAny(uri, "?#"); i >= 0 {
		uri = uri[:i]
	}
	if len(uri) > 0 && uri[0] != '/' {
		if i := bytes.Index(uri, []byte("://")); i >= 0 {
			rest := uri[i+3:]
			slash := bytes.IndexByte(rest, '/')
			if slash < 0 {
				return nil
			}
			return rest[slash:]
		}
	}
	return uri
}

// unescape decodes percent-encoding in place, twice at the most: some clients
// encode what they were given encoded, and base64 has no percent sign. What
// is no escape stays as it is. A space stands for the plus it once was.
func unescape(path []byte) []byte {
	for range 2 {
		if bytes.IndexByte(path, '%') < 0 {
			break
		}
		path = unescapeOnce(path)
	}
	for i, c := range path {
		if c == ' ' {
			path[i] = '+'
		}
	}
	return path
}

func unescapeOnce(path []byte) []byte {
	out := path[:0]
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c == '%' && i+2 < len(path) {
			high, low := unhex(path[i+1]), unhex(path[i+2])
			if high < 16 && low < 16 {
				c = high<<4 | low
				i += 2
			}
		}
		out = append(out, c)
	}
	return out
}

func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 16
}

// candidates yields where in path a request may begin: at an M behind a slash,
// with nothing but base64 from there on.
func candidates(path []byte) iter.Seq[int] {
	return func(yield func(int) bool) {
		clean := len(path)
		for clean > 0 && (isBase64(path[clean-1]) || path[clean-1] == '=') {
			clean--
		}
		for i := max(clean, 1); i < len(path); i++ {
			if path[i] == 'M' && path[i-1] == '/' && !yield(i) {
				return
			}
		}
	}
}

// decodable returns the stretch at the end of path that is base64 in one alphabet,
// with padding behind it at the most. So what cannot be decoded is not tried from
// each place in a long path.
func decodable(path []byte) (from, to int) {
	to = len(path)
	unpadded := bytes.TrimSuffix(path, []byte{'/'})
	for n := 0; n < 2 && bytes.HasSuffix(unpadded, []byte{'='}); n++ {
		unpadded = unpadded[:len(unpadded)-1]
		to = len(unpadded)
	}
	standard, url := false, false
	for from = len(unpadded); from > 0 && isBase64(path[from-1]); from-- {
		standard = standard || path[from-1] == '+' || path[from-1] == '/'
		url = url || path[from-1] == '-' || path[from-1] == '_'
		if standard && url {
			break
		}
	}
	return from, to
}

// decodeExact decodes s into dst if s is the base64 (standard or URL alphabet,
// padded or not, perhaps with one slash more) of one DER SEQUENCE that is as
// long as it says. The base64 has no more characters than most.
func decodeExact(s []byte, most int, dst []byte) ([]byte, bool) {
	size, ok := announced(s)
	if !ok {
		return nil, false
	}
	chars := (size*4 + 2) / 3
	if chars > most || !isTail(s[chars:]) {
		return nil, false
	}
	return decodeBase64(s[:chars], dst)
}

// isTail reports whether s is what may follow the last character of a request.
func isTail(s []byte) bool {
	for n := 0; n < 2 && len(s) > 0 && s[0] == '='; n++ {
		s = s[1:]
	}
	return len(s) == 0 || len(s) == 1 && s[0] == '/'
}

// announced returns the length in bytes that the DER in s says it has.
func announced(s []byte) (int, bool) {
	const header = 8 // characters: tag, length octets up to two
	var room [6]byte
	if len(s) < header {
		return 0, false
	}
	der, ok := decodeBase64(s[:header], room[:0])
	if !ok || der[0] != 0x30 {
		return 0, false
	}
	switch length := int(der[1]); {
	case length < 0x80:
		return 2 + length, true
	case length == 0x81:
		return 3 + int(der[2]), true
	case length == 0x82:
		return 4 + int(der[2])<<8 + int(der[3]), true
	}
	return 0, false
}

// decodeBase64 decodes s without padding, in either alphabet, behind dst.
func decodeBase64(s, dst []byte) ([]byte, bool) {
	encoding := base64.RawStdEncoding
	if bytes.ContainsAny(s, "-_") {
		encoding = base64.RawURLEncoding
	}
	for _, c := range s {
		if !isBase64(c) {
			return nil, false // Decode would pass over line ends
		}
	}
	dst, err := encoding.AppendDecode(dst, s)
	return dst, err == nil
}

func isBase64(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '+' || c == '/' || c == '-' || c == '_'
}
