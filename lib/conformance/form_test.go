package conformance_test

import (
	"fmt"
	"strings"
	"testing"

	"ocspcgi/lib/pkitest"
)

// The page's form is answered by every way that a request comes, and only where
// that is switched on.
func TestForm(t *testing.T) {
	c := pkitest.NewCompany(t)
	settings := fmt.Sprintf("[[issuer]]\nCA = %q\nindex = %q\nrsigner = %q\nrkey = %q\n", c.Cert, c.Index, c.Signer.Cert, c.Signer.Key)
	body := []byte("certificate=" + c.Revoked.Serial)
	const typ = "application/x-www-form-urlencoded"
	variables := []string{"REQUEST_METHOD=POST", "REQUEST_URI=/ocsp?query", "CONTENT_TYPE=" + typ, fmt.Sprintf("CONTENT_LENGTH=%d", len(body))}
	ways := map[string]func(*served) *reply{
		"HTTP": func(s *served) *reply {
			return s.send(t, "POST", "/ocsp?query", fmt.Sprintf("Content-Type: %s\r\nContent-Length: %d\r\n", typ, len(body)), body)
		},
		"FastCGI": func(s *served) *reply { return s.exchange(t, body, variables...) },
		"CGI":     func(s *served) *reply { return s.launch(t, body, variables...) },
	}
	on, off := start(t, "form = true\n"+settings), start(t, settings)
	for name, send := range ways {
		t.Run(name, func(t *testing.T) {
			got := send(on)
			if got.status != 200 || !strings.Contains(string(got.body), `<h2 id="answer">Revoked</h2>`) || got.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%d %v\n%s", got.status, got.header, got.body)
			}
			got = send(off)
			if got.status != 415 || strings.Contains(string(got.body), "Revoked") {
				t.Errorf("switched off: %d %v\n%s", got.status, got.header, got.body)
			}
		})
	}
}
