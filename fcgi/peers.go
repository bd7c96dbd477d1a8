package fcgi

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// ParsePeers reads the value of FCGI_WEB_SERVER_ADDRS, IP addresses separated
// by commas (§3.2). The empty string gives none.
func ParsePeers(list string) ([]netip.Addr, error) {
	if list == "" {
		return nil, nil
	}
	var peers []netip.Addr
	for text := range strings.SplitSeq(list, ",") {
		addr, err := netip.ParseAddr(strings.TrimSpace(text))
		if err != nil {
			return nil, fmt.Errorf("FCGI_WEB_SERVER_ADDRS: %q is no IP address", text)
		}
		peers = append(peers, addr.Unmap())
	}
	return peers, nil
}

// welcome tells whether a connection from remote may come in.
func (s *Server) welcome(remote net.Addr) bool {
	tcp, ok := remote.(*net.TCPAddr)
	if len(s.Peers) == 0 || !ok {
		return true
	}
	return slices.Contains(s.Peers, tcp.AddrPort().Addr().Unmap())
}
