package apache_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"ocspcgi/lib/servertest"
)

// A person sends the form of the page that Apache shows, to where it was shown.
func TestPersonAsks(t *testing.T) {
	r := servertest.NewResponder(t, program)
	servertest.WriteFile(t, r.Config, "form = true\n"+servertest.ReadFile(t, r.Config))
	r.Serve(t)
	for _, f := range forms {
		if f.mpm != "event" {
			continue
		}
		t.Run(f.String(), func(t *testing.T) {
			address := servertest.FreeAddress(t)
			serve(t, f, address, f.text(t, r, address))
			certificate := servertest.ReadFile(t, r.Revoked.Cert)
			resp, err := http.PostForm("http://"+address+f.path, url.Values{"certificate": {certificate}})
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			page, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != 200 || !strings.Contains(string(page), `<h2 id="answer">Revoked</h2>`) {
				t.Errorf("%s\n%s", resp.Status, page)
			}
		})
	}
}
