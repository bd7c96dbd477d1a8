package check

import (
	"strings"
	"testing"
)

// For every server there is something to do about every cause; of one that does
// not say what it is, all are told.
func TestRemedies(t *testing.T) {
	for c, known := range directives() {
		for _, server := range []string{"apache", "nginx", "lighttpd", "caddy", "haproxy"} {
			if c.remedy(server) == "" {
				t.Errorf("%s: nothing to do in %s", c, server)
			}
			if text := known[server]; text != "" && !strings.Contains(c.remedy(""), text) {
				t.Errorf("%s: %s is not told of where nobody says what the server is", c, server)
			}
		}
		for server := range known {
			if !strings.Contains(" apache nginx lighttpd caddy  ", " "+server+" ") {
				t.Errorf("%s: %s is no server that has a name", c, server)
			}
		}
	}
	if want, got := "AllowEncodedSlashes NoDecode, in the <VirtualHost>", slashEscaped.remedy("apache"); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := noLimit.remedy("haproxy"); !strings.Contains(got, "Apache: LimitRequestBody") {
		t.Errorf("of a server without a directive of its own: %q", got)
	}
}
