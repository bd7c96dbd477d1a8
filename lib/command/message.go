package command

import (
	"bytes"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"golang.org/x/term"
)

// The PEM types of openssl.
const (
	pemRequest  = "OCSP REQUEST"
	pemResponse = "OCSP RESPONSE"
)

// unwrap returns the DER in data, which may be PEM, base64, or base64url with
// escapes or without, as it stands in the path of a GET.
func unwrap(data []byte) ([]byte, error) {
	if bytes.HasPrefix(data, []byte{0x30}) && !bytes.HasPrefix(data, []byte("0 ")) {
		return data, nil
	}
	text := bytes.TrimSpace(data)
	switch {
	case len(text) == 0:
		return nil, errors.New("nothing is there: 0 bytes")
	case bytes.Contains(text, []byte("-----BEGIN ")):
		block, _ := pem.Decode(text)
		if block == nil {
			return nil, errors.New("damaged PEM: no block can be read")
		}
		return block.Bytes, nil
	}
	if i := bytes.IndexFunc(text, notBase64); i >= 0 {
		return nil, fmt.Errorf("neither DER, which begins with 30, nor PEM nor base64: byte %d is %#02x", i, text[i])
	}
	return fromBase64(string(text))
}

// notBase64 finds what no form of base64 has.
func notBase64(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("+/=-_% \t\r\n", r))
}

func fromBase64(text string) ([]byte, error) {
	if plain, err := url.PathUnescape(text); err == nil {
		text = plain
	}
	text = strings.Join(strings.Fields(text), "")
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimLeft(text, "/"))
	der, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	if at := base64.CorruptInputError(0); errors.As(err, &at) {
		return nil, fmt.Errorf("damaged base64 at its character %d", int64(at))
	}
	return der, err
}

// wrap returns der as it is, or as PEM.
func wrap(der []byte, form, pemType string) ([]byte, error) {
	switch strings.ToUpper(form) {
	case "", "DER":
		return der, nil
	case "PEM":
		return pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der}), nil
	}
	return nil, misused("-outform %s: there are DER and PEM", form)
}

// write writes what a verb has made to a file, or to stdout, unless that would
// write DER onto a terminal.
func (v *verb) write(path, form, pemType string, der []byte) error {
	data, err := wrap(der, form, pemType)
	if err != nil {
		return err
	}
	if path != "" && path != "-" && path != "/dev/stdout" {
		return os.WriteFile(path, data, 0o666)
	}
	if f, ok := v.Stdout.(*os.File); ok && data[0] == 0x30 && term.IsTerminal(int(f.Fd())) {
		return misused("DER is not for a terminal: name a file with -out, or take -outform PEM")
	}
	_, err = v.Stdout.Write(data)
	return err
}
