package cadir

import (
	"os"
	"strings"
	"testing"
)

var confs = map[string]string{
	"[ca]\ndefault_ca = c\n[c]\ndir=/a # b\ndatabase = $dir/index.txt":             "/a/index.txt",
	"default_ca = c\n[ c ]\r\ndir = /a\r\ndatabase=${dir}/x$(dir)\r\n":             "/a/x/a",
	"d = /z\n[o]\nd=/a\n[ca]\ndefault_ca=c\n[c]\ndatabase = $o::d/i$d/${o::d}":     "/a/i/z//a",
	"[ca]\ndefault_ca=c\n[c]\ndatabase = \"/a b#c/i\" # no":                        "/a b#c/i",
	"[ca]\ndefault_ca=c\n[c]\ndatabase = /a\\\n/i\n":                               "/a/i",
	"[ca]\ndefault_ca=c\n[c]\ndatabase = /a\\$b\\#c":                               "/a$b#c",
	"c::database = /a\n[ca]\ndefault_ca=c\n":                                       "/a",
	"[ca]\ndefault_ca=c\n[c]\ndatabase = $ENV::PKI/i":                              elsewhere + "/i",
	".include x\n[ca]\ndefault_ca=c\n[c]\ndatabase = $none/i":                      "/i",
	"[ca]\ndefault_ca=c\n[c]\ndatabase = a$":                                       "a",
	"[ca]\ndefault_ca=c\n[c]\ndatabase = /first\ndatabase = /second":               "/second",
	"#[ca]\n;default_ca=d\n[ca]\ndefault_ca=c\n[c]\n# database=/x\ndatabase = a;b": "a;b",
}

func TestConf(t *testing.T) {
	for text, want := range confs {
		c, err := parseConf(strings.NewReader(text))
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := c.get(c.get("ca", "default_ca"), "database"); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestConfDoesNotGrow(t *testing.T) {
	text := "a = xxxxxxxxxxxxxxxx\n" + strings.Repeat("a = $a$a\n", 100)
	if _, err := parseConf(strings.NewReader(text)); err == nil || err.Error() != "a value of more than 4096 bytes" {
		t.Errorf("doubled a hundred times: %v", err)
	}
}

// Whatever is read reads the same again.
func FuzzConf(f *testing.F) {
	for text := range confs {
		f.Add(text)
	}
	ours, err := os.ReadFile("../../testdata/ca/openssl.cnf")
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range []string{
		string(ours), strings.ReplaceAll(string(ours), "\n", "\r\n"), "", "[", "[]", "=", "a = $", "a = ${a", "a = $(a", "a = $a$a$a", "a = \"", "a = \\",
		".include = /etc/ssl\n.pragma = dollarid:on\na$b = $c", "[ca]\ndefault_ca = ca\n[ca]\ndir = $ca::dir", "\xef\xbb\xbf[ca]\n", "a = '\\n\\x'\\\n b\x00c",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, errA := parseConf(strings.NewReader(text))
		b, errB := parseConf(strings.NewReader(text))
		if (errA == nil) != (errB == nil) || len(a) != len(b) {
			t.Fatalf("%v and %v", errA, errB)
		}
		for section := range a {
			for name, value := range a[section] {
				if b[section][name] != value {
					t.Fatalf("%q and %q", value, b[section][name])
				}
			}
		}
	})
}
