package check

import (
	"bytes"
	"strings"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/wire"
)

// cause tells what may stand in the way, and how bad it is.
func (s *survey) cause(p *probe, r *reply) (cause, level) {
	if p.name == traceName {
		return tracing, hint
	}
	_, noPOST := s.failed[plainPOST]
	byPath := !noPOST && (p.query.method == "GET" || p.query.method == "HEAD") // what comes by POST arrives
	if why := byStatus(r, byPath, p.query.chunked); why != "" {
		return why, fault
	}
	response, _ := r.ocsp()
	switch {
	case response == nil && r.header.Get("Content-Type") != responseType && bytes.HasPrefix(r.body, []byte{0x30}):
		return wrongType, fault
	case response == nil && noPOST:
		return nothingThere, fault
	case response != nil && noPOST:
		return byAnswer(p, response), fault
	case byPath:
		return slashMerged, rare(p)
	case response != nil && p.want == answered:
		return byAnswer(p, response), fault
	}
	return "", rare(p)
}

// byStatus is the cause of an HTTP status that the web server has answered with.
func byStatus(r *reply, byPath, chunked bool) cause {
	switch code := r.status; {
	case code >= 300 && code < 400 && code != 304:
		return redirected
	case code == 403 || code == 401:
		return notAllowed
	case code == 404 && byPath:
		return slashEscaped
	case code == 404:
		return nothingThere
	case code == 500:
		return notStarted
	case code >= 502 && code <= 504:
		return notReached
	case code == 405 && ourPage(r):
		return noVariables
	case code == 413:
		return lowLimit
	case code == 411 || chunked && code >= 400:
		return notChunked
	}
	return ""
}

// byAnswer is the cause of an OCSP answer that is not the one wanted.
func byAnswer(p *probe, response *wire.OCSPResponse) cause {
	switch response.Status {
	case ocsp.InternalError:
		return noSettings
	case ocsp.TryLater:
		return notReady
	case ocsp.Unauthorized:
		return notServed
	case ocsp.SignatureRequired:
		return wantsSigned
	case ocsp.Success:
		if len(response.Singles) == 1 && p.about.status != 0 && response.Singles[0].Status != p.about.status {
			return otherIndex
		}
	}
	return ""
}

// rare is a warning for what few clients do, and a fault otherwise.
func rare(p *probe) level {
	switch p.want {
	case malformed, refused:
		return warning
	}
	if strings.HasPrefix(p.name, "GET, base64url") || strings.HasPrefix(p.name, "GET, without") {
		return hint
	}
	return fault
}

// extra tells what is wrong with how a right answer came.
func (s *survey) extra(p *probe, r *reply) {
	switch {
	case p.want == answered && r.length == "" && (p.name == plainPOST || p.name == plainGET):
		s.add(row{Level: warning, Way: p.name, Text: string(noLength), Remedy: noLength.remedy(s.server)})
	case p.name == largePOST && ourPage(r) && directives()[noLimit][s.server] != "":
		s.add(row{Level: hint, Way: p.name, Text: "the program refuses it; the web server could before", Remedy: noLimit.remedy(s.server)})
	}
}

// ourPage tells the page that ocspcgi has for people.
func ourPage(r *reply) bool { return strings.Contains(string(r.body), "<title>OCSP responder</title>") }
