package command

import (
	"fmt"
	"strings"
)

// shape is what one element of a message looks like.
type shape struct {
	name     string
	tags     string // one of these octets; empty: any
	optional bool
	repeated bool    // any number of them, to the end
	in       []shape // what a constructed one, or an OCTET STRING, is made of; nil: not looked into
}

// The shapes of OCSPRequest and OCSPResponse (RFC 6960 appendix B.1), as far as
// it takes to find out where one is damaged.
var (
	algorithmShape = shape{name: "AlgorithmIdentifier", tags: "\x30", in: []shape{{name: "OID", tags: "\x06"}, {name: "parameters", optional: true}}}
	certIDShape    = shape{name: "CertID", tags: "\x30", in: []shape{algorithmShape, {name: "issuerNameHash", tags: "\x04"},
		{name: "issuerKeyHash", tags: "\x04"}, {name: "serialNumber", tags: "\x02"}}}
	certsShape      = shape{name: "certs", tags: "\xa0", optional: true, in: []shape{{name: "SEQUENCE of certificates", tags: "\x30", in: []shape{{name: "certificate", tags: "\x30", repeated: true}}}}}
	extensionsShape = []shape{{name: "Extensions", tags: "\x30", in: []shape{{name: "Extension", tags: "\x30", repeated: true, in: []shape{
		{name: "extnID", tags: "\x06"}, {name: "critical", tags: "\x01", optional: true}, {name: "extnValue", tags: "\x04"}}}}}}

	requestShape = shape{name: "OCSPRequest", tags: "\x30", in: []shape{
		{name: "tbsRequest", tags: "\x30", in: []shape{
			{name: "version", tags: "\xa0", optional: true}, {name: "requestorName", tags: "\xa1", optional: true},
			{name: "requestList", tags: "\x30", in: []shape{{name: "Request", tags: "\x30", repeated: true, in: []shape{
				certIDShape, {name: "singleRequestExtensions", tags: "\xa0", optional: true, in: extensionsShape}}}}},
			{name: "requestExtensions", tags: "\xa2", optional: true, in: extensionsShape}}},
		{name: "optionalSignature", tags: "\xa0", optional: true, in: []shape{{name: "Signature", tags: "\x30", in: []shape{
			algorithmShape, {name: "signature", tags: "\x03"}, certsShape}}}}}}

	singleShape = shape{name: "SingleResponse", tags: "\x30", repeated: true, in: []shape{
		certIDShape, {name: "certStatus", tags: "\x80\x82\xa1"}, {name: "thisUpdate", tags: "\x18"},
		{name: "nextUpdate", tags: "\xa0", optional: true, in: []shape{{name: "time of nextUpdate", tags: "\x18"}}},
		{name: "singleExtensions", tags: "\xa1", optional: true, in: extensionsShape}}}
	basicShape = shape{name: "BasicOCSPResponse", tags: "\x30", in: []shape{
		{name: "tbsResponseData", tags: "\x30", in: []shape{
			{name: "version", tags: "\xa0", optional: true}, {name: "responderID", tags: "\xa1\xa2"}, {name: "producedAt", tags: "\x18"},
			{name: "responses", tags: "\x30", in: []shape{singleShape}},
			{name: "responseExtensions", tags: "\xa1", optional: true, in: extensionsShape}}},
		algorithmShape, {name: "signature", tags: "\x03"}, certsShape}}
	responseShape = shape{name: "OCSPResponse", tags: "\x30", in: []shape{
		{name: "responseStatus", tags: "\x0a"},
		{name: "responseBytes", tags: "\xa0", optional: true, in: []shape{{name: "ResponseBytes", tags: "\x30", in: []shape{
			{name: "responseType", tags: "\x06"}, {name: "response", tags: "\x04", in: []shape{basicShape}}}}}}}}
)

// damage tells where der is not of that shape, with the number of the octet
// from 0; empty: nowhere.
func damage(der []byte, of shape) string {
	d := &damaged{der: der}
	d.fit(0, len(der), "the message", []shape{of})
	return d.text
}

type damaged struct {
	der  []byte
	text string
}

// at says what is wrong, once.
func (d *damaged) at(octet int, format string, a ...any) bool {
	d.text = fmt.Sprintf("byte %d: ", octet) + fmt.Sprintf(format, a...)
	return false
}

// fit holds the octets from at to end against a list of shapes.
func (d *damaged) fit(at, end int, what string, shapes []shape) bool {
	for i := 0; i < len(shapes); i++ {
		s := &shapes[i]
		if at == end {
			if s.optional || s.repeated {
				continue
			}
			return d.at(at, "%s ends where its %s should be", what, s.name)
		}
		if s.tags != "" && !strings.Contains(s.tags, string(d.der[at:at+1])) {
			if s.optional {
				continue
			}
			return d.at(at, "%02X, where %s begins with % X", d.der[at], s.name, s.tags)
		}
		content, next, ok := d.header(at, end, s.name)
		if !ok || s.in != nil && !d.fit(content, next, s.name, s.in) {
			return false
		}
		if at = next; s.repeated {
			i--
		}
	}
	if at < end {
		return d.at(at, "%d bytes that do not belong to %s", end-at, what)
	}
	return true
}

// header reads tag and length, and returns where the content begins and ends.
func (d *damaged) header(at, end int, name string) (content, next int, ok bool) {
	if at+2 > end {
		return 0, 0, d.at(at, "%s is cut off: it has no length", name)
	}
	length, content := int(d.der[at+1]), at+2
	if length == 0x80 {
		return 0, 0, d.at(at+1, "%s has an indefinite length, which is BER and not DER", name)
	}
	if octets := length - 0x80; octets > 0 {
		if octets > 3 || content+octets > end {
			return 0, 0, d.at(at+1, "%s has a length of %d octets", name, octets)
		}
		length = 0
		for _, b := range d.der[content : content+octets] {
			length = length<<8 | int(b)
		}
		if content += octets; length < 0x80 || octets > 1 && length < 1<<(8*(octets-1)) {
			return 0, 0, d.at(at+1, "the length of %s is not in the fewest octets", name)
		}
	}
	if length > end-content {
		return 0, 0, d.at(at, "%s is cut off: it says that it has %d bytes, and there are %d", name, length, end-content)
	}
	return content, content + length, true
}
