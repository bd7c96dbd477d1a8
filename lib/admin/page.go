package admin

import (
	_ "embed" // page.css
	"fmt"
	"html"
	"strconv"
	"strings"
	"time"

	"ocspcgi/lib/ocsphttp"
)

//go:embed page.css
var ownStyle string

// style is that of the responder's page, and what tables and charts need more.
func style() string { return ocsphttp.PageStyle + ownStyle }

// page is the status page. It has no script; who wants news loads it again.
func (a *Admin) page() string {
	s := a.status()
	var b strings.Builder
	title := "Ready"
	if !s.Ready {
		title = "Not ready"
	}
	ocsphttp.BeginPage(&b, title+" - OCSP responder", "OCSP responder", style())
	writeReady(&b, s, title)
	b.WriteString("<h2>Issuers</h2>\n")
	for i := range s.Issuers {
		s.Issuers[i].write(&b)
	}
	columns := columnsOf(a.Metrics.Minutes())
	writeAnswers(&b, columns)
	writeDurations(&b, columns)
	writeReads(&b, columns)
	fmt.Fprintf(&b, "<h2>Since %s</h2>\n<dl class=\"counts\">\n", when(s.Started))
	for _, fact := range []struct {
		name  string
		value uint64
	}{
		{"Requests", s.Requests.All()}, {"Good", s.Requests.Good}, {"Revoked", s.Requests.Revoked}, {"Unknown", s.Requests.Unknown},
		{"Mixed", s.Requests.Mixed}, {"Refused", s.Requests.Refused}, {"Page, HTTP errors", s.Requests.Other},
		{"Signatures made", s.Signatures.Made}, {"Signatures failed", s.Signatures.Failed}, {"Bytes of answers kept", uint64(s.CacheBytes)},
	} {
		b.WriteString("<dt>" + fact.name + "</dt><dd>" + strconv.FormatUint(fact.value, 10) + "</dd>\n")
	}
	b.WriteString("</dl>\n<p>For programs: <a href=\"/metrics\">/metrics</a>, <a href=\"/status\">/status</a>, <a href=\"/healthz\">/healthz</a>, <a href=\"/readyz\">/readyz</a></p>\n")
	ocsphttp.EndPage(&b, s.Version)
	return b.String()
}

func writeReady(b *strings.Builder, s *Status, title string) {
	class := "good"
	if !s.Ready {
		class = "bad"
	}
	b.WriteString("<section class=\"answer " + class + "\" aria-labelledby=\"ready\">\n<h2 id=\"ready\">" + title + "</h2>\n")
	if s.Ready {
		b.WriteString("<p>Every index is believed, and somebody signs for every issuer.</p>\n")
	} else {
		b.WriteString("<ul>\n")
		for _, line := range s.Missing {
			b.WriteString("<li>" + html.EscapeString(line) + "</li>\n")
		}
		b.WriteString("</ul>\n")
	}
	b.WriteString("<p><small>Seen at " + when(s.Now) + "</small></p>\n</section>\n")
}

func (i *Issuer) write(b *strings.Builder) {
	text := func(s string) string { return html.EscapeString(oneLine(s)) }
	b.WriteString("<h3>" + text(i.Name) + "</h3>\n<dl>\n")
	for _, s := range i.Signers {
		left := fmt.Sprintf("%d days left", s.DaysLeft)
		class := ""
		const soon = 14
		switch {
		case s.DaysLeft < 0:
			left, class = "expired", " class=\"warn\""
		case s.DaysLeft < soon:
			class = " class=\"warn\""
		}
		b.WriteString("<dt>Signer</dt><dd" + class + ">" + text(s.Path) + ": " + left + ", until " + when(s.NotAfter) + "</dd>\n")
	}
	state, class := "believed", ""
	if !i.Index.Believed {
		state, class = "not believed", " class=\"warn\""
	}
	fmt.Fprintf(b, "<dt>Index</dt><dd%s>%s: %s; rows: %d, faults: %d, generation: %d", class, text(i.Index.Path), state, i.Index.Rows, i.Index.Faults, i.Index.Generation)
	if i.Index.Modified != nil {
		b.WriteString(", written " + when(*i.Index.Modified))
	}
	b.WriteString("</dd>\n</dl>\n")
}

func when(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }
