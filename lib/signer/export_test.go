package signer

import (
	"bufio"
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/asn1"
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

var (
	ParseCertificates = parseCertificates
	PublicKeys        = publicKeys
)

// ParseKey reads the first key in data.
func ParseKey(path string, data []byte, pass Passphrase) (crypto.Signer, error) {
	return parseKey(path, data, pass, nil)
}

// MostIterations is how much work opening a PKCS#12 file is.
func MostIterations(data []byte) int64 { return mostIterations(data) }

// KindOfKey is KindOf for a private key.
func KindOfKey(key crypto.Signer) string { return kindOf(key.Public()) }

// ParseURI reads a PKCS#11 URI, with what the key is called in front of an
// error.
func ParseURI(uri string) (string, error) {
	u, err := parseURI(uri)
	if err != nil {
		return "", fmt.Errorf("%s: %w", uriName(uri), err)
	}
	return fmt.Sprintf("token %q, object %q, id %q, pin %q", u.token, u.object, u.id, u.pinFile), nil
}

// Reframe reads the content of a question's frame, and writes the frame.
func Reframe(content []byte) ([]byte, error) {
	q, err := parseQuestion(content)
	if err != nil {
		return nil, err
	}
	return q.append(nil)
}

// ReadAnswer reads the frame of an answer.
func ReadAnswer(frame []byte) ([]byte, error) {
	content, err := readFrame(bufio.NewReader(bytes.NewReader(frame)))
	if err != nil {
		return nil, err
	}
	return parseAnswer(content)
}

// MACed is a PKCS#12 file of those octets, with the MAC that the phrase makes
// (RFC 7292 §5.1).
func MACed(safe []byte, phrase string) []byte {
	const purposeMAC = 3
	salt := []byte("saltsalt")
	mac := hmac.New(sha1.New, pbe{phrase: []byte(phrase), salt: salt, iterations: 1}.derive(purposeMAC, sha1.Size))
	mac.Write(safe)
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(pfx *cryptobyte.Builder) {
		pfx.AddASN1Int64(3)
		pfx.AddASN1(der.SEQUENCE, func(info *cryptobyte.Builder) {
			info.AddASN1ObjectIdentifier(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1})
			info.AddASN1(der.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { b.AddASN1OctetString(safe) })
		})
		pfx.AddASN1(der.SEQUENCE, func(data *cryptobyte.Builder) {
			data.AddASN1(der.SEQUENCE, func(info *cryptobyte.Builder) {
				info.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26})
					b.AddASN1NULL()
				})
				info.AddASN1OctetString(mac.Sum(nil))
			})
			data.AddASN1OctetString(salt)
			data.AddASN1Int64(1)
		})
	})
	return b.BytesOrPanic()
}

// Hurry leaves a signer process but a moment for each answer.
func (s *Signer) Hurry() {
	s.key.(*remoteKey).Now = func() time.Time { return time.Now().Add(time.Second/5 - askTimeout) }
}
