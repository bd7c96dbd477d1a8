//go:build browser

package conformance_test

import (
	"fmt"
	"image"
	_ "image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ocspcgi/lib/pkitest"
)

// browser runs Chromium once, which keeps nothing and calls nobody.
func browser(t *testing.T, args ...string) string {
	t.Helper()
	args = append([]string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--hide-scrollbars", "--virtual-time-budget=5000", "--user-data-dir=" + t.TempDir()}, args...)
	var errors strings.Builder
	cmd := exec.Command("chromium", args...)
	cmd.Stderr = &errors
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("chromium: %v\n%s", err, errors.String())
	}
	return string(out)
}

// A person types a serial number into the page's form, in a real browser.
func TestBrowserForm(t *testing.T) {
	c := pkitest.NewCompany(t)
	s := start(t, fmt.Sprintf("form = true\n[[issuer]]\nCA = %q\nindex = %q\nrsigner = %q\nrkey = %q\n", c.Cert, c.Index, c.Signer.Cert, c.Signer.Key))
	url := "http://" + s.address + "/ocsp"
	page := browser(t, "--dump-dom", url)
	for _, test := range []struct{ typed, says string }{
		{c.Good.Serial, "Good"},
		{c.Revoked.Serial, "Revoked"},
		{string(read(t, c.Revoked.Cert)), "Revoked"},
		{"<script>", "Not asked"},
	} {
		// The page's own form, filled in and sent: only a page of somebody else
		// has a script that types.
		form := strings.Replace(page, `<form method="post"`, fmt.Sprintf(`<form method="post" action=%q`, url), 1)
		typist := fmt.Sprintf(`<script>document.getElementById("certificate").value = %q; document.querySelector("button").click()</script></body>`, test.typed)
		form = strings.Replace(form, "</body>", typist, 1)
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "<!DOCTYPE html>"+form) }))
		got := browser(t, "--dump-dom", web.URL)
		web.Close()
		if !strings.Contains(got, `<h2 id="answer">`+test.says+`</h2>`) {
			t.Errorf("%q: not %s:\n%s", test.typed, test.says, got)
		}
	}
}

// The style is let in by the page's own policy, by day and by night, on the
// responder's page and on that for operators: the corner has its colour.
func TestBrowserStyle(t *testing.T) {
	c := pkitest.NewCompany(t)
	s := start(t, fmt.Sprintf("form = true\nadmin = 'http:127.0.0.1:0'\n[[issuer]]\nCA = %q\nindex = %q\nrsigner = %q\nrkey = %q\n", c.Cert, c.Index, c.Signer.Cert, c.Signer.Key))
	for name, test := range map[string]struct {
		flag string
		want [3]uint32
	}{
		"day":   {"--disable-features=Nothing", [3]uint32{0xff, 0xff, 0xff}},
		"night": {"--force-dark-mode", [3]uint32{0x17, 0x17, 0x1b}},
	} {
		for _, address := range []string{s.address, s.operators(t)} {
			shot := filepath.Join(t.TempDir(), "shot.png")
			browser(t, test.flag, "--window-size=600,900", "--screenshot="+shot, "http://"+address+"/")
			if got := corner(t, shot); got != test.want {
				t.Errorf("by %s the corner of %s is %x, want %x", name, address, got, test.want)
			}
		}
	}
}

// corner is the colour at the upper left of a picture.
func corner(t *testing.T, path string) [3]uint32 {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	picture, _, err := image.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	r, g, b, _ := picture.At(2, 2).RGBA()
	return [3]uint32{r >> 8, g >> 8, b >> 8}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
