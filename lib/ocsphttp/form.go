package ocsphttp

import (
	"context"
	"html"
	"strings"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/responder"
)

// told is what the page tells a person above everything else. Texts are plain.
type told struct {
	class string // of its look: good, bad or unsure
	title string
	text  string
	facts [][2]string // name and value
}

// isForm reports whether a request is the page's form, sent. Who sends DER with
// that type, as curl does when it is not told another, does not mean it so.
func (h *Handler) isForm(req *Request) bool {
	der := len(req.Body) > 0 && req.Body[0] == 0x30
	return h.Page.Form && !der && isType(req.ContentType, "application/x-www-form-urlencoded")
}

// form answers the form with the page. What it says of a certificate is read
// from the answer that a program would get.
func (h *Handler) form(ctx context.Context, req *Request, resp *Response, now time.Time) *responder.Answer {
	said, answer := h.tell(ctx, req)
	h.page(req, resp, 200, said, now)
	return answer
}

func (h *Handler) tell(ctx context.Context, req *Request) (*told, *responder.Answer) {
	if req.BodyShort {
		return wrong("The form did not arrive whole. Send it again."), nil
	}
	q, fault := readQuestion(req.Body, h.Page.issuers())
	if fault != "" {
		return wrong(fault), nil
	}
	der, err := q.issuer.Request(q.serial)
	if err != nil {
		return wrong("No OCSP request can ask for this serial number."), nil
	}
	answer := h.Respond(ctx, der)
	return q.told(answer), answer
}

func wrong(fault string) *told { return &told{class: "unsure", title: "Not asked", text: fault} }

// told says in words what was answered.
func (q *question) told(answer *responder.Answer) *told {
	t := &told{facts: q.facts()}
	s, err := answer.Statement()
	if err != nil {
		t.class, t.title, t.text = "unsure", "The status could not be told", noStatus(answer.Status)
		return t
	}
	switch s.Status {
	case "good":
		t.class, t.title, t.text = "good", "Good", "This certificate has not been revoked."
	case "revoked":
		t.class, t.title, t.text = "bad", "Revoked", "This certificate must not be trusted."
		t.facts = append(t.facts, [2]string{"Revoked", utc(s.Revoked)})
		if s.Reason != "" {
			t.facts = append(t.facts, [2]string{"Reason", s.Reason})
		}
	default:
		t.class, t.title, t.text = "unsure", "Unknown", "The index of the CA has no certificate with this number."
	}
	t.facts = append(t.facts, [2]string{"This update", utc(s.ThisUpdate)}, [2]string{"Next update", utc(s.NextUpdate)})
	return t
}

func (q *question) facts() (facts [][2]string) {
	if q.subject != "" {
		facts = append(facts, [2]string{"Certificate", q.subject})
	}
	return append(facts, [2]string{"CA", q.issuer.Name},
		[2]string{"Serial number", strings.ToUpper(q.serial.Text(16)) + " (decimal " + q.serial.String() + ")"})
}

// noStatus explains an answer without a status.
func noStatus(status ocsp.ResponseStatus) string {
	switch status {
	case ocsp.TryLater:
		return "Ask again later (OCSP: tryLater)."
	case ocsp.SignatureRequired:
		return "Only signed requests are answered here, and a form sends none (OCSP: sigRequired)."
	case ocsp.Unauthorized:
		return "This certificate is not answered for here (OCSP: unauthorized)."
	}
	return "The responder has a fault, which its log names (OCSP: internalError)."
}

func utc(t time.Time) string {
	if t.IsZero() {
		return "not told"
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

func (t *told) write(b *strings.Builder) {
	b.WriteString("<section class=\"answer " + t.class + "\" aria-labelledby=\"answer\">\n<h2 id=\"answer\">" +
		html.EscapeString(t.title) + "</h2>\n<p>" + html.EscapeString(t.text) + "</p>\n")
	if len(t.facts) > 0 {
		b.WriteString("<dl>\n")
		for _, fact := range t.facts {
			b.WriteString("<dt>" + html.EscapeString(fact[0]) + "</dt><dd>" + html.EscapeString(printable(fact[1])) + "</dd>\n")
		}
		b.WriteString("</dl>\n")
	}
	b.WriteString("</section>\n")
}

// printable leaves out of names what would turn the text around it, or is none.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// writeForm writes the form that asks one of issuers.
func writeForm(b *strings.Builder, issuers []*responder.Issuer) {
	b.WriteString("<h2 id=\"ask\">Ask here</h2>\n<form method=\"post\" aria-labelledby=\"ask\">\n")
	if len(issuers) > 1 {
		b.WriteString("<p><label for=\"" + fieldIssuer + "\">CA, for a serial number</label>\n<select id=\"" + fieldIssuer + "\" name=\"" + fieldIssuer + "\">\n")
		for _, issuer := range issuers {
			b.WriteString("<option value=\"" + issuerID(issuer) + "\">" + html.EscapeString(optionName(issuer, issuers)) + "</option>\n")
		}
		b.WriteString("</select></p>\n")
	}
	b.WriteString("<p><label for=\"" + fieldWhich + "\">Serial number or certificate</label>\n" +
		"<textarea id=\"" + fieldWhich + "\" name=\"" + fieldWhich + "\" rows=\"4\" maxlength=\"32768\" required=\"\" spellcheck=\"false\" autocomplete=\"off\" autocapitalize=\"off\" aria-describedby=\"hint\"></textarea>\n" +
		"<small id=\"hint\">Hexadecimal digits, as browsers and <code>openssl x509 -serial</code> show them, or PEM from <code>BEGIN CERTIFICATE</code> to <code>END CERTIFICATE</code>.</small></p>\n" +
		"<p><button>Ask for the status</button></p>\n</form>\n")
}

// optionName tells CAs of one name apart.
func optionName(issuer *responder.Issuer, issuers []*responder.Issuer) string {
	for _, other := range issuers {
		if other != issuer && other.Name == issuer.Name {
			return printable(issuer.Name) + ", until " + issuer.CA.NotAfter.UTC().Format(time.DateOnly)
		}
	}
	return printable(issuer.Name)
}
