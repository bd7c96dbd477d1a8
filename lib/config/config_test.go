package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"ocspcgi/lib/config"
)

// load takes flags and environment as words, and a file's content.
func load(t testing.TB, args, environ, file string) (*config.Config, string, error) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "ocspcgi.toml")
	if file != "" {
		write(t, name, file)
	}
	c, err := config.Load(strings.Fields(args), fields(environ), name)
	return c, filepath.Dir(name), err
}

// fields cuts at semicolons, for environments have spaces.
func fields(environ string) []string {
	if environ == "" {
		return nil
	}
	return strings.Split(environ, ";")
}

func write(t testing.TB, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// short writes issuers in one line: index CA lifetime [signer key passin]…,
// then what else was said.
func short(issuers []config.Issuer) string {
	var out []string
	for _, i := range issuers {
		ca := i.CA
		if i.CADir != "" {
			ca += i.CADir + "/"
		}
		s := fmt.Sprintf("%s %s %s", i.Index, ca, i.Lifetime)
		for _, g := range i.Signers {
			s += fmt.Sprintf(" [%s %s %s]", g.RSigner, g.RKey, string(g.PassIn))
		}
		for _, more := range []string{strings.Join(i.ROther, "+"), i.RMD, strings.Join(i.RSigOpt, "+")} {
			if more != "" {
				s += " " + more
			}
		}
		if i.RespNoCerts {
			s += " nocerts"
		}
		out = append(out, s)
	}
	return strings.Join(out, "; ")
}

func TestGroups(t *testing.T) {
	for _, c := range []struct{ name, args, want string }{
		{"one", "-index i -CA c -rsigner s -rkey k", "i c 12h0m0s [s k ]"},
		{"key in the certificate's file", "-index i -CA c -rsigner s", "i c 12h0m0s [s s ]"},
		{"two dashes and =", "--index=i --CA c -rsigner=s", "i c 12h0m0s [s s ]"},
		{"all of it", "-index i -CA c -rsigner s -rkey k -passin env:P -rother o -rmd sha384 -rsigopt a:b -nmin 90 -ndays 2 -resp_no_certs",
			"i c 49h30m0s [s k env:P] o sha384 a:b nocerts"},
		{"a second index", "-index i -CA c -rsigner s -index j -CA d -rsigner t -rkey l", "i c 12h0m0s [s s ]; j d 12h0m0s [t l ]"},
		{"files before the first index are of the first", "-CA c -rsigner s -rkey k -index i -index j -CA d -rsigner t",
			"i c 12h0m0s [s k ]; j d 12h0m0s [t t ]"},
		{"the rest before it is for all", "-nmin 60 -rmd sha512 -passin env:P -resp_no_certs -index i -CA c -rsigner s -index j -CA d -rsigner t",
			"i c 1h0m0s [s s env:P] sha512 nocerts; j d 1h0m0s [t t env:P] sha512 nocerts"},
		{"a group's own goes first", "-nmin 60 -passin env:P -index i -CA c -rsigner s -nmin 30 -passin env:Q -index j -CA d -rsigner t",
			"i c 30m0s [s s env:Q]; j d 1h0m0s [t t env:P]"},
		{"false takes a default back", "-resp_no_certs -index i -CA c -rsigner s -resp_no_certs=false", "i c 12h0m0s [s s ]"},
		{"a directory", "-ca-dir d", " d/ 12h0m0s [  ]"},
		{"a directory, and a signer that is named", "-ca-dir d -rsigner s -rkey k -passin env:P", " d/ 12h0m0s [s k env:P]"},
		{"a directory, and the pass phrase of what it has", "-passin env:P -nmin 60 -ca-dir d -ca-dir e -passin env:Q", " d/ 1h0m0s [  env:P];  e/ 1h0m0s [  env:Q]"},
		{"a directory after an index", "-index i -CA c -rsigner s -ca-dir d", "i c 12h0m0s [s s ];  d/ 12h0m0s [  ]"},
		{"two signers", "-index i -CA c -rsigner s -rkey k -passin env:P -rsigner t -rsigner u -rkey l",
			"i c 12h0m0s [s k env:P] [t t ] [u l ]"},
		{"two signers before the index", "-rsigner s -rkey k -rsigner t -rkey l -index i -CA c", "i c 12h0m0s [s k ] [t l ]"},
		{"a key before its certificate", "-index i -passin env:P -rkey k -CA c -rsigner s", "i c 12h0m0s [s k env:P]"},
		{"a second group's key before its certificate", "-index i -CA c -rsigner s -index j -rkey l -CA d -rsigner t",
			"i c 12h0m0s [s s ]; j d 12h0m0s [t l ]"},
		{"lists add up", "-rother o -rsigopt a:b -index i -CA c -rsigner s -rother p -rsigopt c:d -rother q -index j -CA d -rsigner t",
			"i c 12h0m0s [s s ] o+p+q a:b+c:d; j d 12h0m0s [t t ] o a:b"},
		{"minutes and days in any order", "-ndays 1 -index i -CA c -rsigner s -nmin 30", "i c 24h30m0s [s s ]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, _, err := load(t, c.args, "", "")
			if err != nil {
				t.Fatal(err)
			}
			if got := short(got.Issuers); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// permute calls f with every order of the parts.
func permute(parts []string, f func(string)) {
	var step func(done, left []string)
	step = func(done, left []string) {
		if len(left) == 0 {
			f(strings.Join(done, " "))
		}
		for i := range left {
			rest := append(append([]string(nil), left[:i]...), left[i+1:]...)
			step(append(done[:len(done):len(done)], left[i]), rest)
		}
	}
	step(nil, parts)
}

// The command lines of two guides, in every order.
func TestOpenSSLLines(t *testing.T) {
	for name, parts := range map[string][]string{
		"jamielinux": {"-port 127.0.0.1:2560", "-text -sha256", "-index intermediate/index.txt", "-CA ca-chain.cert.pem",
			"-rkey ocsp.key.pem", "-rsigner ocsp.cert.pem", "-nrequest 1"},
		"LibreSSL CGI": {"-index INDEX", "-CA CA", "-rkey RKEY", "-rsigner RSIGNER", "-nmin 5", "-reqin /dev/stdin", "-respout /dev/stdout"},
		"LibreSSL":     {"-port 9080", "-index INDEX", "-rsigner RSIGNER", "-rkey RKEY", "-CA CA", "-text"},
	} {
		want, _, err := load(t, strings.Join(parts, " "), "", "")
		if err != nil {
			t.Fatal(err)
		}
		orders := 0
		permute(parts, func(args string) {
			orders++
			got, err := config.Load(strings.Fields(args), nil, "/nonexistent/ocspcgi.toml")
			if err != nil {
				t.Fatalf("%s: %s: %v", name, args, err)
			}
			for _, c := range []*config.Config{got, want} {
				c.Warnings, c.Issuers[0].Where, c.Issuers[0].Signers[0].Where = nil, "", ""
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("%s: %s\ngot  %+v\nwant %+v", name, args, got, want)
			}
		})
		if orders < 720 {
			t.Errorf("%s: %d orders", name, orders)
		}
	}
}

func TestGuideLine(t *testing.T) {
	c, _, err := load(t, "-port 127.0.0.1:2560 -text -sha256 -index i -CA c -rkey k -rsigner s -nrequest 1", "", "")
	if err != nil {
		t.Fatal(err)
	}
	want := &config.Config{
		Issuers: []config.Issuer{{Where: "command line, argument 5", Index: "i", CA: "c", Lifetime: 12 * time.Hour,
			Signers: []config.Signer{{Where: "command line, argument 11", RSigner: "s", RKey: "k"}}}},
		Listen: []string{"http:127.0.0.1:2560"}, Port: "127.0.0.1:2560", ListenMode: 0o660,
		Text: true, NRequest: 1, LogRemote: true, Confine: true, Nonces: "echo", Unassigned: "unknown",
		Backdate: 5 * time.Minute, CacheBytes: 64 << 20,
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
}

func TestPrecedence(t *testing.T) {
	const fileIssuer = "[[issuer]]\nindex='f'\nCA='f'\nrsigner='f'\n"
	const envIssuer = "OCSP_INDEX=e;OCSP_CA=e;OCSP_RSIGNER=e"
	for _, c := range []struct{ name, args, environ, file, hyperlink, index string }{
		{"nothing", "", "", "", "", ""},
		{"file", "", "", "hyperlink='f'\n" + fileIssuer, "f", "DIR/f"},
		{"environment before file", "", "OCSP_HYPERLINK=e;" + envIssuer, "hyperlink='f'\n" + fileIssuer, "e", "e"},
		{"flags before both", "-hyperlink a -index a -CA a -rsigner a", "OCSP_HYPERLINK=e;" + envIssuer, "hyperlink='f'\n" + fileIssuer, "a", "a"},
		{"scalars from the file, issuers from flags", "-index a -CA a -rsigner a", "", "hyperlink='f'\n" + fileIssuer, "f", "a"},
		{"scalars from flags, issuers from the environment", "-hyperlink a", envIssuer, fileIssuer, "a", "e"},
		{"scalars from the environment, issuers from the file", "", "OCSP_HYPERLINK=e", fileIssuer, "e", "DIR/f"},
		{"an empty variable is none", "", "OCSP_HYPERLINK=;OCSP_INDEX=", "hyperlink='f'\n" + fileIssuer, "f", "DIR/f"},
		{"the first of two variables", "", "OCSP_HYPERLINK=e;OCSP_HYPERLINK=e2", "", "e", ""},
		{"CGI-03 HTTP_ is the client's", "", "HTTP_OCSP_CONFIG=/x;HTTP_OCSP_INDEX=x;HTTP_OCSP_HYPERLINK=x;REQUEST_METHOD=GET", "hyperlink='f'", "f", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, dir, err := load(t, c.args, c.environ, c.file)
			if err != nil {
				t.Fatal(err)
			}
			index := ""
			for _, i := range got.Issuers {
				index += strings.ReplaceAll(i.Index, dir, "DIR")
			}
			if got.Hyperlink != c.hyperlink || index != c.index {
				t.Errorf("hyperlink %q index %q", got.Hyperlink, index)
			}
		})
	}
}

func TestEnvironment(t *testing.T) {
	c, _, err := load(t, "", "PATH=/bin;OCSP_INDEX=/my ca/index.txt;OCSP_CA=c;OCSP_RSIGNER=s;OCSP_RKEY=k;OCSP_PASSIN=file:p;OCSP_NMIN=90;OCSP_NDAYS=1;"+
		"OCSP_ROTHER=a  b;OCSP_RESP_NO_CERTS=on;OCSP_LOG_REMOTE=no;OCSP_CACHE=/var/cache;OCSP_LISTEN=unix:/s tcp:[::1]:9000", "")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := short(c.Issuers), "/my ca/index.txt c 25h30m0s [s k file:p] a+b nocerts"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if c.LogRemote || c.Cache != "/var/cache" || strings.Join(c.Listen, " ") != "unix:/s tcp:[::1]:9000" || c.Issuers[0].Where != "environment" {
		t.Errorf("%+v", c)
	}
}

func TestValues(t *testing.T) {
	for _, c := range []struct {
		args string
		got  func(*config.Config) any
		want any
	}{
		{"-port 2560", func(c *config.Config) any { return c.Listen }, []string{"http::2560"}},
		{"-port localhost:2560", func(c *config.Config) any { return c.Listen }, []string{"http:localhost:2560"}},
		{"-port [::1]:2560", func(c *config.Config) any { return c.Listen }, []string{"http:[::1]:2560"}},
		{"-listen unix:a -port 80 -listen tcp::9000", func(c *config.Config) any { return c.Listen }, []string{"unix:a", "tcp::9000", "http::80"}},
		{"-admin http:127.0.0.1:9100", func(c *config.Config) any { return c.Admin }, "http:127.0.0.1:9100"},
		{"-admin unix:a", func(c *config.Config) any { return c.Admin }, "unix:a"},
		{"-timeout 30", func(c *config.Config) any { return c.Timeout }, 30 * time.Second},
		{"-timeout 1m30s", func(c *config.Config) any { return c.Timeout }, 90 * time.Second},
		{"-backdate 0", func(c *config.Config) any { return c.Backdate }, time.Duration(0)},
		{"-backdate 12h", func(c *config.Config) any { return c.Backdate }, 12 * time.Hour},
		{"-archive 90d", func(c *config.Config) any { return c.Archive }, 90 * 24 * time.Hour},
		{"-cache_bytes 4096", func(c *config.Config) any { return c.CacheBytes }, int64(4096)},
		{"-cache_bytes 64M", func(c *config.Config) any { return c.CacheBytes }, int64(64 << 20)},
		{"-cache_bytes 2KiB", func(c *config.Config) any { return c.CacheBytes }, int64(2048)},
		{"-cache_bytes 1G", func(c *config.Config) any { return c.CacheBytes }, int64(1 << 30)},
		{"-listen_mode 0600", func(c *config.Config) any { return c.ListenMode }, os.FileMode(0o600)},
		{"-log_remote=false", func(c *config.Config) any { return c.LogRemote }, false},
		{"-reqin - -respout /dev/stdout", func(c *config.Config) any { return c.ReqIn + " " + c.RespOut }, "- /dev/stdout"},
		{"-unassigned revoked -nonces ignore", func(c *config.Config) any { return c.Unassigned + " " + c.Nonces }, "revoked ignore"},
		{"-require_signed a -require_signed b", func(c *config.Config) any { return c.RequireSigned }, []string{"a", "b"}},
		{"-help -nonsense", func(c *config.Config) any { return c.Help }, true},
	} {
		got, _, err := load(t, c.args, "", "")
		if err != nil {
			t.Errorf("%s: %v", c.args, err)
			continue
		}
		if got := c.got(got); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, want %v", c.args, got, c.want)
		}
	}
}

func TestWarnings(t *testing.T) {
	const issuer = " -index i -CA c -rsigner s"
	for args, want := range map[string]string{
		"-sha256 -multi 4 -ignore_err -resp_key_id -ndays 1" + issuer: "",
		"-nmin 10" + issuer:     "",
		"-nmin 9" + issuer:      "command line, argument 3: a lifetime of 9 minutes is refused by HAProxy and leaves gaps behind nginx; 720 suits both",
		"-nonce -reqin r":       "-nonce (argument 1): changes nothing: the answer has a nonce when the request has one",
		"-rcid sha1":            "-rcid (argument 1): changes nothing: the answer repeats the CertID of the request",
		"-CAfile a":             "-CAfile (argument 1): changes nothing: it is for clients and for verifying",
		"-noverify -noverify":   "-noverify (argument 1): changes nothing: it is for clients and for verifying|-noverify (argument 2): changes nothing: it is for clients and for verifying",
		"-provider legacy":      "-provider (argument 1): changes nothing: there is no OpenSSL here to load anything into",
		"-header a=b -no_nonce": "-no_nonce (argument 3): changes nothing: it is for clients and for verifying|-header (argument 1): changes nothing: it is for clients and for verifying",
	} {
		c, _, err := load(t, args, "", "")
		if err != nil {
			t.Errorf("%s: %v", args, err)
		}
		if got := strings.Join(c.Warnings, "|"); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", args, got, want)
		}
	}
}
