package signer_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"ocspcgi/lib/signer"
)

func environment(name string) (string, bool) {
	switch name {
	case "PHRASE":
		return "open sesame", true
	case "NOTHING":
		return "", true
	}
	return "", false
}

func TestParsePassIn(t *testing.T) {
	p := newPKI(t)
	file := p.write("pw", "open sesame\r\nsecond line\n")
	bare := p.write("bare", "open sesame")
	for source, want := range map[string]string{
		"pass:open sesame": "open sesame",
		"pass:":            "",
		"pass:a:b":         "a:b",
		"env:PHRASE":       "open sesame",
		"env:NOTHING":      "",
		"file:" + file:     "open sesame",
		"file:" + bare:     "open sesame",
	} {
		pass, err := signer.ParsePassIn(source, environment)
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		for range 2 {
			if got, err := pass("key"); err != nil || string(got) != want {
				t.Errorf("%s: %q, %v", source, got, err)
			}
		}
	}
}

func TestParsePassInFaults(t *testing.T) {
	for _, source := range []string{"open sesame", "pass", "env:", "file:", "fd:", "fd:x", "fd:-1", "fd:99999999999", "stdin:", "PASS:sesame", "sesame:sesame"} {
		_, err := signer.ParsePassIn(source, environment)
		if want := "-passin: give pass:PHRASE, env:NAME, file:PATH, fd:N or stdin"; err == nil || err.Error() != want {
			t.Errorf("%s: %v", source, err)
		}
	}
	p := newPKI(t)
	p.write("empty", "")
	p.write("long", strings.Repeat("x", 2000))
	for source, want := range map[string]string{
		"env:ABSENT":                "the key is encrypted, and ABSENT of -passin env:ABSENT is not in the environment",
		"file:" + p.path("absent"):  "the key is encrypted: -passin file: open DIR/absent: no such file or directory",
		"file:" + p.path("empty"):   "the key is encrypted, and -passin file:DIR/empty is empty",
		"file:" + p.path("long"):    "the key is encrypted, and the first line of -passin file:DIR/long is longer than 1024 bytes",
		"file:" + p.path("") + "/.": "the key is encrypted: -passin file:DIR/.: read DIR/.: is a directory",
		"fd:987654":                 "the key is encrypted: -passin fd:987654: bad file descriptor",
	} {
		pass, err := signer.ParsePassIn(source, environment)
		if err != nil {
			t.Fatal(err)
		}
		_, err = pass("key")
		p.wantError(t, err, want)
	}
}

// A descriptor is read once, and no further than the first line.
func TestPassInDescriptor(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if _, err := w.WriteString("open sesame\nfor the next\n"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"open sesame", "for the next"} {
		pass, err := signer.ParsePassIn("fd:"+strconv.Itoa(int(r.Fd())), environment)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if got, err := pass("key"); err != nil || string(got) != want {
				t.Errorf("%q, %v", got, err)
			}
		}
	}
}

// The phrase is asked for once, with the name of the key's file.
func TestPassphraseIsAsked(t *testing.T) {
	p := newPKI(t)
	p.key("plain", "p256")
	p.selfSigned("plain", "ca")
	p.openssl("pkey -in plain.key -aes256 -passout pass:sesame -out sealed.key")
	var asked []string
	pass := func(file string) ([]byte, error) {
		asked = append(asked, file)
		return []byte("sesame"), nil
	}
	for _, key := range []string{"plain.key", "sealed.key"} {
		if _, err := signer.Load(p.path("plain.crt"), p.path(key), pass, signer.Options{}); err != nil {
			t.Error(err)
		}
	}
	if len(asked) != 1 || asked[0] != p.path("sealed.key") {
		t.Errorf("asked for %q", asked)
	}
}
