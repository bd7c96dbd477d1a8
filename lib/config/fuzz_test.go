package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"ocspcgi/lib/config"
)

// argSeeds are command lines with a newline between the words.
var argSeeds = []string{
	"", "-", "--", "-=", "=", "-text", "--text=false", "-index", "-index\ni\n-CA\nc\n-rsigner\ns",
	"-rkey\nk\n-index\ni\n-rsigner\ns\n-rsigner\nt\n-passin\nenv:P", "-nmin\n5\n-ndays\n1\n-index\ni",
	"-port\n127.0.0.1:2560\n-text\n-sha256\n-index\ni\n-CA\nc\n-rkey\nk\n-rsigner\ns\n-nrequest\n1",
	"-index\ni\n-index\nj", "-CA\n-CA\n-CA", "-idnex\nx", "-port\n[::1]:1\n-port\n2", "-listen\nunix:\n-listen\ntcp:",
	"-passin\npass:\n-passin", "-ndays\n99999999999999999999", "-cache_bytes\n9G\n-archive\n9d9h9m9s", "-listen_mode\n0777",
	"-nonce\n-rcid\nsha1\n-badsig", "-config\n/dev/null", "-\xff\xfe", "-rsigopt\n:\n-rother\n\n-rmd\n",
}

var tomlSeeds = []string{
	"", "\n", "#", "\ufeff", "log='x'", "log=1", "log", "log=", "listen=['unix:a', 'tcp::1']", "listen=[]", "listen=[[]]",
	"[[issuer]]", "[issuer]", "[[issuer.signer]]", "[[issuer]]\n[[issuer.signer]]\nrsigner='s'",
	"[[issuer]]\nindex='i'\nCA='c'\nrsigner='s'\nrkey='k'\npassin='file:p'\nnmin=5\nndays=0x10\nrother=['a']",
	"port=2560\ntimeout='30s'\ncache_bytes=1_000", "a.b.c=1", "\"in dex\"=1", "issuer={index='i'}", "log='''\nx'''",
	"log=\"\\u0041\"", "nmin=1.5", "backdate=12:00:00", "log='a'\nlog='b'", "\xff", "[[issuer]]\nnmin=99999999999999999999",
	"listen=[ # c\n'unix:a', # d\n]", strings.Repeat("[", 100),
}

func TestSeeds(t *testing.T) {
	if len(argSeeds) < 20 || len(tomlSeeds) < 20 {
		t.Errorf("%d and %d seeds", len(argSeeds), len(tomlSeeds))
	}
}

// same loads twice and wants the same answer, with issuers or an error, each
// issuer complete.
func same(t *testing.T, load func() (*config.Config, error)) (*config.Config, error) {
	c, err := load()
	again, err2 := load()
	if fmt.Sprint(err) != fmt.Sprint(err2) || !reflect.DeepEqual(c, again) {
		t.Fatalf("%+v %v\nand then %+v %v", c, err, again, err2)
	}
	if err != nil && c.Issuers != nil {
		t.Fatalf("issuers with error %v", err)
	}
	for _, i := range c.Issuers {
		if i.Where == "" || i.Index == "" || i.CA == "" || i.Lifetime <= 0 || len(i.Signers) == 0 {
			t.Fatalf("issuer %+v", i)
		}
		for _, s := range i.Signers {
			if s.Where == "" || s.RSigner == "" || s.RKey == "" {
				t.Fatalf("signer %+v", s)
			}
		}
	}
	return c, err
}

// A phrase behind any command line is never shown.
func FuzzArgs(f *testing.F) {
	for _, s := range argSeeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		const phrase = "uTtErLyUnGuEsSaBlE"
		args := append(strings.Split(line, "\n"), "-passin", "pass:"+phrase)
		for _, a := range args {
			if strings.Contains(a, "config") {
				return // it may name any file
			}
		}
		c, err := same(t, func() (*config.Config, error) { return config.Load(args, nil, "/nonexistent/o.toml") })
		if shown := fmt.Sprintf("%+v %#v %v", c, c, err); strings.Contains(shown, phrase) {
			t.Fatal(shown)
		}
	})
}

func FuzzTOML(f *testing.F) {
	for _, s := range tomlSeeds {
		f.Add(s)
	}
	name := filepath.Join(f.TempDir(), "o.toml")
	f.Fuzz(func(t *testing.T, content string) {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		same(t, func() (*config.Config, error) { return config.Load(nil, nil, name) })
	})
}
