package clients_test

import (
	"regexp"
	"testing"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/servertest"
)

// TestCheckStaple has the verb check look at real sites: what it says of who
// staples, of who does not, and of how long that holds without the responder.
func TestCheckStaple(t *testing.T) {
	s := settings[0].open(t)
	must := s.Issue("must", s.at(), pkitest.Extension("tlsfeature", "status_request"))
	servertest.Own(t, must.Key)
	brief := lasting(t, "nmin = 5")
	hours := lasting(t, "nmin = 60")
	strange := pkitest.New(t).Issue("stranger", s.at())
	servertest.Own(t, strange.Key)
	leafAlone := *s
	leafAlone.noChain = true

	for _, row := range []struct {
		name   string
		site   func(t *testing.T) *web
		status int
		says   []string
		args   []string
	}{
		{"nginx", func(t *testing.T) *web { return nginxSite(t, s, s.Good, nginxStapling(s)) }, 0, []string{
			`hint +the first [0-9]+ handshakes? had no staple \(nginx asks only then`,
			`ok +the staple is signed as it should be, for "CN=`,
			`ok +staples good, of .*Z, until .*Z\n`,
			`ok +if the responder stopped now, this staple would hold for 12h; nginx survives an outage of the responder for 5h[0-9m]* at least`}, nil},
		{"Apache", func(t *testing.T) *web { return apacheSite(t, s, s.Good, "SSLUseStapling on") }, 0, []string{
			`ok +staples good`,
			`hint +Apache survives an outage of the responder for up to 1h, and perhaps not at all: it forgets an answer after 1h.*\n +-> SSLStaplingStandardCacheTimeout`}, nil},
		{"HAProxy", func(t *testing.T) *web { return haproxySite(t, s, s.Good) }, 0, []string{
			`ok +staples good`, `ok +if the responder stopped now, this staple would hold for 12h\n`}, nil},
		{"Apache, must-staple", func(t *testing.T) *web { return apacheSite(t, s, must, "SSLUseStapling on") }, 1, []string{
			`ok +shows a certificate of "CN=must.*", which demands a staple`, `warning +Apache survives an outage`}, nil},
		{"nginx, which staples nothing", func(t *testing.T) *web { return nginxSite(t, s, s.Good, "") }, 1, []string{
			`warning +staples nothing in 4 handshakes\n +-> ssl_stapling on`}, nil},
		{"Apache, which staples nothing, must-staple", func(t *testing.T) *web { return apacheSite(t, s, must, "") }, 2, []string{
			`error +staples nothing in 4 handshakes: clients that keep to must-staple refuse the site\n +-> SSLUseStapling On`}, nil},
		{"Apache, revoked", func(t *testing.T) *web { return apacheSite(t, s, s.Revoked, "SSLUseStapling on") }, 2, []string{
			`error +the staple says revoked\n +-> give the site another certificate`}, nil},
		{"Apache, an error", func(t *testing.T) *web {
			w := *s
			w.noChain = true
			return apacheSite(t, &w, strange, "SSLUseStapling on")
		}, 1, []string{`warning +staples nothing`}, nil},
		{"nginx, a CA that nobody shows", func(t *testing.T) *web {
			return nginxSite(t, &leafAlone, s.Good, nginxStapling(s))
		}, 1, []string{`warning +the staple cannot be verified: the certificate of "CN=.*" is neither shown by the site nor known here`}, nil},
		{"nginx, a CA that is named", func(t *testing.T) *web {
			return nginxSite(t, &leafAlone, s.Good, nginxStapling(s))
		}, 0, []string{`ok +the staple is signed as it should be`}, []string{"-issuer", s.Cert}},
		{"Apache, 5 minutes", func(t *testing.T) *web { return apacheSite(t, brief, brief.Good, "SSLUseStapling on") }, 1, []string{
			`warning +answers live for 5m, too short for Apache: it has a handshake wait for each new answer`}, nil},
		{"HAProxy, 1 hour", func(t *testing.T) *web { return haproxySite(t, hours, hours.Good) }, 0, []string{
			`ok +if the responder stopped now, this staple would hold for 1h\n`}, nil},
	} {
		t.Run("4.2 "+row.name, func(t *testing.T) {
			w := row.site(t)
			out, status := run(t, program, append([]string{"check", "-staple", w.address}, row.args...)...)
			if status != row.status {
				t.Errorf("exit status %d, want %d", status, row.status)
			}
			for _, pattern := range row.says {
				if !regexp.MustCompile(pattern).MatchString(out) {
					t.Errorf("no %q", pattern)
				}
			}
			if t.Failed() {
				t.Log(out)
			}
		})
	}
}

// lasting is a scene whose answers live as long as that setting says.
func lasting(t *testing.T, setting string) *scene {
	t.Helper()
	set := settings[0]
	set.front = func(t testing.TB, s *scene, address string) {
		servertest.WriteFile(t, s.Config, servertest.ReadFile(t, s.Config)+setting+"\n")
		straight(t, s, address)
	}
	return set.open(t)
}

// TestOutage stops the responder: who staples goes on, and check says for how
// long.
func TestOutage(t *testing.T) {
	var responder *servertest.Process
	set := settings[0]
	set.front = func(t testing.TB, s *scene, address string) { responder = s.Listen(t, address) }
	s := set.open(t)
	w := nginxSite(t, s, s.Good, nginxStapling(s))
	eventually(t, "nginx staples", func() bool { return s.handshake(t, w.address) != nil })
	responder.Stop(t)
	out, status := run(t, program, "check", "-staple", w.address)
	for _, pattern := range []string{`ok +staples good`, `ok +if the responder stopped now, this staple would hold for (12h|11h59m);`} {
		if status != 0 || !regexp.MustCompile(pattern).MatchString(out) {
			t.Errorf("4.2: exit status %d, no %q\n%s", status, pattern, out)
		}
	}
	out, status = run(t, program, "check", "-url", s.URL, "-config", s.Config)
	if want := `error +POST +dial tcp .*\n +-> start the responder`; status != 2 || !regexp.MustCompile(want).MatchString(out) {
		t.Errorf("4.2: exit status %d, no %q\n%s", status, want, out)
	}
}
