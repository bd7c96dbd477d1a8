package ocsphttp_test

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"net/url"
	"strings"
	"testing"

	"ocspcgi/lib/ocsphttp"
	"ocspcgi/lib/responder"
)

// nameHash and keyHash name the issuer in request.
var (
	nameHash = sha1.Sum([]byte("ocspcgi18004"))
	keyHash  = sha1.Sum([]byte("key18004"))
)

// request is an OCSPRequest whose base64 has all that paths get wrong: a plus,
// slashes alone and in pairs, padding.
var request = concat([]byte{0x30, 0x42, 0x30, 0x40, 0x30, 0x3e, 0x30, 0x3c},
	[]byte{0x30, 0x3a, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00},
	[]byte{0x04, 0x14}, nameHash[:], []byte{0x04, 0x14}, keyHash[:], []byte{0x02, 0x01, 0x05})

func concat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// answerWith is an answer that carries the request, so that a test sees what
// came through.
func answerWith(_ context.Context, der []byte) *responder.Answer {
	return &responder.Answer{DER: append([]byte("answer to "), der...)}
}

// answerOurs is answerWith for a served issuer, unauthorized for every other.
func answerOurs(ctx context.Context, der []byte) *responder.Answer {
	if !bytes.Contains(der, nameHash[:]) || !bytes.Contains(der, keyHash[:]) {
		return refused(ctx, der)
	}
	return answerWith(ctx, der)
}

func get(h *ocsphttp.Handler, uri string) *ocsphttp.Response {
	var resp ocsphttp.Response
	h.Serve(context.Background(), &ocsphttp.Request{Method: []byte("GET"), URI: []byte(uri)}, &resp)
	return &resp
}

func TestGETPaths(t *testing.T) {
	std := base64.StdEncoding.EncodeToString(request)
	if !strings.Contains(std, "//") || !strings.Contains(std, "+") || !strings.HasSuffix(std, "=") {
		t.Fatalf("the request's base64 is too easy: %s", std)
	}
	escaped := url.QueryEscape(std)
	const (
		answered  = "answered"
		malformed = "malformed"
		page      = "page"
	)
	for _, test := range []struct{ name, uri, want string }{
		{"HTTP-01 percent-encoded", "/ocsp/" + escaped, answered},
		{"HTTP-02 raw base64", "/ocsp/" + std, answered},
		{"HTTP-02 lower-case escapes", "/ocsp/" + lowerEscapes(escaped), answered},
		{"HTTP-02 double-encoded", "/ocsp/" + url.QueryEscape(escaped), answered},
		{"HTTP-02 encoded three times", "/ocsp/" + url.QueryEscape(url.QueryEscape(escaped)), page},
		{"HTTP-02 every character escaped", "/ocsp/" + escapeAll(std), answered},
		{"HTTP-03 root of the host", "/" + std, answered},
		{"HTTP-03 below a script", "/cgi-bin/ocsp.cgi/" + std, answered},
		{"HTTP-03 below a folder that begins with M", "/MyCompany/OCSP/" + std, answered},
		{"HTTP-03 below a folder that looks like DER", "/MDAxMDAxMDAxMDAxMDAx/" + std, answered},
		{"HTTP-07 one slash more", "/ocsp//" + std, answered},
		{"HTTP-07 three slashes more", "////" + std, answered},
		{"HTTP-08 no padding", "/ocsp/" + strings.TrimRight(std, "="), answered},
		{"HTTP-08 no padding, a final slash", "/ocsp/" + strings.TrimRight(std, "=") + "/", answered},
		{"HTTP-09 base64url", "/ocsp/" + base64.URLEncoding.EncodeToString(request), answered},
		{"HTTP-10 space for plus", "/ocsp/" + strings.ReplaceAll(std, "+", "%20"), answered},
		{"HTTP-10 line end inside", "/ocsp/" + std[:40] + "%0D%0A" + std[40:], page},
		{"HTTP-11 query appended", "/ocsp/" + std + "?cachebuster", answered},
		{"HTTP-11 payload in the query alone", "/ocsp/?" + std, page},
		{"HTTP-12 absolute form", "http://ocsp.example.com:80/ocsp/" + std, answered},
		{"HTTP-12 absolute form at the root", "http://ocsp.example.com/" + std, answered},
		{"HTTP-12 a fragment that nginx lets through", "/ocsp/" + std + "#x", answered},
		{"HTTP-13 nothing", "/ocsp/", page},
		{"HTTP-13 no path", "", page},
		{"HTTP-13 absolute form without a path", "http://ocsp.example.com", page},
		{"HTTP-13 favicon", "/favicon.ico", page},
		{"HTTP-13 short word that begins with M", "/Maintenance", page},
		{"HTTP-13 page whose name begins with M", "/MaintenanceInformation.html", page},
		{"HTTP-13 base64 that is no DER", "/ocsp/M" + strings.Repeat("z", 40), malformed},
		{"HTTP-13 sixteen characters", "/ocsp/M" + strings.Repeat("E", 15), malformed},
		{"HTTP-13 fifteen characters", "/ocsp/M" + strings.Repeat("E", 14), page},
		{"HTTP-13 cut", "/ocsp/" + std[:len(std)-8], malformed},
		{"HTTP-13 too long", "/ocsp/" + std[:len(std)-1] + "AAAA", malformed},
		{"HTTP-13 bad escape", "/ocsp/" + std[:40] + "%ZZ" + std[40:], page},
		{"HTTP-13 NUL", "/ocsp/" + std[:40] + "%00" + std[40:], page},
		{"merged slashes put back", "/ocsp/" + strings.ReplaceAll(std, "//", "/"), answered},
	} {
		t.Run(test.name, func(t *testing.T) {
			resp := get(&ocsphttp.Handler{Respond: answerOurs}, test.uri)
			got := page
			switch {
			case bytes.Equal(resp.Body, concat([]byte("answer to "), request)):
				got = answered
			case bytes.Equal(resp.Body, []byte{0x30, 3, 10, 1, 1}):
				got = malformed
			case !bytes.HasPrefix(resp.Body, []byte("<!DOCTYPE html>")):
				got = "something else"
			}
			if got != test.want || resp.Status != 200 {
				t.Errorf("GET %s: %s with status %d, want %s with 200", test.uri, got, resp.Status, test.want)
			}
		})
	}
}

func lowerEscapes(s string) string {
	for _, escape := range []string{"%2F", "%2B", "%3D"} {
		s = strings.ReplaceAll(s, escape, strings.ToLower(escape))
	}
	return s
}

func escapeAll(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteString("%" + strings.ToUpper(string("0123456789abcdef"[s[i]>>4])+string("0123456789abcdef"[s[i]&15])))
	}
	return b.String()
}

func TestGETWithoutRequestURI(t *testing.T) {
	std := base64.StdEncoding.EncodeToString(request)
	merged := strings.ReplaceAll(std, "//", "/")
	for _, test := range []struct{ name, script, info string }{
		{"HTTP-03 path info decoded", "/ocsp", "/" + std},
		{"HTTP-03 all in the script name", "/ocsp/" + std, ""},
		{"HTTP-03 path info with slashes merged", "/ocsp", "/" + merged},
		{"HTTP-03 merged and without padding", "/ocsp", "/" + strings.TrimRight(merged, "=")},
	} {
		t.Run(test.name, func(t *testing.T) {
			var resp ocsphttp.Response
			h := &ocsphttp.Handler{Respond: answerOurs}
			h.Serve(context.Background(), &ocsphttp.Request{
				Method: []byte("GET"), ScriptName: []byte(test.script), PathInfo: []byte(test.info),
			}, &resp)
			if !bytes.Equal(resp.Body, concat([]byte("answer to "), request)) {
				t.Errorf("answered %q", resp.Body)
			}
		})
	}
}

// A path may be long, and made so that each place in it looks like the
// beginning of a request.
func TestGETHostilePaths(t *testing.T) {
	h := &ocsphttp.Handler{Respond: answerWith}
	for name, unit := range map[string]string{
		"many beginnings":      "/MEow",
		"lengths that nearly":  "/MIIBAAAA",
		"escapes":              "/M%4D%2F",
		"merged slashes maybe": "/MEow/MEow/",
	} {
		t.Run(name, func(t *testing.T) {
			resp := get(h, strings.Repeat(unit, 256<<10/len(unit)))
			if resp.Status != 200 || len(resp.Body) == 0 {
				t.Errorf("status %d, %d bytes", resp.Status, len(resp.Body))
			}
		})
	}
}

// What a path costs grows as it does, whatever is in it: this one, tried from each
// place in it to its end, would take hours.
func TestGETLongPath(t *testing.T) {
	const half = 8 << 20
	resp := get(&ocsphttp.Handler{Respond: answerWith}, strings.Repeat("/M", half/2)+strings.Repeat("=", half))
	if resp.Status != 200 || !bytes.Equal(resp.Body, []byte{0x30, 3, 10, 1, 1}) {
		t.Errorf("status %d, %d bytes", resp.Status, len(resp.Body))
	}
}

// tailored is a path of n bytes in which many places say that a request begins
// there, and is as long as what is left, which ends in end.
func tailored(n int, end string) string {
	const each = len("/MIIxxxxx")
	path := bytes.Repeat([]byte("/"), n)
	for at := 1; at+2*each < n; at += each {
		left := n - at
		content := (3*left+2)/4 - 4 // octets: of two numbers that may fit the other has another number of characters
		if ((content+4)*4+2)/3 > left {
			content--
		}
		if content > 0xffff || content < 0x100 {
			continue
		}
		base64.StdEncoding.Encode(path[at:], []byte{0x30, 0x82, byte(content >> 8), byte(content), 0, 0})
	}
	copy(path[n-len(end):], end)
	return string(path)
}

// hostilePaths are as long as HTTP lets them be.
func hostilePaths() map[string]string {
	const n = 120 << 10
	return map[string]string{
		"plain":       strings.Repeat("/abc", n/4),
		"padding":     strings.Repeat("/M", n/4) + strings.Repeat("=", n/2),
		"end":         tailored(n, "AAAA="),
		"end, slash":  tailored(n, "AAA=/"),
		"no base64":   tailored(n, "A=AAA"),
		"two kinds":   tailored(n, "AAA-A"),
		"three pads":  tailored(n, "AA==="),
		"slash alone": tailored(n, "A-AA/"),
	}
}

func TestGETTailoredPaths(t *testing.T) {
	for name, path := range hostilePaths() {
		if resp := get(&ocsphttp.Handler{Respond: refused}, path); resp.Status != 200 || len(resp.Body) == 0 {
			t.Errorf("%s: status %d, %d bytes", name, resp.Status, len(resp.Body))
		}
	}
}

// BenchmarkGETHostilePaths shows what paths cost that are made to cost, beside
// one that is not.
func BenchmarkGETHostilePaths(b *testing.B) {
	h := &ocsphttp.Handler{Respond: refused}
	for name, path := range hostilePaths() {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				get(h, path)
			}
		})
	}
}

// pathSeeds are the paths that fuzzing begins with.
func pathSeeds() []string {
	std := base64.StdEncoding.EncodeToString(request)
	return []string{
		"/" + std, "/ocsp/" + std, "//" + std, "/ocsp/" + url.QueryEscape(std), "/ocsp/" + url.QueryEscape(url.QueryEscape(std)),
		"/ocsp/" + strings.TrimRight(std, "="), "/ocsp/" + std + "/", "/ocsp/" + std + "?x", "/ocsp/" + std + "#x",
		"http://h/ocsp/" + std, "http://h", "/ocsp/" + strings.ReplaceAll(std, "//", "/"), "/ocsp/" + strings.ReplaceAll(std, "+", " "),
		"/ocsp/" + base64.URLEncoding.EncodeToString(request), "", "/", "/ocsp", "/favicon.ico", "/M", "/MEow%", "/MEow%2",
		"/%4D%45%6f%77", "/MIIBAAAA/MIIBAAAA", "/MIP/////////////////", "/MEowMEowMEow====", "/M=/M=/M=/M=/M=/M=",
	}
}

func TestPathSeeds(t *testing.T) {
	if n := len(pathSeeds()); n < 20 {
		t.Errorf("%d seeds", n)
	}
}

func FuzzGETPath(f *testing.F) {
	for _, seed := range pathSeeds() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		h := &ocsphttp.Handler{Respond: answerOurs}
		resp := get(h, uri)
		if resp.Status != 200 || len(resp.Body) == 0 {
			t.Fatalf("GET %q: status %d, %d bytes", uri, resp.Status, len(resp.Body))
		}
		found, ok := bytes.CutPrefix(resp.Body, []byte("answer to "))
		if !ok {
			return
		}
		again := get(h, "/some/place/"+base64.StdEncoding.EncodeToString(found))
		if !bytes.Equal(again.Body, resp.Body) {
			t.Fatalf("GET %q found %x, which is not found again when it is sent plainly", uri, found)
		}
	})
}
