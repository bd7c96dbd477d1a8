package servers_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/servertest"
)

// TestMiniHTTPD: mini_httpd leads what a CGI program says on stderr to the client,
// before the answer or behind it. So nothing is said there, however much there is.
func TestMiniHTTPD(t *testing.T) {
	r := servertest.NewResponder(t, program)
	root := servertest.Room(t)
	servertest.Mkdir(t, filepath.Join(root, "cgi-bin"))
	wrong := filepath.Join(root, "wrong.toml")
	servertest.WriteFile(t, wrong, strings.ReplaceAll(servertest.ReadFile(t, r.Config), r.Signer.Key, r.Good.Key))
	for name, config := range map[string]string{"ocsp": r.Config, "wrong": wrong} {
		script := filepath.Join(root, "cgi-bin", name)
		servertest.WriteFile(t, script, "#!/bin/sh\nOCSP_CONFIG="+config+" OCSP_LOG_LEVEL=debug exec "+program+"\n")
		if err := os.Chmod(script, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	address := servertest.FreeAddress(t)
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	servertest.Start(t, root, address, "mini_httpd", "-D", "-h", host, "-p", port, "-d", root, "-c", "cgi-bin/*",
		"-i", filepath.Join(root, "pid"), "-l", filepath.Join(root, "log"))
	request := url.PathEscape(base64.StdEncoding.EncodeToString(pkitest.Request(t, r.CA, r.Good, "-no_nonce")))
	for name, want := range map[string]ocsp.ResponseStatus{"ocsp": ocsp.Success, "wrong": ocsp.InternalError} {
		resp, err := http.Get("http://" + address + "/cgi-bin/" + name + "/" + request)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.Header.Get("Content-Type") != "application/ocsp-response" {
			t.Errorf("%s: %v, %v: %q", name, err, resp.Header, body)
		}
		switch _, err := ocsp.ParseResponse(body, r.Certificate); {
		case want == ocsp.Success && err != nil, want != ocsp.Success && !bytes.Equal(body, ocsp.InternalErrorErrorResponse):
			t.Errorf("%s: %v: %q", name, err, body)
		}
	}
}
