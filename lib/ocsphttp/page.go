package ocsphttp

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html"
	"strconv"
	"strings"
	"time"

	"ocspcgi/lib/responder"
)

// Page is what people see who open the responder's address in a browser.
type Page struct {
	Version   string
	Hyperlink string                     // where the CA says more (OCSP_HYPERLINK); empty: nowhere
	Issuers   func() []*responder.Issuer // whose certificates are answered for; nil: not told
	Form      bool                       // people may ask on the page, too
}

// PageStyle is how pages look, by light and by night, wide and narrow.
//
//go:embed page.css
var PageStyle string

// why says what to do about each status that is not 200.
var why = map[int]string{
	405: "An OCSP request comes by GET or by POST.",
	413: "An OCSP request has 64 KiB at the most.",
	415: "A POST is an OCSP request when its Content-Type is <code>application/ocsp-request</code>.",
}

// PagePolicy is the Content-Security-Policy of a page with that one style: no
// script, nothing from elsewhere, in no frame.
func PagePolicy(style string) string {
	digest := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(digest[:]) +
		"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}

// page answers with the page for people, which tells what was said first. It
// needs no script and nothing from elsewhere, and says nothing of paths or
// settings.
func (h *Handler) page(req *Request, resp *Response, status int, said *told, now time.Time) {
	var b strings.Builder
	h.Page.write(&b, req, status, said)
	resp.Status = status
	f := appendDate(resp.Header[:0], "Date: ", now)
	f = append(f, "Content-Type: text/html; charset=utf-8\r\nContent-Length: "...)
	f = strconv.AppendInt(f, int64(b.Len()), 10)
	f = append(f, "\r\nCache-Control: no-store\r\n"+
		"Content-Security-Policy: "+PagePolicy(PageStyle)+"\r\n"+
		"Referrer-Policy: no-referrer\r\n"+
		"X-Content-Type-Options: nosniff\r\n"...)
	if status == 405 {
		f = append(f, "Allow: GET, HEAD, POST\r\n"...)
	}
	resp.Header, resp.Body = f, []byte(b.String())
	if string(req.Method) == "HEAD" {
		resp.Body = nil
	}
}

// BeginPage writes a page up to its first heading.
func BeginPage(b *strings.Builder, title, heading, style string) {
	b.WriteString("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n" +
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n" +
		"<title>" + html.EscapeString(title) + "</title>\n<style>" + style + "</style>\n</head>\n<body>\n<main>\n" +
		"<h1>" + html.EscapeString(heading) + "</h1>\n")
}

// EndPage writes the rest of a page.
func EndPage(b *strings.Builder, version string) {
	b.WriteString("</main>\n<footer>ocspcgi " + html.EscapeString(version) + "</footer>\n</body>\n</html>\n")
}

func (p *Page) issuers() []*responder.Issuer {
	if p.Issuers == nil {
		return nil
	}
	return p.Issuers()
}

func (p *Page) write(b *strings.Builder, req *Request, status int, said *told) {
	const heading = "OCSP responder"
	issuers := p.issuers()
	if said != nil {
		BeginPage(b, said.title+" - "+heading, heading, PageStyle)
		said.write(b)
	} else {
		BeginPage(b, heading, heading, PageStyle)
	}
	if reason := why[status]; reason != "" {
		b.WriteString("<p class=\"answer unsure\" role=\"alert\"><strong>This was no OCSP request.</strong> " + reason + "</p>\n")
	}
	b.WriteString("<p>This address tells programs whether a certificate has been revoked (RFC 6960).</p>\n")
	writeIssuers(b, issuers)
	if p.Form && len(issuers) > 0 {
		writeForm(b, issuers)
	}
	address := html.EscapeString(addressOf(req))
	b.WriteString("<h2>How to ask</h2>\n<pre tabindex=\"0\">openssl ocsp -issuer ca.pem -cert certificate.pem -CAfile ca.pem -url " +
		address + "</pre>\n" +
		"<p>Here <code>ca.pem</code> is the certificate of the CA, <code>certificate.pem</code> the one to ask about.</p>\n")
	if p.Hyperlink != "" {
		link := html.EscapeString(p.Hyperlink)
		b.WriteString("<p>See <a href=\"" + link + "\">" + link + "</a> for details.</p>\n")
	}
	EndPage(b, p.Version)
}

func writeIssuers(b *strings.Builder, issuers []*responder.Issuer) {
	if len(issuers) == 0 {
		return
	}
	b.WriteString("<p>It answers for the certificates of:</p>\n<ul>\n")
	for _, issuer := range issuers {
		b.WriteString("<li>" + html.EscapeString(printable(issuer.Name)) + "</li>\n")
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
