package ocsphttp_test

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/index"
	"ocspcgi/lib/ocsphttp"
	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/responder"
)

const formType = "application/x-www-form-urlencoded"

// asked is a responder for CAs whose page has the form.
type asked struct {
	*responder.Responder
	handler *ocsphttp.Handler
}

func newAsked(t *testing.T, cas map[*pkitest.CA]*pkitest.Signer) *asked {
	t.Helper()
	r := &responder.Responder{}
	var issuers []*responder.Issuer
	for ca, signer := range cas {
		files := responder.Files{CA: ca.Cert, Signers: []responder.SignerFiles{{Certificate: signer.Cert, Key: signer.Key}}, Lifetime: 3600e9}
		issuer, err := responder.Open(files, &index.File{Path: ca.Index})
		if err != nil {
			t.Fatal(err)
		}
		issuers = append(issuers, issuer)
	}
	r.Serve(issuers...)
	return &asked{r, &ocsphttp.Handler{Respond: r.Respond, Page: ocsphttp.Page{Issuers: r.Issuers, Form: true}}}
}

// ask sends the form and returns the page.
func (a *asked) ask(t *testing.T, pairs ...string) string {
	t.Helper()
	fields := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		fields.Set(pairs[i], pairs[i+1])
	}
	return page(t, a.handler, post(formType, []byte(fields.Encode())))
}

// page returns the page that a request is answered with, which must be sound.
func page(t *testing.T, h *ocsphttp.Handler, req ocsphttp.Request) string {
	t.Helper()
	var resp ocsphttp.Response
	h.Serve(context.Background(), &req, &resp)
	for _, field := range []string{"Content-Type: text/html; charset=utf-8\r\n", "Cache-Control: no-store\r\n", "X-Content-Type-Options: nosniff\r\n",
		"Content-Security-Policy: " + ocsphttp.PagePolicy(ocsphttp.PageStyle) + "\r\n"} {
		if !strings.Contains(string(resp.Header), field) {
			t.Errorf("the header lacks %q: %q", field, resp.Header)
		}
	}
	wellFormed(t, string(resp.Body))
	return string(resp.Body)
}

// wellFormed checks that each element ends where it should.
func wellFormed(t *testing.T, text string) {
	t.Helper()
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
	}
}

var title = regexp.MustCompile(`<h2 id="answer">([^<]*)</h2>`)

func said(page string) string {
	if found := title.FindStringSubmatch(page); found != nil {
		return found[1]
	}
	return "nothing"
}

func TestForm(t *testing.T) {
	c := pkitest.NewCompany(t)
	other := pkitest.New(t, pkitest.Subject("/CN=other"))
	stranger := other.Issue("stranger")
	a := newAsked(t, map[*pkitest.CA]*pkitest.Signer{c.CA: c.Signer})
	for _, test := range []struct{ name, text, says string }{
		{"serial of a good one", c.Good.Serial, "Good"},
		{"serial as openssl x509 prints it", "serial=" + c.Good.Serial + "\n", "Good"},
		{"with 0x", "0x" + c.Good.Serial, "Good"},
		{"in pairs", "10:00", "Good"},
		{"with a zero before", "001000", "Good"},
		{"serial of a revoked one", c.Revoked.Serial, "Revoked"},
		{"serial that is unknown", "abcdef", "Unknown"},
		{"negative", "-1000", "Unknown"},
		{"certificate", file(t, c.Good.Cert), "Good"},
		{"certificate as a browser sends it", strings.ReplaceAll(file(t, c.Revoked.Cert), "\n", "\r\n"), "Revoked"},
		{"certificate behind its text", pkitest.OpenSSL(t, "x509", "-in", c.Revoked.Cert, "-text"), "Revoked"},
		{"the first of a chain", file(t, c.Revoked.Cert) + file(t, c.Cert), "Revoked"},
		{"certificate that is unknown", file(t, c.Unknown.Cert), "Unknown"},
		{"certificate of another CA with that serial", file(t, stranger.Cert), "Not asked"},
		{"key", file(t, c.Good.Key), "Not asked"},
		{"half a certificate", file(t, c.Good.Cert)[:200], "Not asked"},
		{"nothing", " ", "Not asked"},
		{"words", "my certificate", "Not asked"},
		{"too many digits", strings.Repeat("1", 81), "Not asked"},
		{"markup", "<script>alert(1)</script>", "Not asked"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := a.ask(t, "certificate", test.text)
			if said(got) != test.says {
				t.Errorf("says %s, want %s:\n%s", said(got), test.says, got)
			}
			if strings.Contains(got, "<script") {
				t.Errorf("what was sent comes back:\n%s", got)
			}
		})
	}
	if got := a.ask(t, "certificate", file(t, c.Revoked.Cert)); !strings.Contains(got, "<dt>Reason</dt><dd>keyCompromise</dd>") ||
		!strings.Contains(got, "<dt>Certificate</dt><dd>CN=revoked</dd>") || !strings.Contains(got, "1001 (decimal 4097)") {
		t.Errorf("does not tell what and why:\n%s", got)
	}
}

// A serial number is that of the CA that was chosen, a certificate that of the
// CA that has signed it.
func TestFormWithTwoCAs(t *testing.T) {
	root := pkitest.New(t, pkitest.Subject(`/CN=<b>"root"&'`))
	sub := root.Intermediate("sub")
	rootSigner, subSigner := root.OCSPSigner("root-ocsp"), sub.OCSPSigner("sub-ocsp")
	leaf := sub.Issue("leaf", pkitest.Serial("2000"), pkitest.Subject(`/CN=<i>leaf`))
	sub.Revoke(leaf)
	a := newAsked(t, map[*pkitest.CA]*pkitest.Signer{root: rootSigner, sub: subSigner})
	start := page(t, a.handler, ocsphttp.Request{Method: []byte("GET"), URI: []byte("/")})
	if strings.Contains(start, "<b>") || strings.Contains(start, "<i>") {
		t.Errorf("a name is markup:\n%s", start)
	}
	ids := map[string]string{}
	for _, option := range regexp.MustCompile(`<option value="([0-9a-f]+)">([^<]+)</option>`).FindAllStringSubmatch(start, -1) {
		ids[option[2]] = option[1]
	}
	if got := a.ask(t, "issuer", ids["sub"], "certificate", "2000"); said(got) != "Revoked" {
		t.Errorf("of the CA chosen: %s", got)
	}
	if got := a.ask(t, "issuer", ids["&lt;b&gt;&#34;root&#34;&amp;&#39;"], "certificate", "2000"); said(got) != "Unknown" {
		t.Errorf("of the other CA: %s", got)
	}
	for _, none := range []string{"", "0", ids["sub"] + "0"} {
		if got := a.ask(t, "issuer", none, "certificate", "2000"); said(got) != "Not asked" {
			t.Errorf("of no CA: %s", got)
		}
	}
	got := a.ask(t, "certificate", file(t, leaf.Cert))
	if said(got) != "Revoked" || !strings.Contains(got, "<dd>CN=\\&lt;i\\&gt;leaf</dd>") {
		t.Errorf("of a certificate: %s", got)
	}
}

// What OCSP does not tell, the form does not.
func TestFormCouldNotTell(t *testing.T) {
	c := pkitest.NewCompany(t)
	a := newAsked(t, map[*pkitest.CA]*pkitest.Signer{c.CA: c.Signer})
	for status, says := range map[ocsp.ResponseStatus]string{
		ocsp.TryLater: "tryLater", ocsp.InternalError: "internalError", ocsp.Unauthorized: "unauthorized", ocsp.SignatureRequired: "sigRequired",
	} {
		a.handler.Respond = func(context.Context, []byte) *responder.Answer {
			return &responder.Answer{DER: []byte{0x30, 3, 10, 1, byte(status)}, Status: status, Err: errors.New("the reason")}
		}
		got := a.ask(t, "certificate", c.Good.Serial)
		if said(got) != "The status could not be told" || !strings.Contains(got, says) {
			t.Errorf("%v: %s", status, got)
		}
	}
	a.handler.Respond = a.Respond
	if err := os.Remove(c.Index); err != nil {
		t.Fatal(err)
	}
	if got := a.ask(t, "certificate", c.Good.Serial); said(got) != "The status could not be told" {
		t.Errorf("without an index: %s", got)
	}
	short := post(formType, []byte("certificate=1000"))
	short.BodyShort = true
	if got := page(t, a.handler, short); said(got) != "Not asked" {
		t.Errorf("half a form: %s", got)
	}
}

func TestFormOrRequest(t *testing.T) {
	c := pkitest.NewCompany(t)
	a := newAsked(t, map[*pkitest.CA]*pkitest.Signer{c.CA: c.Signer})
	form := []byte("certificate=1000")
	for _, test := range []struct {
		name      string
		form, any bool
		typ       string
		body      []byte
		status    int
		html      bool
	}{
		{"form", true, false, formType, form, 200, true},
		{"with a parameter", true, false, "Application/X-WWW-Form-Urlencoded; charset=UTF-8", form, 200, true},
		{"HTTP-14 switched off", false, false, formType, form, 415, true},
		{"DER with the type of a form", true, false, formType, request, 415, true},
		{"DER with the type of a form, any type", true, true, formType, request, 200, false},
		{"form, any type", true, true, formType, form, 200, true},
		{"too large", true, false, formType, make([]byte, ocsphttp.MaxBody+1), 413, true},
		{"of another type", true, false, "multipart/form-data; boundary=x", form, 415, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			a.handler.Page.Form, a.handler.AnyType = test.form, test.any
			req := post(test.typ, test.body)
			var resp ocsphttp.Response
			a.handler.Serve(context.Background(), &req, &resp)
			if html := strings.HasPrefix(string(resp.Body), "<!DOCTYPE html>"); resp.Status != test.status || html != test.html {
				t.Errorf("%d, %q", resp.Status, resp.Body)
			}
		})
	}
	a.handler.Page.Form = false
	if got := page(t, a.handler, ocsphttp.Request{Method: []byte("GET")}); strings.Contains(got, "<form") {
		t.Errorf("there is a form that nobody has asked for:\n%s", got)
	}
}

func FuzzForm(f *testing.F) {
	c := pkitest.NewCompany(f)
	for _, seed := range []string{"certificate=1000", "certificate=10%3A01&issuer=0", "certificate=-----BEGIN+CERTIFICATE-----", "%", "certificate=%3Cb%3E", strings.Repeat("-----BEGIN A-----\nA:\n", 100),
		"", "certificate=", "certificate=0x1000", "certificate=10:00", "certificate=10+00", "certificate=-5", "certificate=1000&certificate=1001",
		"certificate=1000&issuer=99999999999999999999", "certificate=1000&issuer=-1", "issuer=0", "certificate=1000;issuer=0", "certificate=%00%1b%5b31m",
		"certificate=serialNumber%3D1000", "certificate=%E2%80%AE1000", "certificate=" + strings.Repeat("F", 5000), "certificate=%252e", "%63ertificate=1000"} {
		f.Add([]byte(seed))
	}
	for _, cert := range []string{c.Good.Cert, c.Revoked.Cert, c.Signer.Cert, c.Cert} {
		f.Add([]byte(url.Values{"certificate": {file(f, cert)}}.Encode()))
	}
	files := responder.Files{CA: c.Cert, Signers: []responder.SignerFiles{{Certificate: c.Signer.Cert, Key: c.Signer.Key}}, Lifetime: 3600e9}
	issuer, err := responder.Open(files, &index.File{Path: c.Index})
	if err != nil {
		f.Fatal(err)
	}
	var r responder.Responder
	r.Serve(issuer)
	der, err := issuer.Request(c.Good.Certificate.SerialNumber)
	if err != nil {
		f.Fatal(err)
	}
	good := r.Respond(context.Background(), der) // once: a fuzzer wants the same each time
	h := &ocsphttp.Handler{Page: ocsphttp.Page{Issuers: r.Issuers, Form: true},
		Respond: func(context.Context, []byte) *responder.Answer { return good }}
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > 0 && body[0] == 0x30 || len(body) > ocsphttp.MaxBody {
			return
		}
		if s := said(page(t, h, post(formType, body))); s != "Good" && s != "Not asked" {
			t.Errorf("%s for %q", s, body)
		}
	})
}

// Text stands out from what is behind it (WCAG 2.1, 1.4.3), by day and by night.
func TestContrast(t *testing.T) {
	day, night, found := strings.Cut(ocsphttp.PageStyle, "@media (prefers-color-scheme:dark)")
	if !found {
		t.Fatal("there is no style for the night")
	}
	variable := regexp.MustCompile(`--(\w+):#([0-9a-f]+)`)
	for name, style := range map[string]string{"day": day, "night": night} {
		colour := map[string]string{}
		for _, v := range variable.FindAllStringSubmatch(style, -1) {
			colour[v[1]] = v[2]
		}
		for _, pair := range [][2]string{{"ink", "paper"}, {"ink", "box"}, {"soft", "paper"}, {"soft", "box"}, {"link", "paper"}, {"on", "link"},
			{"good", "box"}, {"bad", "box"}, {"unsure", "box"}} {
			if c := contrast(t, colour[pair[0]], colour[pair[1]]); c < 4.5 {
				t.Errorf("by %s %s on %s: %.1f, want 4.5", name, pair[0], pair[1], c)
			}
		}
	}
}

func contrast(t *testing.T, a, b string) float64 {
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// luminance is the relative luminance of WCAG 2.1.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	if len(hex) == 3 {
		hex = hex[:1] + hex[:1] + hex[1:2] + hex[1:2] + hex[2:] + hex[2:]
	}
	rgb, err := strconv.ParseUint(hex, 16, 32)
	if err != nil || len(hex) != 6 {
		t.Fatalf("%q is no colour", hex)
	}
	part := func(c uint64) float64 {
		v := float64(c&0xff) / 255
		if v <= 0.03928 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*part(rgb>>16) + 0.7152*part(rgb>>8) + 0.0722*part(rgb)
}

func file(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
