package check

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// caching looks at what a GET says of how long its answer may be kept.
func (s *survey) caching() {
	if s.get == nil || s.answer == nil || len(s.answer.Singles) == 0 {
		return
	}
	header := s.get.header
	before := len(s.rows)
	add := func(l level, text, remedy string) {
		s.add(row{Level: l, Way: plainGET, Text: text, Remedy: remedy})
	}
	end := s.answer.Singles[0].NextUpdate
	if response, text := s.get.ocsp(); text == "" && len(response.Singles) > 0 {
		end = response.Singles[0].NextUpdate
	}
	control := header.Get("Cache-Control")
	switch age, given := maxAge(control); {
	case strings.Contains(control, "no-store") || strings.Contains(control, "no-cache"):
		add(warning, "Cache-Control: "+control+" has every client ask anew", "have the web server leave Cache-Control as the program sends it")
	case !given && header.Get("Expires") == "":
		add(warning, "neither Cache-Control nor Expires: caches on the way keep the answer as long as they like", "have the web server leave them as the program sends them")
	case given && !end.IsZero() && s.now().Add(age).After(end.Add(skew)):
		add(fault, "Cache-Control: "+control+" outlasts nextUpdate "+end.UTC().Format(time.RFC3339), "set no expiry in the web server (Apache mod_expires, nginx expires)")
	}
	if expires, err := http.ParseTime(header.Get("Expires")); err == nil && !end.IsZero() && expires.After(end.Add(skew)) {
		add(fault, "Expires: "+header.Get("Expires")+" is after nextUpdate "+end.UTC().Format(time.RFC3339), "set no expiry in the web server (Apache mod_expires, nginx expires)")
	}
	if date, err := http.ParseTime(header.Get("Date")); err == nil && date.Sub(s.now()).Abs() > skew {
		add(warning, "the clock of the server says "+header.Get("Date")+", which is not the time here", "set the clock, there or here (ntp)")
	}
	if header.Get("Set-Cookie") != "" {
		add(warning, "the answer sets a cookie", "have the web server leave this path alone")
	}
	if header.Get("Etag") == "" {
		add(hint, "no ETag: who has the answer already gets it again", "have the web server leave ETag as the program sends it")
	} else {
		s.conditional(header.Get("Etag"))
	}
	if len(s.rows) == before {
		add(good, "may be kept: Cache-Control: "+control, "")
	}
}

// conditional asks again as a cache does that has the answer. A responder that
// signs each answer anew gives another one.
func (s *survey) conditional(etag string) {
	all, err := gets(s.about)
	if err != nil {
		return
	}
	q := all[0].query
	q.header = []string{"If-None-Match: " + etag}
	r, err := s.target.ask(&q)
	switch {
	case err != nil:
		s.add(row{Level: warning, Way: plainGET, Text: "with If-None-Match: " + err.Error()})
	case r.status == 304 && len(r.body) > 0, r.status != 304 && r.status != 200:
		s.add(row{Level: warning, Way: plainGET, Text: "with If-None-Match the answer is HTTP " + strconv.Itoa(r.status)})
	}
}

// maxAge reads max-age of Cache-Control.
func maxAge(control string) (time.Duration, bool) {
	for part := range strings.SplitSeq(control, ",") {
		if text, ok := strings.CutPrefix(strings.TrimSpace(part), "max-age="); ok {
			seconds, err := strconv.Atoi(text)
			return time.Duration(seconds) * time.Second, err == nil
		}
	}
	return 0, false
}
