package conformance_test

import (
	"crypto"
	"encoding/base64"
	"net/url"
	"strings"
	"testing"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/wire"
)

// get is a GET of a path, with what has to come back.
type get struct {
	row, path string
	want      want
}

// gets are those of one certificate whose base64 has all that paths get wrong.
func (k *kit) gets(t *testing.T) []get {
	t.Helper()
	leaf := k.Issue("slashes", pkitest.Serial("7FFFFFFFFFFBEFBE01"))
	waitFor(t, k, leaf)
	id := k.ca.id(content(leaf)...)
	raw := base64.StdEncoding.EncodeToString(request(list(id)))
	for _, part := range []string{"//", "+", "="} {
		if !strings.Contains(raw, part) {
			t.Fatalf("no %s in %s", part, raw)
		}
	}
	good, page := k.said(wire.Good, id, nil), want{page: 200}
	escaped := strings.NewReplacer("/", "%2F", "+", "%2B", "=", "%3D").Replace(raw)
	lower := strings.NewReplacer("%2F", "%2f", "%2B", "%2b", "%3D", "%3d").Replace(escaped)
	// Behind a slash in what is left of a broken one there must be no M.
	broken := base64.StdEncoding.EncodeToString(request(list(seq(sha1NULL, octets(fill(0x55, 20)), octets(fill(0x66, 20)), integer(5)))))
	all := []get{
		{"HTTP-01 K:get-percent-encoded", "/ocsp/" + escaped, good},
		{"HTTP-01 on any prefix", "/some/where/else/" + escaped, good},
		{"HTTP-02 K:get-raw-base64", "/ocsp/" + raw, good},
		{"HTTP-02 K:get-lowercase-escapes", "/ocsp/" + lower, good},
		{"HTTP-02 K:get-double-encoded", "/ocsp/" + strings.ReplaceAll(escaped, "%", "%25"), good},
		{"HTTP-04 K:get-raw-slashslash", "/ocsp/" + raw, good},
		{"HTTP-04 K:get-encoded-slashslash", "/ocsp/" + strings.ReplaceAll(raw, "/", "%2F"), good},
		{"HTTP-05 K:get-raw-slashslash, with dots before it", "/ocsp/../" + raw, good},
		{"HTTP-07 K:get-double-leading-slash", "/ocsp//" + raw, good},
		{"HTTP-08 K:get-no-padding", "/ocsp/" + strings.TrimRight(raw, "="), good},
		{"HTTP-09 K:get-base64url", "/ocsp/" + base64.URLEncoding.EncodeToString(request(list(id))), good},
		{"HTTP-10 K:get-space-for-plus", "/ocsp/" + strings.ReplaceAll(raw, "+", "%20"), good},
		{"HTTP-10 K:get-crlf", "/ocsp/" + broken[:40] + "%0D%0A" + broken[40:], page},
		{"HTTP-10 a line end behind it", "/ocsp/" + broken + "%0D%0A", page},
		{"HTTP-11 K:get-query-string-appended", "/ocsp/" + raw + "?a=b&c", good},
		{"HTTP-11 the query alone", "/ocsp/?" + escaped, page},
		{"HTTP-13 K:get-nothing", "/ocsp/", page},
		{"HTTP-13 K:get-nothing, root", "/", page},
		{"HTTP-13 K:get-bad-base64", "/ocsp/" + broken[:40] + "!!!!" + broken[40:], page},
		{"HTTP-13 K:get-bad-base64, no DER", "/ocsp/M" + strings.Repeat("z", 40), malformed},
		{"HTTP-13 K:get-bad-escape", "/ocsp/" + broken[:40] + "%ZZ" + broken[40:], page},
		{"HTTP-13 K:get-nul", "/ocsp/" + broken[:40] + "%00" + broken[40:], page},
		{"RSP-03 a GET that is cut", "/ocsp/" + broken[:len(broken)-8], malformed},
	}
	return append(all, k.longGets()...)
}

// waitFor waits until the program knows a certificate.
func waitFor(t *testing.T, k *kit, leaf *pkitest.Leaf) {
	t.Helper()
	id := k.ca.id(content(leaf)...)
	w := k.said(wire.Good, id, nil)
	var err error
	for range 1000 {
		if err = w.check(k.http(t, request(list(id))), false); err == nil {
			return
		}
	}
	t.Fatal(err)
}

func (k *kit) longGets() []get {
	escape := func(der []byte) string { return "/ocsp/" + url.QueryEscape(base64.StdEncoding.EncodeToString(der)) }
	id, nonce := k.ca.id(k.good...), octets(fill(0x5c, 32))
	long := k.ca.certID(crypto.SHA512, seq(oid(oidSHA+"\x03")), k.good)
	return []get{
		{"HTTP-12 K:get-over-255", escape(request(list(long))), k.said(wire.Good, long, nil)},
		{"HTTP-12 K:get-12k-url", escape(request(explicit(1, tlv(0x86, fill('x', 9000))), list(id))), k.said(wire.Good, id, nil)},
		{"HTTP-12 64 KiB", escape(request(explicit(1, tlv(0x86, fill('x', 65000))), list(id))), k.said(wire.Good, id, nil)},
		{"HTTP-29 K:nonce-get-not-cacheable", escape(request(list(id), explicit(2, seq(extension(oidNonce, nonce))))), k.said(wire.Good, id, nonce)},
		{"HTTP-30 unauthorized by GET", escape(request(list(k.foreign.id(k.good...)))), foreign},
	}
}

func TestGets(t *testing.T) {
	k := newKit(t)
	for _, g := range k.gets(t) {
		t.Run(g.row, func(t *testing.T) {
			variables := []string{"REQUEST_METHOD=GET", "REQUEST_URI=" + g.path, "CONTENT_LENGTH="}
			for name, r := range map[string]*reply{
				"HTTP":    k.send(t, "GET", g.path, "", nil),
				"FastCGI": k.exchange(t, nil, variables...),
				"CGI":     k.launch(t, nil, variables...),
			} {
				if name == "HTTP" && strings.Contains(g.path, "%ZZ") {
					// Go's HTTP server does not let such a path through.
					if r.status != 400 {
						t.Errorf("status %d", r.status)
					}
					continue
				}
				if err := g.want.check(r, false); err != nil {
					t.Errorf("over %s: %v\nfor %.100s", name, err, g.path)
				}
			}
		})
	}
	t.Run("HTTP-03 without REQUEST_URI", func(t *testing.T) {
		path := "/" + base64.StdEncoding.EncodeToString(request(list(k.ca.id(k.good...))))
		w := k.said(wire.Good, k.ca.id(k.good...), nil)
		if err := w.check(k.launch(t, nil, "REQUEST_METHOD=GET", "SCRIPT_NAME=/ocsp", "PATH_INFO="+path), false); err != nil {
			t.Error(err)
		}
	})
}
