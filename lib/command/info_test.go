package command_test

import (
	"bytes"
	"encoding/base64"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ocspcgi/lib/command"
	"ocspcgi/lib/wire"
)

// shown is what info says of bytes on stdin.
func shown(data []byte, args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	shell := &command.Shell{Stdin: bytes.NewReader(data), Stdout: &out, Stderr: &err}
	code = shell.Verb("info")(args)
	return code, out.String(), err.String()
}

// samples are the recorded requests, and an answer.
func samples(t testing.TB) [][]byte {
	t.Helper()
	files, err := filepath.Glob("../../testdata/requests/*.der")
	if err != nil || len(files) < 11 {
		t.Fatal(len(files), err)
	}
	all := [][]byte{wire.ErrorResponse(3), answer(t)}
	for _, file := range files {
		der, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, der)
	}
	return all
}

// answer is a response that sign has made.
func answer(t testing.TB) []byte {
	t.Helper()
	const ca = "../../testdata/ca/intermediate/"
	var out, err bytes.Buffer
	shell := &command.Shell{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &err}
	code := shell.Verb("sign")([]string{"-serial", "1003", "-status", "revoked", "-revocation-reason", "superseded", "-nonce", "0102",
		"-ca", ca + "certs/intermediate.cert.pem", "-cert", ca + "certs/ocsp-p256.example.com.cert.pem", "-key", ca + "private/ocsp-p256.example.com.key.pem"})
	if code != 0 {
		t.Fatal(err.String())
	}
	return out.Bytes()
}

// Whatever is cut off of a message, info says so, and at which byte.
func TestInfoOfWhatIsCutOff(t *testing.T) {
	for i, der := range samples(t) {
		if code, _, stderr := shown(der); code != 0 {
			t.Fatalf("sample %d: %s", i, stderr)
		}
		for n := 1; n < len(der); n++ {
			if code, stdout, stderr := shown(der[:n]); code != 1 || stdout != "" || !strings.Contains(stderr, ": byte ") {
				t.Fatalf("sample %d: the first %d of %d bytes: %d %s%s", i, n, len(der), code, stdout, stderr)
			}
		}
	}
}

// info reads what wire reads, says something of all else, and reads it in every
// form alike.
func FuzzInfo(f *testing.F) {
	for _, der := range samples(f) {
		f.Add(der)
		f.Add(der[:len(der)/2])
		f.Add([]byte(base64.URLEncoding.EncodeToString(der)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		code, stdout, stderr := shown(data)
		if (code == 0) != (stderr == "") || (code == 0) == (stdout == "") || code > 1 {
			t.Fatalf("%d, %q, %q", code, stdout, stderr)
		}
		if len(data) < 2 || data[0] != 0x30 || data[1] == ' ' {
			return
		}
		_, requestErr := wire.ParseRequest(data)
		_, responseErr := wire.ParseResponse(data)
		if (code == 0) != (requestErr == nil || responseErr == nil) {
			t.Fatalf("%d, but %v, %v; %s", code, requestErr, responseErr, stderr)
		}
		for _, form := range [][]byte{
			pem.EncodeToMemory(&pem.Block{Type: "OCSP RESPONSE", Bytes: data}),
			[]byte(base64.StdEncoding.EncodeToString(data)), []byte(base64.RawURLEncoding.EncodeToString(data)),
		} {
			if c, out, said := shown(form); c != code || out != stdout || said != stderr {
				t.Fatalf("%d %q %q, but in another form %d %q %q", code, stdout, stderr, c, out, said)
			}
		}
	})
}
