package servertest

import (
	"context"
	"net"
	"net/http"
)

// OverUnix asks HTTP on a unix socket, whatever the host of a URL, on a connection for
// each request.
func OverUnix(socket string) *http.Transport {
	return &http.Transport{
		DialContext:       func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", socket) },
		DisableKeepAlives: true,
	}
}
