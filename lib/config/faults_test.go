package config_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ocspcgi/lib/config"
)

func TestFaults(t *testing.T) {
	const issuer = " -index i -CA c -rsigner s"
	const inFile = "[[issuer]]\nindex='i'\nCA='c'\nrsigner='s'\n"
	for _, c := range []struct{ name, args, environ, file, want string }{
		{"unknown flag", "-idnex i", "", "", "-idnex (argument 1): unknown flag; did you mean -index?"},
		{"two letters swapped", "-rkye k", "", "", "-rkye (argument 1): unknown flag; did you mean -rkey?"},
		{"nothing follows from a misspelt index", "-idnex i -nmin 20 -CA c", "", "", "-idnex (argument 1): unknown flag; did you mean -index?"},
		{"letter case", "-ca c -INDEX i", "", "", "-ca (argument 1): unknown flag; did you mean -CA?|-INDEX (argument 3): unknown flag; did you mean -index?"},
		{"nothing near", "-zzzzzzz", "", "", "-zzzzzzz (argument 1): unknown flag"},
		{"no flag", "-text foo", "", "", "argument 2 is no flag; flags begin with -, and a value with spaces needs quotes"},
		{"no value", "-index", "", "", "-index (argument 1): needs a value"},
		{"a flag for a value", "-log -text", "", "", "-log (argument 1): needs a value"},
		{"empty value", "-log=", "", "", "-log (argument 1): empty; give a value or leave it out"},
		{"badsig", "-badsig", "", "", "-badsig (argument 1): refused: broken signatures are not made here"},
		{"repeat", "-log a -log b", "", "", "-log (argument 3): given twice, first as -log (argument 1)"},
		{"repeat in a group", issuer + " -nmin 20 -CA d -nmin 30", "", "",
			"-CA (argument 9): given twice, first as -CA (argument 3)|-nmin (argument 11): given twice, first as -nmin (argument 7)"},
		{"repeat before the first index", "-passin env:A -passin env:B" + issuer, "", "", "-passin (argument 3): given twice, first as -passin (argument 1)"},
		{"CA before and behind the index", "-CA b" + issuer, "", "", "-CA (argument 5): given twice, first as -CA (argument 1)"},
		{"two keys for one signer", issuer + " -rkey k -rkey l", "", "", "-rkey (argument 9): given twice, first as -rkey (argument 7)"},
		{"keys before their certificates", "-index i -CA c -rkey k -rsigner s -rkey l -rsigner t", "", "",
			"-rkey (argument 9): given twice, first as -rkey (argument 5)"},
		{"issuer flags alone", "-nmin 20 -rkey k", "", inFile, "-rkey (argument 3): belongs to an issuer; name it with -index or -ca-dir|-nmin (argument 1): belongs to an issuer; name it with -index or -ca-dir"},
		{"nothing but the index", "-index i", "", "",
			"command line, argument 1: no -CA; name the file with the certificate of the CA|command line, argument 1: no -rsigner; name the certificate that signs the answers"},
		{"second group without files", issuer + " -index j -CA d", "", "", "command line, argument 7: no -rsigner; name the certificate that signs the answers"},
		{"key without certificate", "-index i -CA c -rkey k", "", "", "command line, argument 1: no -rsigner; name the certificate that belongs to the key"},
		{"nmin 0", "-nmin 0" + issuer, "", "", `-nmin (argument 1): "0" is no whole number from 1 to 2147483647`},
		{"nmin negative", "-nmin -5" + issuer, "", "", `-nmin (argument 1): "-5" is no whole number from 1 to 2147483647`},
		{"ndays huge", "-ndays 99999999" + issuer, "", "", "command line, argument 3: nmin and ndays make a lifetime of more than 3650 days; shorten it"},
		{"ndays overflow", "-ndays 99999999999999999999" + issuer, "", "", `-ndays (argument 1): "99999999999999999999" is no whole number from 1 to 2147483647`},
		{"port", "-port http", "", "", `-port (argument 1): "http" is no port; give N, HOST:N or [ADDRESS]:N`},
		{"port of IPv6 without brackets", "-port ::1:2560", "", "", `-port (argument 1): "::1:2560" is no port; give N, HOST:N or [ADDRESS]:N`},
		{"port too high", "-port 65536", "", "", `-port (argument 1): "65536" is no port; give N, HOST:N or [ADDRESS]:N`},
		{"listen", "-listen 9000 -text", "", "", `-listen (argument 1): "9000" is none of unix:PATH, tcp:HOST:PORT, http:HOST:PORT`},
		{"listen unix", "-listen unix: -text", "", "", `-listen (argument 1): "unix:" is none of unix:PATH, tcp:HOST:PORT, http:HOST:PORT`},
		{"listen on no address", "-listen tcp:[]:80", "", "", `-listen (argument 1): "tcp:[]:80" is none of unix:PATH, tcp:HOST:PORT, http:HOST:PORT`},
		{"choice", "-nonces maybe", "", "", `-nonces (argument 1): "maybe" is none of echo, ignore`},
		{"duration", "-backdate 5", "", "", `-backdate (argument 1): "5" is no duration; write it like 30s, 5m, 12h or 90d`},
		{"duration too long", "-archive 200000d", "", "", `-archive (argument 1): "200000d" is no duration; write it like 30s, 5m, 12h or 90d`},
		{"size", "-cache_bytes 64MB", "", "", `-cache_bytes (argument 1): "64MB" is no size; write it like 65536, 512K or 64MiB`},
		{"size too large", "-cache_bytes 9999999999G", "", "", `-cache_bytes (argument 1): "9999999999G" is no size; write it like 65536, 512K or 64MiB`},
		{"admin over FastCGI", "-admin tcp:127.0.0.1:80", "", "", `-admin (argument 1): "tcp:127.0.0.1:80" is none of unix:PATH, http:HOST:PORT`},
		{"admin on a port alone", "-admin 9100", "", "", `-admin (argument 1): "9100" is none of unix:PATH, http:HOST:PORT`},
		{"mode", "-listen_mode 888", "", "", `-listen_mode (argument 1): "888" is no mode; write it in octal like 0660`},
		{"mode with more than permissions", "-listen_mode 1777", "", "", `-listen_mode (argument 1): "1777" is no mode; write it in octal like 0660`},
		{"boolean", "-log_remote=perhaps", "", "", `-log_remote (argument 1): "perhaps" is neither true nor false`},
		{"passin", "-passin sesame" + issuer, "", "", "-passin (argument 1): give pass:PHRASE, env:NAME, file:PATH, fd:N, stdin or credential:NAME"},
		{"named file absent", "-config /nonexistent/x.toml", "", "", "configuration: open /nonexistent/x.toml: no such file or directory"},
		{"named file absent, in the environment", "", "OCSP_CONFIG=/nonexistent/x.toml", "", "configuration: open /nonexistent/x.toml: no such file or directory"},

		{"unknown variable", "", "OCSP_IDNEX=i", "", "OCSP_IDNEX: unknown setting; did you mean OCSP_INDEX?"},
		{"a flag that is no variable", "", "OCSP_REQIN=r", "", "OCSP_REQIN: unknown setting; did you mean OCSP_NMIN?"},
		{"variables without index", "", "OCSP_RKEY=k;OCSP_NMIN=20", "", "OCSP_RKEY: belongs to an issuer; name it with OCSP_INDEX or OCSP_CA_DIR|OCSP_NMIN: belongs to an issuer; name it with OCSP_INDEX or OCSP_CA_DIR"},
		{"nothing but OCSP_INDEX", "", "OCSP_INDEX=i", "",
			"environment: no OCSP_CA; name the file with the certificate of the CA|environment: no OCSP_RSIGNER; name the certificate that signs the answers"},
		{"value of a variable", "", "OCSP_BACKDATE=x", "", `OCSP_BACKDATE: "x" is no duration; write it like 30s, 5m, 12h or 90d`},

		{"unknown key", "", "", "[[issuer]]\nindx = 'x'\nCA='c'\nrsigner='s'\nindex='i'", `FILE:2: unknown key "indx"; did you mean "index"?`},
		{"unknown table", "", "", "[server]\nlisten=1", `FILE:1: unknown table "server"; there are [[issuer]] and [[issuer.signer]]`},
		{"one bracket", "", "", "[issuer]\nindex='i'", "FILE:1: [issuer] needs two brackets: [[issuer]]"},
		{"signer without issuer", "", "", "\n[[issuer.signer]]\nrsigner='s'", "FILE:2: [[issuer.signer]] belongs below an [[issuer]]"},
		{"issuer key above", "", "", "nmin = 5", "FILE:1: nmin belongs into an [[issuer]]"},
		{"global key below", "", "", inFile + "log='l'", "FILE:5: log belongs above the first [[issuer]], in the main file"},
		{"issuer key in a signer", "", "", inFile + "[[issuer.signer]]\nrsigner='t'\nnmin=5", "FILE:7: nmin belongs into [[issuer]], not into [[issuer.signer]]"},
		{"a flag that is no key", "", "", "reqin='x'", `FILE:1: unknown key "reqin"`},
		{"a file that names another", "", "", "config='x'", `FILE:1: unknown key "config"; did you mean "confine"?`},
		{"dotted key", "", "", "log.level='x'", `FILE:1: unknown key "log.level"; did you mean "log_level"?`},
		{"given twice", "", "", "log='a'\nlog='b'", "FILE:2: log: given twice, first as FILE:1: log"},
		{"list given twice", "", "", "listen=['unix:a']\nlisten=['unix:b']", "FILE:2: listen: given twice, first as FILE:1: listen"},
		{"string for number", "", "", inFile + "nmin='5'", "FILE:5: nmin: wrong type; write nmin = 5"},
		{"number for string", "", "", "log=5", `FILE:1: log: wrong type; write log = "…"`},
		{"number for duration", "", "", "backdate=5", `FILE:1: backdate: wrong type; write backdate = "12h"`},
		{"number for mode", "", "", "listen_mode=660", `FILE:1: listen_mode: wrong type; write listen_mode = "0660"`},
		{"string for boolean", "", "", "any_type='yes'", "FILE:1: any_type: wrong type; write any_type = true"},
		{"list for string", "", "", "log=['a']", `FILE:1: log: wrong type; write log = "…"`},
		{"number in a list", "", "", "listen=['unix:a', 5]", `FILE:1: listen: wrong type; write listen = ["…", "…"]`},
		{"inline issuer", "", "", "issuer=[{index='i'}]", `FILE:1: unknown key "issuer"`},
		{"number out of range", "", "", inFile + "nmin=0x1_0000_0000", `FILE:5: nmin: "4294967296" is no whole number from 1 to 2147483647`},
		{"value in a list", "", "", "listen=['unix:a',\n 'udp:b']", `FILE:1: listen: "udp:b" is none of unix:PATH, tcp:HOST:PORT, http:HOST:PORT`},
		{"issuer without files", "", "", "\n[[issuer]]", "FILE:2: no index; name the index.txt of the CA|FILE:2: no CA; name the file with the certificate of the CA|FILE:2: no rsigner; name the certificate that signs the answers"},
		{"key without certificate in the file", "", "", "[[issuer]]\nindex='i'\nCA='c'\nrkey='k'\n[[issuer.signer]]\nrsigner='s'", "FILE:1: no rsigner; name the certificate that belongs to the key"},
		{"no TOML", "", "", "log='a'\nnonces = \n", "FILE:2: unexpected character U+000A at start of value"},
		{"no TOML at the end", "", "", "log='a", "FILE:1: unterminated literal string"},
		{"all at once", "-foo -nmin 0 -index i", "OCSP_FOO=1", "log=1", "-foo (argument 1): unknown flag|OCSP_FOO: unknown setting; did you mean OCSP_LOG?|FILE:1: log: wrong type; write log = \"…\"|" +
			`-nmin (argument 2): "0" is no whole number from 1 to 2147483647|command line, argument 4: no -CA; name the file with the certificate of the CA|command line, argument 4: no -rsigner; name the certificate that signs the answers`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, dir, err := load(t, c.args, c.environ, c.file)
			if err == nil {
				t.Fatalf("no error; %+v", got)
			}
			text := strings.ReplaceAll(err.Error(), filepath.Join(dir, "ocspcgi.toml"), "FILE")
			if want := strings.ReplaceAll(c.want, "|", "\n"); text != want {
				t.Errorf("got\n%s\nwant\n%s", text, want)
			}
			if got == nil || got.Issuers != nil {
				t.Errorf("config %+v with the error", got)
			}
		})
	}
}

// A faulty setting still leaves the log to write the fault to.
func TestLogWithFault(t *testing.T) {
	c, _, err := load(t, "-log /var/log/x -nmin 0 -index i", "", "")
	if err == nil || c.Log != "/var/log/x" {
		t.Errorf("log %q, %v", c.Log, err)
	}
}

func TestUnreadableFile(t *testing.T) {
	dir := t.TempDir()
	if _, err := config.Load(nil, nil, dir); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("a folder for a file: %v", err)
	}
	huge := filepath.Join(dir, "huge.toml")
	write(t, huge, strings.Repeat("#", 4<<20+1))
	if _, err := config.Load(nil, nil, huge); err == nil || err.Error() != "configuration: read "+huge+": larger than 4 MiB" {
		t.Errorf("a huge file: %v", err)
	}
}

// The phrase is nowhere but in PassIn itself.
func TestPhraseStaysSecret(t *testing.T) {
	const issuer = " -index i -CA c -rsigner s"
	for name, args := range map[string]string{
		"good":             "-passin pass:sesame" + issuer,
		"attached":         "-passin=pass:sesame" + issuer,
		"with a space":     "-passin pass:open sesame" + issuer,
		"with a dash":      "-passin pass:open -sesame" + issuer,
		"misspelt":         "-pasin pass:sesame" + issuer,
		"misspelt =":       "-pasin=pass:sesame" + issuer,
		"misspelt, dash":   "-pasin pass:open -sesame" + issuer,
		"misspelt =, dash": "-pasin=pass:open -sesame" + issuer,
		"no source":        "-passin sesame" + issuer,
		"wrong source":     "-passin fd:sesame" + issuer,
		"twice":            "-passin pass:sesame -passin pass:sesame" + issuer,
		"without index":    "-passin pass:sesame",
	} {
		c, _, err := load(t, args, "OCSP_PASIN=pass:sesame;OCSP_PASSIN=pass:sesame", "[[issuer]]\npassin = 'pass:sesame'\npasin = 'pass:sesame'\nrmd = 5\n")
		seen, jerr := json.Marshal(c)
		if jerr != nil {
			t.Fatal(jerr)
		}
		all := fmt.Sprintf("%v %+v %#v %q %s", c, c, c, err, seen)
		for _, i := range c.Issuers {
			p := i.Signers[0].PassIn
			all += fmt.Sprintf("%v %s %q %d %x %#v %+v", i, p, p, p, p, p, p) + p.String()
		}
		if strings.Contains(all, "sesame") || strings.Contains(all, "736573616d65") {
			t.Errorf("%s: %s", name, all)
		}
	}
	for source, want := range map[string]string{"": "", "pass:x": "pass:***", "x": "pass:***", "env:P": "env:P", "file:p": "file:p", "fd:3": "fd:3", "stdin": "stdin"} {
		if got := config.Secret(source).String(); got != want {
			t.Errorf("%q shows as %q", source, got)
		}
	}
}

func TestTOML(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "o.toml"), "\ufeff"+`# as in the documentation
listen = ["unix:run/o.sock", "unix:/run/o.sock", # one more
  "http:[::1]:80"]
port = 2560
admin = "unix:run/admin.sock"
timeout = 30
cache_bytes = 1_024
cache = 'cache'
log_remote = false
require_signed = "ra.crt"
backdate = "10m"

[[issuer]]
CA      = "root/ca.crt"
index   = "root/index.txt"
rsigner = "/etc/ocsp.crt"
rkey    = "root/ocsp.key"
passin  = "file:root/pw"
nmin    = 720
rother  = ["a.crt", "/b.crt"]

[[issuer]]
CA      = "sub/ca.crt"
index   = "sub/index.txt"
resp_no_certs = true
rsigopt = ["rsa_padding_mode:pss"]
[[issuer.signer]]
rsigner = "sub/1.crt"
[[issuer.signer]]
rsigner = "sub/2.crt"
passin  = "env:P"
`)
	write(t, filepath.Join(dir, "issuers.d/b.toml"), "CA='b.crt'\nindex='b.txt'\nrsigner='b.pem'\n")
	write(t, filepath.Join(dir, "issuers.d/a.toml"), "# moved here\n[[issuer]]\nCA='/a.crt'\nindex='/a.txt'\n[[issuer.signer]]\nrsigner='/a.pem'\n[[signer]]\nrsigner='/a2.pem'")
	write(t, filepath.Join(dir, "issuers.d/.hidden.toml"), "nonsense")
	write(t, filepath.Join(dir, "issuers.d/README"), "nonsense")
	c, err := config.Load(nil, []string{"OCSP_CONFIG=" + filepath.Join(dir, "o.toml")}, "")
	if err != nil {
		t.Fatal(err)
	}
	got := strings.ReplaceAll(short(c.Issuers), dir, "DIR")
	want := "DIR/root/index.txt DIR/root/ca.crt 12h0m0s [/etc/ocsp.crt DIR/root/ocsp.key file:DIR/root/pw] DIR/a.crt+/b.crt; " +
		"DIR/sub/index.txt DIR/sub/ca.crt 12h0m0s [DIR/sub/1.crt DIR/sub/1.crt ] [DIR/sub/2.crt DIR/sub/2.crt env:P] rsa_padding_mode:pss nocerts; " +
		"/a.txt /a.crt 12h0m0s [/a.pem /a.pem ] [/a2.pem /a2.pem ]; " +
		"DIR/issuers.d/b.txt DIR/issuers.d/b.crt 12h0m0s [DIR/issuers.d/b.pem DIR/issuers.d/b.pem ]"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	global := strings.ReplaceAll(strings.TrimSpace(fmt.Sprintln(c.Listen, c.Port, c.Admin, c.Timeout, c.CacheBytes, c.Cache, c.LogRemote, c.RequireSigned, c.Backdate)), dir, "DIR")
	if want := "[unix:DIR/run/o.sock unix:/run/o.sock http:[::1]:80 http::2560] 2560 unix:DIR/run/admin.sock 30s 1024 DIR/cache false [DIR/ra.crt] 10m0s"; global != want {
		t.Errorf("got  %s\nwant %s", global, want)
	}
	for i, want := range []string{"o.toml:13", "o.toml:22", "issuers.d/a.toml:1", "issuers.d/b.toml:1"} {
		if c.Issuers[i].Where != filepath.Join(dir, want) {
			t.Errorf("issuer %d is at %s", i, c.Issuers[i].Where)
		}
	}
	if where := c.Issuers[1].Signers[1].Where; where != filepath.Join(dir, "o.toml:29") {
		t.Errorf("signer at %s", where)
	}
}

func TestIssuerFolder(t *testing.T) {
	const good = "CA='c'\nindex='i'\nrsigner='s'\n"
	for _, c := range []struct{ name, content, want string }{
		{"alone, the main file absent", good, ""},
		{"two issuers", good + "[[issuer]]\n" + good, "FILE:4: a file in issuers.d has one issuer; give the second a file of its own"},
		{"two headers", "[[issuer]]\n[[issuer]]\n" + good, "FILE:2: a file in issuers.d has one issuer; give the second a file of its own\nFILE:1: no index; name the index.txt of the CA\nFILE:1: no CA; name the file with the certificate of the CA\nFILE:1: no rsigner; name the certificate that signs the answers"},
		{"global key", good + "log='l'", "FILE:4: log belongs above the first [[issuer]], in the main file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "issuers.d", "x.toml")
			write(t, file, c.content)
			got, err := config.Load(nil, nil, filepath.Join(dir, "absent.toml"))
			text := ""
			if err != nil {
				text = strings.ReplaceAll(err.Error(), file, "FILE")
			}
			if text != c.want || err == nil && len(got.Issuers) != 1 {
				t.Errorf("got\n%s\nwant\n%s\n%+v", text, c.want, got)
			}
		})
	}
	t.Run("not read when flags name the issuers", func(t *testing.T) {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "issuers.d", "x.toml"), "nonsense")
		if _, err := config.Load(strings.Fields("-index i -CA c -rsigner s"), nil, filepath.Join(dir, "absent.toml")); err != nil {
			t.Error(err)
		}
	})
	t.Run("not readable", func(t *testing.T) {
		dir := t.TempDir()
		name := filepath.Join(dir, "issuers.d", "x.toml")
		if err := os.MkdirAll(name, 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := config.Load(nil, nil, filepath.Join(dir, "absent.toml")); err == nil || err.Error() != "configuration: read "+name+": is a directory" {
			t.Error(err)
		}
	})
}
