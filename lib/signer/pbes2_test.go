package signer_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"ocspcgi/lib/signer"
)

// sealing says how a key is encrypted. Its zero value is PBKDF2 with HMAC-SHA-1
// and AES-128, which every field changes in one place.
type sealing struct {
	plain      []byte
	scheme     string // OIDs, instead of the right ones
	kdf        string
	cipher     string
	prf        string
	iterations int
	keyLength  int
	iv         []byte
	cut        int // bytes off the end of what is encrypted
	scrypt     []int
}

func oid(b *cryptobyte.Builder, dotted, otherwise string) {
	if dotted == "" {
		dotted = otherwise
	}
	var id asn1.ObjectIdentifier
	n := 0
	for _, c := range dotted + "." {
		if c != '.' {
			n = 10*n + int(c-'0')
			continue
		}
		id, n = append(id, n), 0
	}
	b.AddASN1ObjectIdentifier(id)
}

func sequence(b *cryptobyte.Builder, f func(*cryptobyte.Builder)) { b.AddASN1(der.SEQUENCE, f) }

func (s sealing) kdfParams(salt []byte) func(*cryptobyte.Builder) {
	return func(b *cryptobyte.Builder) {
		b.AddASN1OctetString(salt)
		for _, n := range s.scrypt {
			b.AddASN1Int64(int64(n))
		}
		if s.scrypt != nil {
			return
		}
		b.AddASN1Int64(int64(s.iterations))
		if s.keyLength != 0 {
			b.AddASN1Int64(int64(s.keyLength))
		}
		if s.prf != "" {
			sequence(b, func(b *cryptobyte.Builder) { oid(b, s.prf, "") })
		}
	}
}

// seal writes the DER of an EncryptedPrivateKeyInfo for the phrase opensesame.
func (s sealing) seal(t *testing.T) []byte {
	t.Helper()
	if s.iterations == 0 {
		s.iterations = 1
	}
	if s.iv == nil {
		s.iv = make([]byte, 16)
	}
	salt := []byte("NaCl")
	key, err := pbkdf2.Key(sha1.New, "opensesame", salt, 1, 16)
	if err != nil {
		t.Fatal(err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	pad := 16 - len(s.plain)%16
	sealed := append(bytes.Clone(s.plain), bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(block, make([]byte, 16)).CryptBlocks(sealed, sealed)
	var b cryptobyte.Builder
	sequence(&b, func(b *cryptobyte.Builder) {
		sequence(b, func(b *cryptobyte.Builder) {
			oid(b, s.scheme, "1.2.840.113549.1.5.13")
			sequence(b, func(b *cryptobyte.Builder) {
				sequence(b, func(b *cryptobyte.Builder) {
					oid(b, s.kdf, "1.2.840.113549.1.5.12")
					sequence(b, s.kdfParams(salt))
				})
				sequence(b, func(b *cryptobyte.Builder) {
					oid(b, s.cipher, "2.16.840.1.101.3.4.1.2")
					b.AddASN1OctetString(s.iv)
				})
			})
		})
		b.AddASN1OctetString(sealed[:len(sealed)-s.cut])
	})
	return b.BytesOrPanic()
}

func TestPBES2(t *testing.T) {
	p := newPKI(t)
	p.key("ca", "p256")
	p.selfSigned("ca", "ca")
	block, _ := pem.Decode([]byte(p.read("ca.key")))
	const scrypt = "1.3.6.1.4.1.11591.4.11"
	const damaged = "DIR/sealed.key: the encryption of this key is damaged"
	const wrong = "DIR/sealed.key: the pass phrase does not open this key; check -passin"
	for _, c := range []struct {
		name string
		sealing
		want string
	}{
		{"plain", sealing{}, ""},
		{"with the length of the key", sealing{keyLength: 16}, ""},
		{"with length and digest", sealing{keyLength: 16, prf: "1.2.840.113549.2.7"}, ""},
		{"nothing in it", sealing{plain: []byte("\x30\x00")}, wrong},
		{"another key form in it", sealing{plain: []byte("\x30\x06\x02\x01\x00\x02\x01\x00")}, wrong},
		{"padding of no length", sealing{plain: make([]byte, 16), cut: 16}, wrong},
		{"half a block", sealing{cut: 8}, damaged},
		{"short initialisation vector", sealing{iv: make([]byte, 8)}, damaged},
		{"no iterations", sealing{iterations: -1}, damaged},
		{"too many iterations", sealing{iterations: 1e7 + 1}, "DIR/sealed.key: encrypted with 10000001 iterations of PBKDF2; at most 10000000 are done"},
		{"unknown scheme", sealing{scheme: "1.2.3"}, "DIR/sealed.key: encrypted with 1.2.3, which cannot be read here; openssl pkcs8 -topk8 -in FILE -out NEW.pem makes it a key that can"},
		{"unknown derivation", sealing{kdf: "1.2.3"}, "DIR/sealed.key: encrypted with a key derivation that cannot be read (1.2.3); PBKDF2 and scrypt can"},
		{"unknown cipher", sealing{cipher: "1.2.3"}, "DIR/sealed.key: encrypted with 1.2.3, which cannot be read here; openssl pkcs8 -topk8 -in FILE -out NEW.pem makes it a key that can"},
		{"unknown digest", sealing{prf: "1.2.3"}, "DIR/sealed.key: encrypted with a digest in PBKDF2 that cannot be read (1.2.3); SHA-1 and SHA-2 can"},
		{"scrypt with too much memory", sealing{kdf: scrypt, scrypt: []int{1 << 21, 8, 1}}, "DIR/sealed.key: encrypted with scrypt parameters 2097152, 8, 1 that are too costly"},
		{"scrypt with too many rounds", sealing{kdf: scrypt, scrypt: []int{1 << 14, 8, 17}}, "DIR/sealed.key: encrypted with scrypt parameters 16384, 8, 17 that are too costly"},
		{"scrypt of nothing", sealing{kdf: scrypt, scrypt: []int{1 << 14, 0, 1}}, damaged},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.plain == nil {
				c.plain = block.Bytes
			}
			p.write("sealed.key", string(c.seal(t)))
			_, err := signer.Load(p.path("ca.crt"), p.path("sealed.key"), phrase("opensesame"), signer.Options{})
			if c.want == "" && err != nil {
				t.Error(err)
			}
			if c.want != "" {
				p.wantError(t, err, c.want)
			}
		})
	}
}

// The old encryption cannot tell a wrong phrase for certain: this is what one
// that looks right leaves.
func TestLegacyGarbage(t *testing.T) {
	p := newPKI(t)
	p.key("ca", "p256")
	p.selfSigned("ca", "ca")
	//lint:ignore SA1019 openssl encrypts no garbage
	block, err := x509.EncryptPEMBlock(rand.Reader, "EC PRIVATE KEY", []byte("garbage"), []byte("opensesame"), x509.PEMCipherAES128)
	if err != nil {
		t.Fatal(err)
	}
	p.write("sealed.key", string(pem.EncodeToMemory(block)))
	if _, err := signer.Load(p.path("ca.crt"), p.path("sealed.key"), phrase("opensesame"), signer.Options{}); !errors.Is(err, signer.ErrPassphrase) {
		t.Error(err)
	}
}
