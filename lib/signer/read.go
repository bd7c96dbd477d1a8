package signer

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// maxFile is far above every certificate bundle and below what would hurt.
const maxFile = 1 << 20

// ReadCertificates reads the certificates of a file, at least one, in its
// order: PEM, with keys and text between skipped, one in DER, or those that are
// with a key in a PKCS#12 file whose pass phrase is empty.
func ReadCertificates(path string) ([]*x509.Certificate, error) {
	return readCertificates(path, nil)
}

// ReadPublicKeys reads the SubjectPublicKeyInfo of each certificate of a file that
// [ReadCertificates] reads, in its order. Where it can it reads nothing else of them,
// which takes a process that has just started twenty times as long.
func ReadPublicKeys(path string) (keys [][]byte, err error) {
	data, err := readSetting(path)
	if err != nil {
		return nil, err
	}
	if keys = publicKeys(data); keys != nil {
		return keys, nil
	}
	certs, err := ReadCertificates(path)
	for _, cert := range certs {
		keys = append(keys, cert.RawSubjectPublicKeyInfo)
	}
	return keys, err
}

// publicKeys are those of a certificate in DER, or of all in PEM; nil: some of it is
// something else.
func publicKeys(data []byte) (keys [][]byte) {
	if !isPEM(data) {
		if key := publicKey(data); key != nil {
			keys = append(keys, key)
		}
		return keys
	}
	blocks, err := pemBlocks("", data)
	if err != nil {
		return nil
	}
	for _, b := range blocks {
		if !isCertificate(b.Type) {
			continue
		}
		key := publicKey(b.Bytes)
		if key == nil {
			return nil
		}
		keys = append(keys, key)
	}
	return keys
}

// publicKey is the SubjectPublicKeyInfo of a certificate (RFC 5280 §4.1); nil: it is
// none.
func publicKey(der cryptobyte.String) (key cryptobyte.String) {
	var cert, tbs cryptobyte.String
	if !der.ReadASN1(&cert, asn1.SEQUENCE) || !cert.ReadASN1(&tbs, asn1.SEQUENCE) ||
		!tbs.SkipOptionalASN1(asn1.Tag(0).Constructed().ContextSpecific()) || !tbs.SkipASN1(asn1.INTEGER) {
		return nil
	}
	for range 4 { // signature, issuer, validity, subject
		if !tbs.SkipASN1(asn1.SEQUENCE) {
			return nil
		}
	}
	if !tbs.ReadASN1Element(&key, asn1.SEQUENCE) {
		return nil
	}
	return key
}

func readCertificates(path string, pass Passphrase) ([]*x509.Certificate, error) {
	certs, err := certificatesOf(path, pass)
	for i, cert := range certs {
		if err := Bounded(cert); err != nil {
			return nil, fmt.Errorf("%s: certificate %d: %w", path, i+1, err)
		}
	}
	return certs, err
}

func certificatesOf(path string, pass Passphrase) ([]*x509.Certificate, error) {
	data, err := readSetting(path)
	if err != nil {
		return nil, err
	}
	if keyForm(data) == formPKCS12 {
		b, err := openPKCS12(path, data, pass)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return b.certificates, nil
	}
	return parseCertificates(path, data)
}

// readSetting reads a file that a setting names, and says what to do where that
// cannot be opened.
func readSetting(path string) ([]byte, error) {
	data, err := readFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = fmt.Errorf("%w; is the path right? Relative ones in a settings file are taken from its directory, others from where the program was started", err)
	case errors.Is(err, fs.ErrPermission):
		err = fmt.Errorf("%w; let the user read it that the program runs as, and no others (ocspcgi check -as USER tells who can)", err)
	}
	return data, err
}

func readFile(path string) ([]byte, error) {
	if isPEM([]byte(path)) {
		// It may be a private key: no word of it into a log.
		return nil, errors.New("a key or certificate stands where the name of its file should; write it to a file and name that")
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // no FIFO holds it up
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return nil, err
	case len(data) > maxFile:
		return nil, fmt.Errorf("%s: larger than 1 MiB; not a file of certificates or keys", path)
	case len(bytes.TrimSpace(data)) == 0:
		return nil, fmt.Errorf("%s: the file is empty", path)
	}
	return data, nil
}

func parseCertificates(path string, data []byte) ([]*x509.Certificate, error) {
	if !isPEM(data) {
		cert, err := x509.ParseCertificate(data)
		if err != nil {
			return nil, fmt.Errorf("%s: no certificate found, but %s", path, foundInstead(data, err))
		}
		return []*x509.Certificate{cert}, nil
	}
	blocks, err := pemBlocks(path, data)
	if err != nil {
		return nil, err
	}
	var certs []*x509.Certificate
	for _, b := range blocks {
		if !isCertificate(b.Type) {
			continue
		}
		cert, err := parseBlock(b)
		if err != nil {
			return nil, fmt.Errorf("%s: certificate %d: %w", path, len(certs)+1, err)
		}
		certs = append(certs, cert)
	}
	if certs == nil {
		return nil, fmt.Errorf("%s: no certificate found, but %s", path, blockTypes(blocks))
	}
	return certs, nil
}

func isCertificate(pemType string) bool {
	return pemType == "CERTIFICATE" || pemType == "X509 CERTIFICATE" || pemType == "TRUSTED CERTIFICATE"
}

// parseBlock cuts off the trust settings that openssl writes behind the
// certificate in a TRUSTED CERTIFICATE.
func parseBlock(b *pem.Block) (*x509.Certificate, error) {
	der := cryptobyte.String(b.Bytes)
	var first cryptobyte.String
	if b.Type == "TRUSTED CERTIFICATE" && der.ReadASN1Element(&first, asn1.SEQUENCE) {
		return x509.ParseCertificate(first)
	}
	return x509.ParseCertificate(b.Bytes)
}

func isPEM(data []byte) bool { return bytes.Contains(data, []byte("-----BEGIN ")) }

// pemBlocks refuses a file in which a block is damaged: encoding/pem would
// pass over it without a word.
func pemBlocks(path string, data []byte) ([]*pem.Block, error) {
	var blocks []*pem.Block
	for rest := data; ; {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			break
		}
		blocks = append(blocks, b)
	}
	if begun := bytes.Count(data, []byte("-----BEGIN ")); begun != len(blocks) {
		return nil, fmt.Errorf("%s: damaged PEM: %d blocks begin, %d can be read", path, begun, len(blocks))
	}
	return blocks, nil
}

func blockTypes(blocks []*pem.Block) string {
	types := make([]string, len(blocks))
	for i, b := range blocks {
		types[i] = b.Type
	}
	return strings.Join(types, ", ")
}

// foundInstead says what a DER file holds that is not the certificate it should
// be; err is why it does not read as one.
func foundInstead(der []byte, err error) string {
	if _, err := x509.ParseCertificateRequest(der); err == nil {
		return "a certificate request"
	}
	if _, err := x509.ParseRevocationList(der); err == nil {
		return "a CRL"
	}
	if keyForm(der) == formNone {
		return err.Error()
	}
	return "a private key"
}
