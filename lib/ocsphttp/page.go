package ocsphttp

import (
	"bytes"
	"html"
	"strconv"
	"strings"
	"time"
)

// Page is what people see who open the responder's address in a browser.
type Page struct {
	Version   string
	Hyperlink string          // where the CA says more (OCSP_HYPERLINK); empty: nowhere
	Issuers   func() []string // whose certificates are answered for; nil: not told
}

// why says what to do about each status that is not 200.
var why = map[int]string{
	405: "An OCSP request comes by GET or by POST.",
	413: "An OCSP request has 64 KiB at the most.",
	415: "A POST is an OCSP request when its Content-Type is <code>application/ocsp-request</code>.",
}

const pageStyle = `:root{color-scheme:light dark}
body{font:1rem/1.5 system-ui,sans-serif;max-width:42rem;margin:2rem auto;padding:0 1rem}
pre{white-space:pre-wrap;overflow-wrap:anywhere;padding:.75rem;border:1px solid;border-radius:.25rem}
footer{margin-top:2rem;font-size:.875rem}`

// page answers with the page for people. It needs no script and nothing from
// elsewhere, and says nothing of paths or settings.
func (h *Handler) page(req *Request, resp *Response, status int, now time.Time) {
	var b strings.Builder
	h.Page.write(&b, req, status)
	resp.Status = status
	f := appendDate(resp.Header[:0], "Date: ", now)
	f = append(f, "Content-Type: text/html; charset=utf-8\r\nContent-Length: "...)
	f = strconv.AppendInt(f, int64(b.Len()), 10)
	f = append(f, "\r\nCache-Control: no-store\r\n"+
		"Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n"+
		"X-Content-Type-Options: nosniff\r\n"...)
	if status == 405 {
		f = append(f, "Allow: GET, HEAD, POST\r\n"...)
	}
	resp.Header, resp.Body = f, []byte(b.String())
	if string(req.Method) == "HEAD" {
		resp.Body = nil
	}
}

func (p *Page) write(b *strings.Builder, req *Request, status int) {
	b.WriteString("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n" +
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n" +
		"<title>OCSP responder</title>\n<style>\n" + pageStyle + "\n</style>\n</head>\n<body>\n<main>\n" +
		"<h1>OCSP responder</h1>\n")
	if reason := why[status]; reason != "" {
		b.WriteString("<p role=\"alert\"><strong>This was no OCSP request.</strong> " + reason + "</p>\n")
	}
	b.WriteString("<p>This address tells programs whether a certificate has been revoked (RFC 6960).</p>\n")
	p.writeIssuers(b)
	address := html.EscapeString(addressOf(req))
	b.WriteString("<h2>How to ask</h2>\n<pre>openssl ocsp -issuer ca.pem -cert certificate.pem -CAfile ca.pem -url " +
		address + "</pre>\n" +
		"<p>Here <code>ca.pem</code> is the certificate of the CA, <code>certificate.pem</code> the one to ask about.</p>\n")
	if p.Hyperlink != "" {
		link := html.EscapeString(p.Hyperlink)
		b.WriteString("<p>See <a href=\"" + link + "\">" + link + "</a> for details.</p>\n")
	}
	b.WriteString("</main>\n<footer>ocspcgi " + html.EscapeString(p.Version) + "</footer>\n</body>\n</html>\n")
}

func (p *Page) writeIssuers(b *strings.Builder) {
	if p.Issuers == nil {
		return
	}
	names := p.Issuers()
	if len(names) == 0 {
		return
	}
	b.WriteString("<p>It answers for the certificates of:</p>\n<ul>\n")
	for _, name := range names {
		b.WriteString("<li>" + html.EscapeString(name) + "</li>\n")
	}
	b.WriteString("</ul>\n")
}

// addressOf is the URL that the page was asked for, to be copied. A host that
// is none (a client can write anything there) is left to be filled in.
func addressOf(req *Request) string {
	host := string(req.Host)
	if host == "" || strings.Trim(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]") != "" {
		host = "ocsp.example.com"
	}
	path := pathOf(req.URI)
	if len(path) > 256 || bytes.ContainsFunc(path, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune("'\"`$\\;&|<>(){}!*", r)
	}) {
		path = nil
	}
	return "http://" + host + string(path)
}
