package servers_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ocspcgi/lib/servertest"
)

// named is the form of that name.
func named(t testing.TB, name string) form {
	t.Helper()
	for _, f := range forms {
		if f.name == name {
			return f
		}
	}
	t.Fatalf("there is no form %q", name)
	return form{}
}

// Who asks gets an answer again when the responder is back.
func TestRestart(t *testing.T) {
	r := servertest.NewResponder(t, program)
	for name, down := range map[string][]string{
		"Caddyfile":       {"502 empty"},
		"haproxy.cfg":     {"503 server", "502 server"}, // 502 before it has seen that the connection it kept was closed
		"nginx-each.conf": {"502 server"},
	} {
		t.Run(name, func(t *testing.T) {
			site, responder := named(t, name).site(t, r)
			site.Restart(t, responder, down...)
		})
	}
	t.Run("lighttpd-fcgi.conf", func(t *testing.T) {
		site, responder := named(t, "lighttpd-fcgi.conf").site(t, r)
		if got := site.Get(t, r.Good); got != "200 good" {
			t.Fatal(got)
		}
		responder.Stop(t)
		if got := site.Get(t, r.Good); got != "503 server" {
			t.Errorf("%s while the responder is down", got)
		}
		site.Serve(t)
		// It looks once a second who is back.
		becomes(t, func() string { return site.Get(t, r.Good) }, "200 good", 20*time.Second)
	})
}

// waiting starts a form whose program never answers, with a second in place of
// the ten that clients wait.
func (f form) waiting(t *testing.T, r *servertest.Responder) *servertest.Site {
	t.Helper()
	if f.run != nil {
		r, _ = r.Relayed(t, false)
	} else {
		r = r.Script(t, "exec sleep 60")
	}
	address := servertest.FreeAddress(t)
	text := edited(t, snippet(t, r, address, f.files...), map[string]string{f.brief[0]: f.brief[1]})
	if _, err := f.web(t, address, text); err != nil {
		t.Fatal(err)
	}
	return &servertest.Site{Responder: r, URL: "http://" + address + "/ocsp"}
}

func TestTimeout(t *testing.T) {
	r := servertest.NewResponder(t, program)
	for _, f := range forms {
		if f.late == "" {
			continue
		}
		t.Run(f.name, func(t *testing.T) {
			t.Parallel() // it waits most of the time
			if got := f.waiting(t, r).Get(t, r.Good); got != f.late {
				t.Errorf("%s, want %s", got, f.late)
			}
		})
	}
}

// Which web servers ask again and again on one connection.
func TestConnections(t *testing.T) {
	r := servertest.NewResponder(t, program)
	r.Serve(t)
	for name, kept := range map[string]bool{"haproxy.cfg": true, "lighttpd-fcgi.conf": false, "Caddyfile": false, "nginx-each.conf": false} {
		t.Run(name, func(t *testing.T) {
			f := named(t, name)
			relayed, relay := r.Relayed(t, true)
			address := servertest.FreeAddress(t)
			if _, err := f.web(t, address, snippet(t, relayed, address, f.files...)); err != nil {
				t.Fatal(err)
			}
			site := &servertest.Site{Responder: r, URL: "http://" + address + "/ocsp"}
			if got := site.Connections(t, relay); got != kept {
				t.Errorf("kept: %v", got)
			}
		})
	}
}

// systemd itself finds nothing wrong with the units, and starts the service again
// unless its settings can never work.
func TestUnits(t *testing.T) {
	r := servertest.NewResponder(t, program)
	for _, name := range []string{"ocspcgi", "ocspcgi-signer"} {
		t.Run(name, func(t *testing.T) {
			dir := servertest.Room(t)
			var units []string
			for _, kind := range []string{".socket", ".service"} {
				file := filepath.Join(dir, name+kind)
				servertest.WriteFile(t, file, r.Snippet(t, name+kind, ""))
				units = append(units, file)
			}
			out, err := exec.Command("systemd-analyze", append([]string{"verify"}, units...)...).CombinedOutput()
			if err != nil || len(out) > 0 {
				t.Errorf("%v\n%s", err, out)
			}
			// 20 is an exposure of 2.0, of 10.
			out, err = exec.Command("systemd-analyze", "security", "--no-pager", "--offline=yes", "--threshold=20", units[1]).CombinedOutput()
			if err != nil {
				t.Errorf("the service may do too much: %v\n%s", err, out)
			}
			text := servertest.ReadFile(t, units[1])
			for line, otherwise := range map[string]string{
				"SystemCallFilter=landlock_create_ruleset landlock_add_rule landlock_restrict_self": "the service may not confine itself",
				"Restart=on-failure":            "it stays away where it has ended for want of memory",
				"StartLimitIntervalSec=0":       "it stays away where it has ended five times in ten seconds",
				"RestartPreventExitStatus=2":    "it is started with settings that can never work, again and again",
				"Environment=GOTRACEBACK=crash": "where Go gives up it ends with 2, as with settings that can never work",
			} {
				if !strings.Contains(text, "\n"+line+"\n") {
					t.Errorf("no %s: %s", line, otherwise)
				}
			}
		})
	}
}
