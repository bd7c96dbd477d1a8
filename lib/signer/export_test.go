package signer

import (
	"bufio"
	"bytes"
	"crypto"
	"fmt"
)

var ParseCertificates = parseCertificates

// ParseKey reads the first key in data.
func ParseKey(path string, data []byte, pass Passphrase) (crypto.Signer, error) {
	return parseKey(path, data, pass, nil)
}

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
