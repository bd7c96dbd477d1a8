package admin

import (
	"net"
	"net/netip"
	"strings"
)

// meant tells whether a request's Host is one that an operator asks by. An IP address
// is: whoever has a browser here asked by a name of theirs has that name there.
func (a *Admin) meant(host string) bool {
	if a.Loopback == "" || host == "" { // HTTP/1.0, which no browser speaks
		return true
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return true
	}
	return strings.EqualFold(host, "localhost") || strings.EqualFold(host, a.Loopback)
}

// misdirected does not repeat the name, which anybody may have written.
func (a *Admin) misdirected() reply {
	return reply{421, plain, "This address is asked by an IP address, by localhost, or by the name in -admin, and by no other host name:\n" +
		"a page from elsewhere could make its own name point here. A proxy in front leaves the Host alone that it has\n" +
		"of itself (nginx: no proxy_set_header Host; Apache: ProxyPreserveHost Off).\n"}
}
